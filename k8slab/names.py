"""Names drawn from the seed.

Chance is an argument, like time. `Chance` is a keyed hash, not a stream: a draw depends on the seed, on the purpose it is
made for and on the key it is made with, and on nothing that was drawn before. So a new draw in one place never renames a
Pod in another, and a read that happens to draw disturbs nobody.

Models: k8s.io/apimachinery/pkg/util/rand (the alphabet, SafeEncodeString); pkg/controller/controller_utils.go (ComputeHash).
"""

from __future__ import annotations

import hashlib
import random
import uuid

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels, and no digits that look like letters: a random suffix never spells a word."""

MAX_GENERATED_BASE = 58
"""A generated name is this much of `generateName` and five letters: 63 at most, a DNS label."""


class Chance:
    """Every random choice of a cluster, reproducible from one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def _digest(self, purpose: str, key: object) -> bytes:
        return hashlib.blake2b(f"{self.seed}/{purpose}/{key}".encode(), digest_size=16).digest()

    def integer(self, purpose: str, key: object) -> int:
        """A whole number of 64 bits."""
        return int.from_bytes(self._digest(purpose, key)[:8], "big")

    def fraction(self, purpose: str, key: object) -> float:
        """A number from 0 up to, but not including, 1."""
        return (self.integer(purpose, key) >> 11) / (1 << 53)

    def uid(self, purpose: str, key: object) -> str:
        """An RFC 4122 UUID, version 4 in form."""
        return str(uuid.UUID(bytes=self._digest(purpose, key), version=4))

    def suffix(self, purpose: str, key: object, length: int = 5) -> str:
        """`length` letters of the alphabet that Kubernetes appends to `generateName`."""
        number = int.from_bytes(self._digest(purpose, key), "big")
        letters = []
        for _ in range(length):
            number, index = divmod(number, len(ALPHABET))
            letters.append(ALPHABET[index])
        return "".join(letters)

    def stream(self, purpose: str, key: object = "") -> random.Random:
        """A random stream of one's own, for a purpose that needs many draws (shuffles, fault schedules)."""
        return random.Random(self._digest(purpose, key))


def unlike_any_other(length: int = 8) -> str:
    """Hexadecimal digits that nobody else has: for what lies outside a cluster, and must differ from run to run."""
    return uuid.uuid4().hex[:length]


def fnv32a(data: bytes) -> int:
    """The 32-bit FNV-1a hash, as Go's `fnv.New32a`."""
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def safe_encode(text: str) -> str:
    """Each character mapped into the alphabet, as `rand.SafeEncodeString` does."""
    return "".join(ALPHABET[ord(character) % len(ALPHABET)] for character in text)
