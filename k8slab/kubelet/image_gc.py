"""Image garbage collection: the images that were used least lately make room.

Every five minutes the kubelet looks at the disk on which its images are. When it is 85 % full, images go until it is 80 % full,
those first that no container has used for the longest time. Two kinds stay, however full the disk is: images that a container
uses, running or dead, and images that came less than two minutes ago, for a Pod may be about to use them.

When an image was used last is known only from looking: a kubelet that starts knows nothing of what was before.

Models: pkg/kubelet/images/image_gc_manager.go (GarbageCollect, freeSpace).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from k8slab.clock import Clock
from k8slab.cri.api import Container, CriError, FilesystemUsage, Image, Runtime

LEFT_OUT = ("Images are not removed for their age alone.",)

log = logging.getLogger(__name__)

PERIOD = 300.0
HIGH, LOW = 85, 80
"""Percent of the disk: from which on images go, and how far."""
MIN_AGE = 120.0


@dataclass(slots=True)
class ImageRecord:
    """What is known of one image."""

    id: str
    size: int
    first_detected: float
    last_used: float = 0.0
    """When a container was last seen that uses it; 0: never."""


def bytes_to_free(disk: FilesystemUsage, high: int = HIGH, low: int = LOW) -> int:
    """How much has to go, in bytes; 0 while the disk is not full enough."""
    if disk.capacity <= 0 or 100 - disk.available * 100 // disk.capacity < high:
        return 0
    return disk.capacity * (100 - low) // 100 - disk.available


def image_gc_candidates(
    records: Iterable[ImageRecord], to_free: int, now: float, min_age: float = MIN_AGE
) -> list[ImageRecord]:
    """The images to remove, in that order: as few as free so many bytes, or all that may go."""
    may_go = [each for each in records if each.last_used < now and now - each.first_detected >= min_age]
    chosen: list[ImageRecord] = []
    for record in sorted(may_go, key=lambda each: (each.last_used, each.first_detected)):
        if to_free <= 0:
            break
        chosen.append(record)
        to_free -= record.size
    return chosen


class ImageGC:
    """The images of one node, by when they were used."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self._runtime, self._clock = runtime, clock
        self.records: dict[str, ImageRecord] = {}
        """By the image's id."""
        self.next_run = clock.now()

    def run(self) -> str:
        """Look at all images, and make room if that is needed. Returns what is to be told of the node; empty: nothing."""
        now = self._clock.now()
        self.next_run = now + PERIOD
        try:
            disk = self._runtime.image_fs_info()
            if disk is None:
                return ""
            self._detect(now)
            return self._make_room(disk, now)
        except CriError as error:
            log.debug("image garbage collection: %s", error.message)
            return ""

    def _detect(self, now: float) -> None:
        """Note what has come, what has gone, and what is used."""
        images = {image.id: image for image in self._runtime.list_images()}
        used = {image.id for container in self._runtime.list_containers() for image in _of(container, images)}
        self.records = {
            image.id: self.records.get(image.id) or ImageRecord(image.id, image.size, now) for image in images.values()
        }
        for record in self.records.values():
            if record.id in used:
                record.last_used = now

    def _make_room(self, disk: FilesystemUsage, now: float) -> str:
        to_free = bytes_to_free(disk)
        if to_free <= 0:
            return ""
        freed = 0
        for record in image_gc_candidates(self.records.values(), to_free, now):
            self._runtime.remove_image(record.id)
            del self.records[record.id]
            freed += record.size
        if freed >= to_free:
            return ""
        return (
            f"Failed to garbage collect required amount of images. Attempted to free {to_free} bytes, but only found "
            f"{freed} bytes eligible to free."
        )


def _of(container: Container, images: dict[str, Image]) -> list[Image]:
    """The images that a container was made from: by id, by digest, or as its Pod names it."""
    named = (container.image_ref, container.image)
    return [each for each in images.values() if any(name in (each.id, *each.digests, *each.tags) for name in named)]
