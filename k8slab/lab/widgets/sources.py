"""What widgets look at and what they drive: small protocols, so that a widget can be tested without a cluster.

A source may say that it has changed: if it has a method `subscribe(callback) -> unsubscribe`, a widget hands it its
`refresh`, which is cheap to call often and from any thread. A source without one is looked at when a widget is shown, when
its own buttons were pressed, and when somebody calls `refresh`.

Names of objects are `Kind/namespace/name`, or `Kind/name` where there is no namespace. k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, Protocol, TypedDict, runtime_checkable


@runtime_checkable
class Changing(Protocol):
    """A source that says when it has changed."""

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have `callback` called after every change, from any thread; what comes back ends that."""
        ...


class TableLike(Protocol):
    """Rows under named columns: `k8slab.lab.drawing.Table` is one."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns."""
        ...

    @property
    def rows(self) -> Sequence[Sequence[str]]:
        """The cells, row by row."""
        ...


@runtime_checkable
class PictureLike(Protocol):
    """Something drawn, that says the same as text and as a table: `k8slab.lab.drawing.Picture` is one."""

    @property
    def svg(self) -> str:
        """The drawing. Raises RuntimeError where it cannot be drawn."""
        ...

    @property
    def table(self) -> TableLike:
        """The same as rows."""
        ...

    def json(self) -> dict[str, Any]:
        """The same with all coordinates, as plain data."""
        ...


@runtime_checkable
class PictureSource(Protocol):
    """Where a picture of how it is now can be had."""

    def picture(self) -> PictureLike:
        """A picture of how it is now."""
        ...


@dataclass(frozen=True)
class Still:
    """A picture that does not change, as a source of pictures."""

    shown: PictureLike

    def picture(self) -> PictureLike:
        """The picture."""
        return self.shown


class FaultArgument(TypedDict):
    """One argument of a fault."""

    name: str
    choices: NotRequired[Sequence[str]]
    """What it can be; the first is offered first. Without choices anything can be written."""
    default: NotRequired[Any]


class FaultRow(TypedDict):
    """One thing that can go wrong, as a menu shows it."""

    name: str
    label: str
    """What happens, in a few words."""
    arguments: Sequence[FaultArgument]
    active: bool
    id: NotRequired[str]
    """Which one is active, for `fault_off`; needed for those that were not begun by this widget."""
    once: NotRequired[bool]
    """Whether it happens once, so that there is nothing to end."""


class Controllable(Protocol):
    """What the controls drive. Every method raises ValueError or RuntimeError, with a sentence, for what it cannot do."""

    @property
    def steps(self) -> int:
        """The step at which it is."""
        ...

    @property
    def last_step(self) -> int:
        """The last step that is known: beyond `steps` after going back."""
        ...

    @property
    def now(self) -> float:
        """The time, in seconds since the Unix epoch."""
        ...

    @property
    def revision(self) -> int:
        """The revision of the store."""
        ...

    @property
    def playing(self) -> bool:
        """Whether it moves by itself."""
        ...

    def step(self) -> object:
        """One step into what has not happened yet."""
        ...

    def back(self, n: int = 1) -> object:
        """Go back `n` steps."""
        ...

    def forward(self, n: int = 1) -> object:
        """Go forward again, `n` steps of what was lived before."""
        ...

    def goto(self, step: int) -> object:
        """Go to a step of what is known."""
        ...

    def run_for(self, duration: str) -> object:
        """Let a time pass: `10s`, `5m`."""
        ...

    def play(self, speed: float) -> object:
        """Move by itself, `speed` seconds in one; `inf` is as fast as it can. It returns at once."""
        ...

    def pause(self) -> object:
        """Stop moving by itself."""
        ...

    def faults(self) -> Sequence[FaultRow]:
        """What can go wrong, and what is wrong now."""
        ...

    def fault_on(self, name: str, args: Mapping[str, Any]) -> str:
        """Begin a fault; its id."""
        ...

    def fault_off(self, fault: str) -> object:
        """End a fault, by its id."""
        ...


@dataclass(frozen=True, slots=True)
class Filter:
    """Which objects; an empty field means any."""

    text: str = ""
    kind: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """One object: its id, and what stands in the columns."""

    id: str
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class ObjectTable:
    """Objects under named columns."""

    columns: Sequence[str]
    rows: Sequence[ObjectRow]


class ObjectsSource(Protocol):
    """Where objects can be looked up. What comes back is shown as `str()` of it."""

    def rows(self, filter: Filter) -> ObjectTable:
        """The objects that a filter lets through, in the order in which they are shown."""
        ...

    def yaml(self, id: str) -> object:
        """An object as YAML. Raises ValueError, with a sentence, for one that there is not."""
        ...

    def events(self, id: str) -> object:
        """What was reported about an object."""
        ...

    def why(self, id: str) -> object:
        """Why an object is as it is."""
        ...
