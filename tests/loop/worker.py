"""A component for the loop's tests: it does what it was told, and says so."""

from __future__ import annotations

from k8slab.clock import NEVER, Clock


class Worker:
    """Works `todo` units; then wants a turn at each of `alarms`, and does one unit then."""

    def __init__(
        self, name: str, clock: Clock, todo: int = 0, alarms: list[float] | None = None, work: bool = True
    ) -> None:
        self.name, self.clock, self.todo, self.work = name, clock, todo, work
        self.alarms = [clock.now() + seconds for seconds in alarms or []]
        self.log: list[float] = []
        self.closed = False

    def step(self) -> bool:
        while self.alarms and self.alarms[0] <= self.clock.now():
            self.alarms.pop(0)
            self.todo += 1
        if not self.todo:
            return False
        self.todo -= 1
        self.log.append(self.clock.now())
        return True

    def next_deadline(self) -> float:
        return self.alarms[0] if self.alarms else NEVER

    def next_work(self) -> float:
        return self.next_deadline() if self.work else NEVER

    def close(self) -> None:
        self.closed = True
