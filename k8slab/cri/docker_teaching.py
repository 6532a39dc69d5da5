"""Teaching images for Docker, where the originals can't be had: a static busybox, and a few scripts that serve as they do.

An image is one tar file: busybox with a link for each of its commands, the scripts of `teaching/`, a few directories.
The scripts answer on the paths that tutorials use; `images.py` says what the image is called and what it runs.

k8slab's own.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from functools import lru_cache
from pathlib import Path

import orjson

from k8slab.cri.api import CriError
from k8slab.cri.images import WELCOME_PAGE, TeachingImage, image_version

_SCRIPTS = Path(__file__).parent / "teaching"

_FILES: dict[str, dict[str, str]] = {
    "agnhost": {
        "agnhost": "agnhost",
        "k8slab/http.sh": "http.sh",
        "k8slab/netexec": "netexec",
        "k8slab/serve-hostname": "serve-hostname",
    },
    "bootcamp": {
        "usr/local/bin/node": "node",
        "k8slab/http.sh": "http.sh",
        "k8slab/bootcamp": "bootcamp",
        "usr/local/bin/curl": "curl",
    },
    "nginx": {
        "docker-entrypoint.sh": "docker-entrypoint.sh",
        "usr/sbin/nginx": "nginx",
        "k8slab/http.sh": "http.sh",
        "k8slab/nginx-request": "nginx-request",
        "usr/local/bin/curl": "curl",
    },
    "pause": {"pause": "pause"},
    "stress": {"usr/local/bin/stress": "stress"},
    "leak": {"usr/local/bin/leak": "leak"},
    "busybox": {},
}
"""By program: path in the image -> script."""

_DIRECTORIES = (
    "bin",
    "dev",
    "etc",
    "k8slab",
    "proc",
    "root",
    "run",
    "sys",
    "tmp",
    "usr/bin",
    "usr/local/bin",
    "usr/sbin",
)
_TEXTS = {
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": b"root:x:0:\nnogroup:x:65534:\n",
    "etc/os-release": b'PRETTY_NAME="k8slab teaching image (busybox)"\nID=k8slab\n',
}


def find_busybox() -> Path:
    """A busybox that needs no library. CriError, which says what to do, if there is none."""
    for name in (
        shutil.which("busybox-static"),
        shutil.which("busybox"),
        shutil.which("busybox.static"),
        "/bin/busybox",
    ):
        if name and Path(name).is_file() and _is_static(Path(name)):
            return Path(name).resolve()
    why = "no registry answers, and there is no static busybox to build a teaching image from"
    raise CriError("Unavailable", f"{why}: install the package busybox-static, or name a mirror")


def _is_static(path: Path) -> bool:
    """Whether an ELF program asks for no interpreter, that is for no dynamic linker."""
    with path.open("rb") as file:
        header = file.read(64)
        if header[:5] != b"\x7fELF\x02":
            return False
        offset, size, count = (int.from_bytes(header[a:b], "little") for a, b in ((32, 40), (54, 56), (56, 58)))
        file.seek(offset)
        table = file.read(size * count)
    interpreter = 3
    return all(int.from_bytes(table[at : at + 4], "little") != interpreter for at in range(0, size * count, size))


@lru_cache(maxsize=1)
def _busybox() -> tuple[bytes, tuple[str, ...]]:
    """The program, and the names of its commands."""
    path = find_busybox()
    listed = subprocess.run([path, "--list"], capture_output=True, check=True, text=True)
    return path.read_bytes(), tuple(name for name in listed.stdout.split() if name != "busybox")


def image_tar(image: TeachingImage, tag: str) -> bytes:
    """The image's files; the same bytes every time."""
    busybox, commands = _busybox()
    files: dict[str, bytes] = {"bin/busybox": busybox, **_TEXTS}
    files.update((path, (_SCRIPTS / script).read_bytes()) for path, script in _FILES[image.program].items())
    files["k8slab/version"] = image_version(tag, image).removeprefix("v").encode()
    if image.program == "nginx":
        files["usr/share/nginx/html/index.html"] = WELCOME_PAGE
    if image.shell == "bash":
        files["bin/bash"] = (_SCRIPTS / "bash").read_bytes()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in _DIRECTORIES:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(entry)
        for command in commands:
            if (path := f"bin/{command}") not in files:
                link = tarfile.TarInfo(path)
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o644 if path.startswith("etc/") else 0o755
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def image_changes(image: TeachingImage) -> list[str]:
    """The image's settings, as lines of a Dockerfile."""
    lines = [f"WORKDIR {image.working_dir}"]  # an import takes no STOPSIGNAL: the scripts leave politely on SIGTERM too
    lines += [f'ENV {name}="{value}"' for name, value in image.env]
    if image.entrypoint:
        lines.append("ENTRYPOINT " + orjson.dumps(image.entrypoint).decode())
    if image.cmd:
        lines.append("CMD " + orjson.dumps(image.cmd).decode())
    return lines
