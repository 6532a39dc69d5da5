"""A watch as it is on a bad day.

The real thing promises less than a watch in the same process keeps: news comes late, several changes are seen as one, the
same news comes twice, and now and then a watch breaks off and its reader must list again. A component that is level-triggered
ends in the same state all the same. `SlowWatch` goes around a component's transport and does all that, by the seed:

- an event is held back for up to `delay` seconds, and those behind it wait too: the order is kept;
- of several changes of one object that are let go at the same moment, only the newest is told;
- an event is told a second time, after others that are newer;
- an event is lost: then the watch ends with `410 Expired`, so that nothing is missed for good.

Lists and writes are not slowed. This is k8slab's own: upstream's etcd and network do it by themselves.
"""

from __future__ import annotations

from collections import deque

from k8slab.apimachinery.errors import Expired
from k8slab.apimachinery.rest import Request, Response, Transport, Watch, WatchEvent
from k8slab.clock import NEVER, Clock
from k8slab.names import Chance


class SlowWatch:
    """A transport whose watches are slow. `name` keeps the chances of several components apart."""

    def __init__(
        self,
        inner: Transport,
        clock: Clock,
        chance: Chance,
        name: str,
        *,
        delay: float = 2.0,
        repeat: float = 0.1,
        lose: float = 0.02,
    ) -> None:
        self._inner, self._clock, self._chance, self._name = inner, clock, chance, name
        self._delay, self._repeat, self._lose = delay, repeat, lose
        self._watches = 0

    def send(self, request: Request) -> Response:
        """The server's answer; if it is a watch, a slow one."""
        response = self._inner.send(request)
        if response.watch is not None:
            self._watches += 1
            response.watch = HeldWatch(self, response.watch, f"{self._name}/{self._watches}")
        return response

    def close(self) -> None:
        """Close connections."""
        self._inner.close()

    def release(self, watch: str, event: WatchEvent) -> float:
        """When an event is to be let go."""
        return self._clock.now() + self._delay * self._chance.fraction("slow-watch-delay", f"{watch}/{event.revision}")

    def repeats(self, watch: str, event: WatchEvent) -> bool:
        """Whether it is told twice."""
        return self._chance.fraction("slow-watch-repeat", f"{watch}/{event.revision}") < self._repeat

    def loses(self, watch: str, event: WatchEvent) -> bool:
        """Whether it is lost."""
        return self._chance.fraction("slow-watch-lose", f"{watch}/{event.revision}") < self._lose

    def now(self) -> float:
        """The time."""
        return self._clock.now()

    @property
    def state(self) -> tuple[float, ...]:
        """How bad the day is."""
        return self._delay, self._repeat, self._lose


class HeldWatch:
    """One slow watch."""

    def __init__(self, bad_day: SlowWatch, inner: Watch, name: str) -> None:
        self._bad_day, self._inner, self._name = bad_day, inner, name
        # (when it is let go, event), in order of both.
        self._held: deque[tuple[float, WatchEvent]] = deque()
        self._broken = False

    def poll(self) -> list[WatchEvent]:
        """The events that are let go by now."""
        if self._broken:
            return []
        for event in self._inner.poll():
            behind = self._held[-1][0] if self._held else 0.0
            self._held.append((max(behind, self._bad_day.release(self._name, event)), event))
        due = []
        while self._held and self._held[0][0] <= self._bad_day.now():
            due.append(self._held.popleft()[1])
        told = coalesce(due)
        for place, event in enumerate(told):
            if self._bad_day.loses(self._name, event):
                self._broken = True
                return [*told[:place], WatchEvent("ERROR", Expired("too old resource version").status)]
        return [*told, *(event for event in told if self._bad_day.repeats(self._name, event))]

    def change(self, bad_day: SlowWatch) -> None:
        """From now on news is held back in another way; what is held already stays so."""
        self._bad_day = bad_day

    def let_go(self) -> list[WatchEvent]:
        """All that is held back, at once: the bad day is over."""
        held, self._held = [event for _, event in self._held], deque()
        return held

    def next_release(self) -> float:
        """When the next event is let go; infinity if none is held back."""
        return self._held[0][0] if self._held and not self._broken else NEVER

    @property
    def closed(self) -> bool:
        """True once nothing more will come."""
        return self._broken or (self._inner.closed and not self._held)

    def close(self) -> None:
        """Stop watching; what is held back is never told."""
        self._held.clear()
        self._inner.close()


def coalesce(events: list[WatchEvent]) -> list[WatchEvent]:
    """Of each object the newest event only, in the order of those."""
    newest: dict[str, WatchEvent] = {}
    for event in events:
        about = event.object.get("metadata", {}).get("uid") or f"{event.type}/{event.revision}"
        newest.pop(about, None)
        newest[about] = event
    return list(newest.values())
