"""The line between one component and the API server, and all that can be wrong with it.

Every component's requests and watches go through a line of its own. A good line changes nothing. A bad one can be

- *cut*: no request gets through, and watches fall silent; when it is whole again they have ended, so their readers list anew.
  It may be cut in several places, and is whole when the last is mended;
- *slow to tell*: watches are as `slow_watch.py` has them;
- *slow to answer*: the component waits after each request;
- *failing*: some requests are answered by an error, chosen by the seed;
- *frozen*, because the process at its end stands still. It may be so in the middle of its work: just before a write.

What goes wrong here is what a component has to live with on any network: it must lose nothing but time.
k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from k8slab.apimachinery.errors import ApiError, ServiceUnavailable, TooManyRequests
from k8slab.apimachinery.rest import Request, Response, Transport, Watch, WatchEvent
from k8slab.client.slow_watch import HeldWatch, SlowWatch
from k8slab.clock import NEVER, Clock, SkewedClock
from k8slab.names import Chance

ERRORS: dict[int, Callable[[], ApiError]] = {
    429: lambda: TooManyRequests("the server has received too many requests and has asked us to try again later"),
    503: lambda: ServiceUnavailable("the server is currently unable to handle the request"),
}
"""The errors that a failing line can give, by code."""
READS = ("GET", "HEAD", "OPTIONS")
NEWS_LAG = 0.01


@dataclass(frozen=True, slots=True)
class Failing:
    """How often requests fail, and with which code of `ERRORS`."""

    share: float
    code: int = 503


class Line:
    """A transport that can go bad. `hold(seconds)` lets the component wait."""

    def __init__(
        self, inner: Transport, clock: Clock, chance: Chance, name: str, hold: Callable[[float], None]
    ) -> None:
        self.name = name
        self.latency = 0.0
        """Seconds that each request takes."""
        self.failing: Failing | None = None
        self.wrong_clock: SkewedClock | None = None
        """The component's, if it is wrong: it is told by that clock when a watch has news."""
        self.before_write: Callable[[], None] | None = None
        """Called once, before the next write of the component's work, which then does not get through."""
        self.frozen = False
        """Whether the process stands still: what it is about to say, it says when it goes on."""
        self._news_at = 0.0
        self._cuts: dict[str, None] = {}
        self._inner, self._clock, self._chance, self._hold = inner, clock, chance, hold
        self._slow: SlowWatch | None = None
        self._watches: dict[int, LineWatch] = {}
        self._opened = self._sent = 0

    def send(self, request: Request) -> Response:
        """The server's answer, if the line lets it through."""
        self._sent += 1
        if self.before_write is not None and _is_work(request):
            before_write, self.before_write = self.before_write, None
            before_write()
        if self.frozen:
            return _answer(ServiceUnavailable(f"it stood still before this {request.method}"))
        if self.cut:
            return _answer(ServiceUnavailable("dial tcp: connect: no route to host"))
        if self.latency:
            self._hold(self.latency)
        if self.failing and self._chance.fraction("line", f"{self.name}/{self._sent}") < self.failing.share:
            return _answer(ERRORS[self.failing.code]())
        response = self._inner.send(request)
        if response.watch is not None:
            self._opened += 1
            response.watch = LineWatch(self, response.watch, self._opened, request.wake or (lambda: None))
            self._watches[self._opened] = response.watch
        return response

    def close(self) -> None:
        """Close connections."""
        self._inner.close()

    @property
    def cut(self) -> bool:
        """Whether nothing gets through."""
        return bool(self._cuts)

    @property
    def state(self) -> tuple[object, ...]:
        """All that what it does next depends on, but for its watches."""
        bad_day = self._slow.state if self._slow is not None else None
        clock = self.wrong_clock.state if self.wrong_clock is not None else None
        still = self.frozen, self.before_write is not None, self._news_at
        return (*self._cuts, self.latency, self.failing, clock, *still, bad_day, self._opened, self._sent)

    def cut_at(self, place: str) -> None:
        """Cut it at a place, which has a name so that it can be mended. Cutting twice at one place is cutting once."""
        self._cuts[place] = None

    def mend(self, place: str) -> None:
        """Undo `cut_at`. When the line is whole again, its watches have ended meanwhile."""
        if place in self._cuts:
            del self._cuts[place]
            if not self._cuts:
                self.drop()

    def thaw(self) -> None:
        """The process goes on, with what it knew: news reaches it a moment later."""
        self.before_write = None
        if self.frozen:
            self.frozen, self._news_at = False, self._clock.now() + NEWS_LAG

    @property
    def news_at(self) -> float:
        """When watches tell again, if they do not; else 0."""
        return self._news_at if self._clock.now() < self._news_at else 0.0

    def drop(self) -> None:
        """End all watches, as a server that restarts does. Their readers list and watch anew."""
        for watch in list(self._watches.values()):
            watch.drop()

    def slow_down(self, delay: float, repeat: float, lose: float) -> None:
        """From now on watches tell late: up to `delay` seconds; some news twice, and some never (shares of 1)."""
        self._slow = SlowWatch(
            self._inner, self._clock, self._chance, self.name, delay=delay, repeat=repeat, lose=lose
        )  # fmt: skip
        for watch in self._watches.values():
            watch.slow_down(self._slow)

    def speed_up(self) -> None:
        """Watches tell at once again; what they held back first."""
        self._slow = None
        for watch in self._watches.values():
            watch.speed_up()

    @property
    def slow(self) -> SlowWatch | None:
        """How slow its watches are; None if they are not."""
        return self._slow

    def forget(self, number: int) -> None:
        """A watch was closed."""
        self._watches.pop(number, None)


class LineWatch:
    """One watch over a line."""

    def __init__(self, line: Line, inner: Watch, number: int, wake: Callable[[], None]) -> None:
        self._line, self._inner, self._number, self._wake = line, inner, number, wake
        self._late: list[WatchEvent] = []
        self._held: HeldWatch | None = None
        self._dropped = False
        if line.slow is not None:
            self.slow_down(line.slow)

    def poll(self) -> list[WatchEvent]:
        """The events that get through."""
        if self._dropped or self._line.cut or self._line.news_at:
            return []
        late, self._late = self._late, []
        return late + (self._held or self._inner).poll()

    @property
    def closed(self) -> bool:
        """True once nothing more will come."""
        return self._dropped or (self._held or self._inner).closed

    def next_release(self) -> float:
        """When the next event is let go, on the component's clock; infinity if none is held back."""
        if self._dropped or self._line.cut:
            return NEVER  # what is held back behind a cut is never told: its watch ends when the line is mended
        when = self._line.news_at or (self._held.next_release() if self._held is not None else NEVER)
        clock = self._line.wrong_clock
        return when if clock is None or when == NEVER else clock.deadline(when)

    def close(self) -> None:
        """Stop watching."""
        self._line.forget(self._number)
        self._inner.close()

    def drop(self) -> None:
        """It has ended, and its reader does not know yet."""
        self._dropped = True
        self._inner.close()
        self._wake()

    def slow_down(self, bad_day: SlowWatch) -> None:
        """Hold events back from now on."""
        if self._held is None:
            self._held = HeldWatch(bad_day, self._inner, f"{self._line.name}/{self._number}")
        else:
            self._held.change(bad_day)

    def speed_up(self) -> None:
        """Let all go that is held back."""
        if self._held is not None:
            self._late += self._held.let_go()
            self._dropped = self._dropped or self._held.closed
            self._held = None
            self._wake()


def _is_work(request: Request) -> bool:
    """Whether a request changes something; what only says that somebody lives, or what happened, does not."""
    return request.method not in READS and not any(part in request.path for part in ("/leases", "/events"))


def _answer(error: ApiError) -> Response:
    return Response(error.status["code"], object=error.status)
