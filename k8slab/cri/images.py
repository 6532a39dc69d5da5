"""The teaching images: those that the tutorials use, described once for both runtimes.

The simulated runtime runs an image's `program` in Python; the Docker runtime builds a small image of the same behaviour
from busybox where no registry can be reached (`docker_teaching.py`). Name, default command, environment and working
directory are the originals'; the rest is only as much as the tutorials show.

k8slab's own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from k8slab.cri.references import Reference, parse_reference

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MIB = 1 << 20

PAUSE_IMAGE = "registry.k8s.io/pause:3.10"
"""Holds the namespaces of a pod."""

WELCOME_PAGE = b"""<!DOCTYPE html>
<html>
<head><title>Welcome to nginx!</title></head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. (This is k8slab's stand-in for it.)</p>
</body>
</html>
"""
"""What nginx shows until it is given something else."""


@dataclass(frozen=True, slots=True)
class TeachingImage:
    """One image of the catalogue."""

    repository: str
    tags: tuple[str, ...]
    program: str
    """What it is: agnhost, bootcamp, nginx, busybox, pause, stress or leak."""
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = (("PATH", _SYSTEM_PATH),)
    working_dir: str = "/"
    size: int = 2 * _MIB
    """Bytes, as the registry has it, compressed."""
    shell: str = "ash"
    """Which shell its `sh` is: ash, bash, or empty if there is none."""
    stop_signal: str = "SIGTERM"

    def reference(self, tag: str) -> Reference:
        """The full name of one of its tags."""
        return parse_reference(f"{self.repository}:{tag}")

    def digest(self, tag: str) -> str:
        """A digest of its own for each tag: made up, but always the same."""
        return _digest(self.repository, tag)


@lru_cache
def _digest(repository: str, tag: str) -> str:
    return "sha256:" + hashlib.sha256(f"{repository}:{tag}".encode()).hexdigest()


def _bootcamp(repository: str, tag: str) -> TeachingImage:
    return TeachingImage(
        repository,
        (tag,),
        "bootcamp",
        cmd=("/bin/sh", "-c", "node server.js"),
        env=(("PATH", _SYSTEM_PATH), ("NPM_CONFIG_LOGLEVEL", "info"), ("NODE_VERSION", "6.3.1")),
        size=83 * _MIB,
        shell="bash",
    )


def _nginx(version: str, *tags: str, size: int) -> TeachingImage:
    # Since 1.19 the image configures itself in an entrypoint script, whose lines open every log.
    scripted = tuple(int(part) for part in version.split(".")) >= (1, 19)
    return TeachingImage(
        "docker.io/library/nginx",
        (version, *tags),
        "nginx",
        entrypoint=("/docker-entrypoint.sh",) if scripted else (),
        cmd=("nginx", "-g", "daemon off;"),
        env=(("PATH", _SYSTEM_PATH), ("NGINX_VERSION", version)),
        size=size * _MIB,
        shell="bash",
        stop_signal="SIGQUIT" if scripted else "SIGTERM",
    )


CATALOGUE: tuple[TeachingImage, ...] = (
    TeachingImage(
        "registry.k8s.io/e2e-test-images/agnhost",
        ("2.39", "2.40", "2.53"),
        "agnhost",
        entrypoint=("/agnhost",),
        cmd=("pause",),
        size=51 * _MIB,
    ),
    _bootcamp("gcr.io/google-samples/kubernetes-bootcamp", "v1"),
    _bootcamp("gcr.io/google-samples/kubernetes-bootcamp", "v2"),
    _bootcamp("docker.io/jocatalin/kubernetes-bootcamp", "v1"),
    _bootcamp("docker.io/jocatalin/kubernetes-bootcamp", "v2"),
    _nginx("1.7.9", size=38),
    _nginx("1.14.2", size=43),
    _nginx("1.15.12", "1.15", size=43),
    _nginx("1.16.1", "1.16", size=48),
    _nginx("1.19.10", "1.19", size=51),
    _nginx("1.21.6", "1.21", size=54),
    _nginx("1.25.5", "1.25", size=67),
    _nginx("1.27.4", "1.27", "stable", size=69),
    _nginx("1.29.3", "1.29", "1", "latest", "mainline", "alpine", size=68),
    TeachingImage(
        "docker.io/library/busybox",
        ("latest", "1", "1.28", "1.35", "1.36", "1.37", "stable", "musl", "glibc", "uclibc"),
        "busybox",
        cmd=("sh",),
        size=2 * _MIB,
    ),
    TeachingImage(
        "registry.k8s.io/pause",
        ("3.6", "3.9", "3.10", "3.10.1", "3.10.2", "latest"),
        "pause",
        entrypoint=("/pause",),
        size=_MIB // 3,
        shell="",
    ),
    TeachingImage("docker.io/polinux/stress", ("latest", "1.0.4"), "stress", cmd=("stress",), size=4 * _MIB),
    TeachingImage("docker.io/k8slab/leak", ("latest", "1"), "leak", cmd=("leak",), size=2 * _MIB),
)

_BY_REPOSITORY: dict[str, list[TeachingImage]] = {}
for _image in CATALOGUE:
    _BY_REPOSITORY.setdefault(_image.repository, []).append(_image)


def has_repository(reference: Reference) -> bool:
    """Whether the catalogue knows the repository, whatever the tag."""
    return reference.repository in _BY_REPOSITORY


def find_image(reference: Reference) -> tuple[TeachingImage, str] | None:
    """The catalogue's image for a reference by tag or by digest, and the tag; None if it has none."""
    for image in _BY_REPOSITORY.get(reference.repository, ()):
        for tag in image.tags:
            if (image.digest(tag) == reference.digest) if reference.digest else (tag == reference.tag):
                return image, tag
    return None


def image_version(tag: str, image: TeachingImage) -> str:
    """What the program inside says it is: the first tag of the image that `tag` is another name of."""
    return image.tags[0] if image.program == "nginx" else tag
