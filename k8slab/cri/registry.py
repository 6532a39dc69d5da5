"""The simulated registries of the world, and the ways in which they fail.

They hold the catalogue's teaching images and whatever a lesson adds. A registry, a repository or one image can be made to
fail with a message, which then reaches the Pod's events the way that containerd words it.

Models: github.com/containerd/containerd (client pull errors).
"""

from __future__ import annotations

from dataclasses import dataclass
from sys import intern

from k8slab.cri.api import CriError
from k8slab.cri.images import CATALOGUE, TeachingImage
from k8slab.cri.references import DEFAULT_DOMAIN, Reference
from k8slab.names import Chance

_BYTES_PER_SECOND = 40 * (1 << 20)
_HANDSHAKE = 0.4


@dataclass(frozen=True, slots=True)
class RemoteImage:
    """An image as a registry offers it."""

    image: TeachingImage
    tag: str

    @property
    def digest(self) -> str:
        """Its content's name."""
        return self.image.digest(self.tag)

    @property
    def reference(self) -> str:
        """The image by its content, as a container that runs it says."""
        return intern(f"{self.image.repository}@{self.digest}")


class SimulatedRegistry:
    """Every registry that a simulated node can reach."""

    def __init__(self, images: tuple[TeachingImage, ...] = CATALOGUE) -> None:
        self._tags: dict[str, dict[str, RemoteImage]] = {}
        self._faults: dict[str, str] = {}
        for image in images:
            self.add(image)

    def add(self, image: TeachingImage) -> None:
        """Push an image, all its tags."""
        tags = self._tags.setdefault(image.repository, {})
        tags.update((tag, RemoteImage(image, tag)) for tag in image.tags)

    def fail(self, where: str, message: str) -> None:
        """From now on a pull from `where` fails: a domain, a repository, or `repository:tag`."""
        self._faults[where] = message

    def heal(self, where: str) -> None:
        """Undo `fail`. Healing what does not fail is fine."""
        self._faults.pop(where, None)

    def check(self, reference: Reference) -> None:
        """Unavailable, if a pull of it was made to fail."""
        for where in (reference.domain, reference.repository, f"{reference.repository}:{reference.tag}"):
            if where in self._faults:
                host = "registry-1.docker.io" if reference.domain == DEFAULT_DOMAIN else reference.domain
                url = f"https://{host}/v2/{reference.path}/manifests/{reference.digest or reference.tag}"
                raise _failed("Unavailable", reference, f'failed to do request: Head "{url}": {self._faults[where]}')

    def resolve(self, reference: Reference) -> RemoteImage:
        """The image behind a reference; Unavailable or NotFound as containerd says it."""
        self.check(reference)
        tags = self._tags.get(reference.repository)
        if tags is None and reference.domain == DEFAULT_DOMAIN:
            denied = "pull access denied, repository does not exist or may require authorization"
            raise _failed("NotFound", reference, f"{denied}: server message: insufficient_scope: authorization failed")
        found = [
            remote
            for tag, remote in (tags or {}).items()
            if (remote.digest == reference.digest if reference.digest else tag == reference.tag)
        ]
        if not found:
            raise _failed("NotFound", reference, f"{reference}: not found")
        return found[0]

    def pull_seconds(self, remote: RemoteImage, chance: Chance, node: str) -> float:
        """How long a node takes to fetch it: a little different for each node and image, the same for a seed."""
        luck = 0.75 + 0.5 * chance.fraction("pull", (node, remote.digest))
        return round(_HANDSHAKE + luck * remote.image.size / _BYTES_PER_SECOND, 3)


def _failed(code: str, reference: Reference, why: str) -> CriError:
    return CriError(
        code, f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}": {why}'
    )
