"""The images that a simulated node holds, and when.

A pull takes simulated time: the image is on its way at once, and there when the clock says so.

Models: k8s.io/cri-api ImageService.
"""

from __future__ import annotations

from dataclasses import dataclass

from k8slab.clock import Clock
from k8slab.cri.api import CriError, FilesystemUsage, Image, PullResult
from k8slab.cri.references import Reference, parse_reference
from k8slab.cri.registry import RemoteImage, SimulatedRegistry
from k8slab.names import Chance

DISK = 100 * (1 << 30)
"""Bytes of the disk that images are kept on, unless it is made smaller."""
_CHECK_SECONDS = 0.3
"""Asking the registry whether a tag still means the image that is here."""


@dataclass(slots=True)
class _Held:
    remote: RemoteImage
    ready_at: float


def _identity(remote: RemoteImage) -> str:
    """The image id, which unlike the digest is the content's alone."""
    return "sha256:" + remote.digest.removeprefix("sha256:")[::-1]


class ImageStore:
    """One node's images."""

    def __init__(self, node_name: str, clock: Clock, chance: Chance, registry: SimulatedRegistry) -> None:
        self._node, self._clock, self._chance, self._registry = node_name, clock, chance, registry
        # By full name with the tag, or with the digest where it was pulled so; in the order of the pulls.
        self._held: dict[str, _Held] = {}
        self.capacity = DISK

    def usage(self) -> FilesystemUsage:
        """How full the disk is. Nothing else is on it."""
        used = sum(image.size for image in self.list())
        return FilesystemUsage(self.capacity, max(0, self.capacity - used))

    def held(self, image: str) -> RemoteImage | None:
        """What a reference names, if it is here by now."""
        held = self._find(parse_reference(image))
        return held.remote if held is not None and held.ready_at <= self._clock.now() else None

    def _find(self, reference: Reference) -> _Held | None:
        if not reference.digest:
            return self._held.get(str(reference))
        for held in self._held.values():
            if held.remote.digest == reference.digest and held.remote.image.repository == reference.repository:
                return held
        return None

    def list(self) -> list[Image]:
        """All that are here by now."""
        now, images = self._clock.now(), {}
        for held in self._held.values():
            if held.ready_at <= now:
                images[_identity(held.remote)] = self._view(held.remote)
        return list(images.values())

    def status(self, image: str) -> Image | None:
        """One of them."""
        remote = self.held(image)
        return self._view(remote) if remote is not None else None

    def _view(self, remote: RemoteImage) -> Image:
        tags = [name for name, held in self._held.items() if held.remote is remote and "@" not in name]
        repository = remote.image.repository
        return Image(_identity(remote), tuple(tags), (f"{repository}@{remote.digest}",), remote.image.size)

    def pull(self, image: str) -> PullResult:
        """Begin to fetch it, unless it is here or on its way."""
        reference, now = parse_reference(image), self._clock.now()
        remote = self._registry.resolve(reference)
        found = self._held.get(str(reference))
        if found is None or found.remote != remote:
            seconds = self._registry.pull_seconds(remote, self._chance, self._node)
            self._held[str(reference)] = _Held(remote, round(now + seconds, 6))
        else:
            seconds = round(max(found.ready_at - now, _CHECK_SECONDS), 6)
        return PullResult(f"{remote.image.repository}@{remote.digest}", remote.image.size, seconds)

    def remove(self, image: str) -> None:
        """Remove one by tag, by digest or by its id."""
        if not image.startswith("sha256:"):
            try:
                self._held.pop(str(parse_reference(image)), None)
            except CriError:
                return
        for name in [name for name, held in self._held.items() if _identity(held.remote) == image]:
            del self._held[name]
