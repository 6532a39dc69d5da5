"""What a controller has done and not yet seen.

A cache lags behind. A controller that made three Pods and looks again before its watch tells of them would make three more.
So it writes down what it expects to see, and does nothing about an object until it has seen it all, or five minutes have
passed.

Models: pkg/controller/controller_utils.go (ControllerExpectations, UIDTrackingControllerExpectations).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from k8slab.clock import Clock

TIMEOUT = 300.0


@dataclass(slots=True)
class _Expected:
    since: float
    creations: int = 0
    deletions: set[str] = field(default_factory=set)
    """UIDs: a deletion is seen twice, as a deletionTimestamp and as an event, and counts once."""


class Expectations:
    """By the key of the owner."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._expected: dict[str, _Expected] = {}

    def expect_creations(self, key: str, count: int) -> None:
        """From now on `count` new objects are to be seen, besides what was expected already."""
        self._renewed(key).creations += count

    def expect_deletions(self, key: str, uids: Iterable[str]) -> None:
        """From now on these objects are to be seen going, besides what was expected already."""
        self._renewed(key).deletions.update(uids)

    def creation_observed(self, key: str) -> None:
        """A new object was seen; or its creation failed, and it never will be."""
        if (expected := self._expected.get(key)) and expected.creations > 0:
            expected.creations -= 1

    def deletion_observed(self, key: str, uid: str) -> None:
        """An object was seen going; or its deletion failed."""
        if expected := self._expected.get(key):
            expected.deletions.discard(uid)

    def satisfied(self, key: str) -> bool:
        """Whether all was seen, or has taken too long."""
        expected = self._expected.get(key)
        if expected is None or (not expected.creations and not expected.deletions):
            return True
        return self._clock.now() - expected.since > TIMEOUT

    def _renewed(self, key: str) -> _Expected:
        """What is expected, as of now; what has taken too long is expected no more."""
        now, before = self._clock.now(), self._expected.get(key)
        if before is None or now - before.since > TIMEOUT:
            before = self._expected[key] = _Expected(now)
        before.since = now
        return before

    def forget(self, key: str) -> None:
        """The owner is gone."""
        self._expected.pop(key, None)
