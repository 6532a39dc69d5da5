"""A stream into a container, as somebody outside holds it: what they write is an input.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8slab.apimachinery.rest import Stream
from k8slab.engine.inputs import Ended, Input, Typed


class OutsideStream:
    """Reads go straight to the stream; what changes something goes by `take`."""

    def __init__(self, take: Callable[[Input], Any], number: int, inner: Stream) -> None:
        self._take, self._number, self._inner = take, number, inner
        self._hung_up = False

    def poll(self) -> list[tuple[int, bytes]]:
        """What came since the last poll."""
        return self._inner.poll()

    def send(self, channel: int, data: bytes) -> None:
        """Write to stdin, or resize the terminal."""
        self._take(Typed(self._number, channel, data))

    def close_stdin(self) -> None:
        """No more input will come."""
        self._take(Ended(self._number, hung_up=False))

    @property
    def closed(self) -> bool:
        """True once everything was polled and nothing more will come."""
        return self._inner.closed

    def close(self) -> None:
        """Give up. Safe to call twice."""
        if not self._hung_up:
            self._hung_up = True
            self._take(Ended(self._number, hung_up=True))
