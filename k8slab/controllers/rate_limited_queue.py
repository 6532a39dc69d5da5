"""A queue that lets its items out one by one, at a rate.

There is at most one token. It is back `1 / rate` seconds after it was used; so the first item goes at once. At rate 0 nothing
goes. A change of rate does not make up for waiting: who has waited goes on waiting, for as long as the new rate says.

Models: pkg/controller/nodelifecycle/scheduler/rate_limited_queue.go (RateLimitedTimedQueue; its burst is 1).
"""

from __future__ import annotations

from k8slab.clock import NEVER


class RateLimitedQueue:
    """Names, in the order in which they were added; each is let out once until it is removed."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        """How many a second."""
        self._waiting: dict[str, None] = {}
        self._let_out: dict[str, None] = {}
        self._token_at = float("-inf")

    def __contains__(self, name: str) -> bool:
        return name in self._waiting or name in self._let_out

    def add(self, name: str) -> None:
        """Queue a name, unless it is there, or was let out already."""
        if name not in self:
            self._waiting[name] = None

    def remove(self, name: str) -> None:
        """Forget a name: it may be added again."""
        self._waiting.pop(name, None)
        self._let_out.pop(name, None)

    def next_ready(self) -> float:
        """When the next name may go; infinity if none waits, or none ever may."""
        return self._token_at if self._waiting and self.rate > 0 else NEVER

    def let_out(self, now: float) -> str | None:
        """The next name, if it may go now."""
        if self.next_ready() > now:
            return None
        name = next(iter(self._waiting))
        del self._waiting[name]
        self._let_out[name] = None
        self._token_at = now + 1 / self.rate
        return name

    def swap_rate(self, rate: float, now: float) -> None:
        """From now on at another rate."""
        if rate == self.rate:
            return
        waiting = self.rate <= 0 or self._token_at > now
        self.rate = rate
        self._token_at = now + 1 / rate if waiting and rate > 0 else float("-inf")
