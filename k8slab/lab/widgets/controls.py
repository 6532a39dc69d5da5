"""Play, pause, step, go back, go forward, break things: the controls of a cluster.

The widget decides nothing: every button is one method of a `Controllable`, and what that raises is shown as a sentence.
k8slab's own.
"""

from __future__ import annotations

from typing import Any

from k8slab.clock import to_rfc3339
from k8slab.lab.widgets.base import Answer, LabWidget, Message, text_in, whole_number
from k8slab.lab.widgets.modules import javascript
from k8slab.lab.widgets.patches import State
from k8slab.lab.widgets.selection import Selection
from k8slab.lab.widgets.sources import Changing, Controllable, FaultRow
from k8slab.lab.widgets.still import rows_svg
from k8slab.lab.widgets.throttle import INTERVAL, Timer

SPEEDS = {
    "0.1": ("0.1 seconds a second", 0.1),
    "1": ("1 second a second", 1.0),
    "10": ("10 seconds a second", 10.0),
    "60": ("1 minute a second", 60.0),
    "600": ("10 minutes a second", 600.0),
    "fastest": ("as fast as possible", float("inf")),
}
"""What can be chosen: its name, in words, and how many seconds pass in one."""
DURATIONS = ("1s", "10s", "1m", "5m", "1h")


class Controls(LabWidget):
    """The controls as a widget."""

    _esm = javascript("controls")

    def __init__(self, target: Controllable, *, selection: Selection | None = None, timer: Timer | None = None) -> None:
        self._target = target
        self._speed = "1"
        self._begun: dict[str, str] = {}
        """The faults that this widget began: name -> id."""
        super().__init__(target, selection, timer)

    @property
    def text(self) -> str:
        """Where the cluster is, in words."""
        return "\n".join(f"{name}: {value}" for name, value in self._lines())

    @property
    def svg(self) -> str:
        """Where the cluster is, as SVG."""
        return rows_svg("Controls", self._lines())

    def _lines(self) -> list[tuple[str, ...]]:
        target = self._target
        active = ", ".join(row["label"] for row in target.faults() if row["active"])
        return [
            ("Time", _clock_face(target.now)),
            ("Step", f"{target.steps} of {target.last_step}"),
            ("Revision", str(target.revision)),
            ("Faults", active or "none"),
        ]

    def _parts(self) -> State:
        target = self._target
        return {
            "title": "Controls",
            "step": target.steps,
            "first": getattr(target, "first_step", 0),
            "last": target.last_step,
            "time": _clock_face(target.now),
            "revision": target.revision,
            "playing": target.playing,
            "speed": self._speed,
            "speeds": [{"id": name, "label": label} for name, (label, _) in SPEEDS.items()],
            "durations": list(DURATIONS),
            "faults": [_fault(row) for row in target.faults()],
        }

    def _update(self) -> None:
        super()._update()
        # A source that does not say when it changes is looked at while it moves.
        if not isinstance(self._target, Changing) and self.state.get("playing"):
            self._throttle.timer.later(INTERVAL, self.refresh)

    def _answers(self) -> dict[str, Answer]:
        return super()._answers() | {
            "step": lambda message: self._then(self._target.step()),
            "back": lambda message: self._then(self._target.back(1)),
            "forward": lambda message: self._then(self._target.forward(1)),
            "goto": lambda message: self._then(self._target.goto(whole_number(message, "step"))),
            "run_for": lambda message: self._then(self._target.run_for(text_in(message, "duration"))),
            "play": self._play,
            "pause": lambda message: self._then(self._target.pause()),
            "fault_on": self._fault_on,
            "fault_off": self._fault_off,
        }

    def _then(self, _result: object) -> None:
        """After something was done: show it without waiting."""
        self.show_now()

    def _play(self, message: Message) -> None:
        speed = text_in(message, "speed")
        if speed not in SPEEDS:
            raise ValueError(f"There is no speed {speed!r}; there are: {', '.join(SPEEDS)}")
        self._speed = speed
        self._then(self._target.play(SPEEDS[speed][1]))

    def _fault_on(self, message: Message) -> None:
        arguments = message.get("arguments")
        if not isinstance(arguments, dict):
            raise ValueError("The widget sent a fault without arguments; run the cell again")
        name = text_in(message, "name")
        self._begun[name] = self._target.fault_on(name, arguments)
        self.show_now()

    def _fault_off(self, message: Message) -> None:
        name = text_in(message, "name")
        named = next((row["id"] for row in self._target.faults() if row["name"] == name and "id" in row), "")
        fault = named or self._begun.get(name)
        if not fault:
            raise ValueError(f"The fault {name!r} is not active, or nobody knows which one it is")
        self._target.fault_off(fault)
        self._begun.pop(name, None)
        self.show_now()


def _fault(row: FaultRow) -> dict[str, Any]:
    arguments = [
        {"id": each["name"], "choices": [*each.get("choices", ())], "default": _word(each.get("default"))}
        for each in row["arguments"]
    ]
    return {
        "id": row["name"],
        "label": row["label"],
        "arguments": arguments,
        "active": row["active"],
        "once": row.get("once", False),
    }


def _clock_face(now: float) -> str:
    return to_rfc3339(now).replace("T", " ")


def _word(value: object) -> str:
    return "" if value is None else str(value)
