"""Where a component can be watched from outside.

Every component has the same three joints: its watch tells it of a change, its queue is given a key, and it takes a key and
works it off. At each joint it calls its `observer`. `QUIET` is what a component has by itself: it does nothing. Whoever wants
to watch puts an observer of their own in its place; what the component does is the same with and without.

k8slab's own.
"""

from __future__ import annotations

from typing import Protocol


class Told(Protocol):
    """What an observer reads of a watch event."""

    type: str
    revision: int


class Observer:
    """Called at the joints of one component, on that component's thread. Does nothing."""

    def told(self, resource: str, key: str, event: Told) -> None:
        """The cache is about to take in a change of `key` (`default/web`) of a resource (`pods`)."""

    def taken_in(self) -> None:
        """The cache has taken the change in, and whoever wanted to know of it was told."""

    def queued(self, key: str, seconds: float = 0.0) -> None:
        """A key is to be worked on: now, or in so many seconds."""

    def due(self, key: str) -> None:
        """The seconds of a key that was queued for later have passed."""

    def began(self, key: str) -> None:
        """The work on a key begins; until `ended`, all that the component does is done for it."""

    def ended(self, key: str, result: str = "") -> None:
        """The work on a key is over. `result` says what came of it, if there is something to say."""


QUIET = Observer()
