"""What every widget of the lab does: keep a state that a browser draws, and answer when the browser asks.

The state is plain data with a number, `rev`, that grows with every change. It is a synced trait, so it is there when a view
begins, and is saved with the notebook; but it is changed in place, and what travels is patches (`patches.py`). A view that
has missed one, or has just come, says which `rev` it has, and gets the whole state. At most ten patches a second leave
(`throttle.py`).

What is promised: a widget never prints a traceback, and refuses nothing silently. What goes wrong in the kernel comes back
as a sentence, which the widget shows. Each widget says the same as text and as an SVG, for readers without a kernel.

A subclass says what is seen (`_parts`), what that is in words (`text`) and as a drawing (`svg`), and what it answers
(`_answers`). k8slab's own.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import anywidget
import traitlets

from k8slab.lab.widgets.modules import stylesheet
from k8slab.lab.widgets.patches import State, difference
from k8slab.lab.widgets.selection import Selection, selection_of
from k8slab.lab.widgets.sources import Changing
from k8slab.lab.widgets.throttle import Throttle, Timer

Message = Mapping[str, Any]
Answer = Callable[[Message], None]

OURS = (LookupError, TypeError, AttributeError, AssertionError, NotImplementedError)
"""Errors that say that something is wrong inside, rather than with what was asked: their name is said, too."""


class LabWidget(anywidget.AnyWidget):
    """A view of a source. `timer` is for tests."""

    _css = stylesheet()
    _endings: tuple[Callable[[], object], ...] = ()
    """What has to be called at the end."""

    state = traitlets.Dict().tag(sync=True)
    """What the browser draws. `rev`, `selected` and `problem` are in every one; never replaced, only changed in place."""

    def __init__(self, source: object, selection: Selection | None = None, timer: Timer | None = None) -> None:
        self._source = source
        self.selection = selection_of(source) if selection is None else selection
        self._throttle = Throttle(self._update, timer)
        super().__init__(state={"rev": 0, **self._seen()})
        self.on_msg(self._receive)
        self.selection.observe(self._selection_moved, "selected")
        deaf = partial(self.selection.unobserve, self._selection_moved, "selected")
        self._endings = (deaf, source.subscribe(self.refresh)) if isinstance(source, Changing) else (deaf,)

    # What a subclass says.

    @property
    @abstractmethod
    def text(self) -> str:
        """What the widget shows, in words."""

    @property
    @abstractmethod
    def svg(self) -> str:
        """What the widget shows, as SVG. Raises RuntimeError where it cannot be drawn."""

    @abstractmethod
    def _parts(self) -> State:
        """What the browser draws. Whatever it raises is shown as a sentence, and the last parts stay."""

    def _answers(self) -> dict[str, Answer]:
        """What a view can ask for: the `type` of a message, and who answers it."""
        return {"hello": self._hello, "resync": self._resync, "select": self._select}

    # Out.

    def refresh(self) -> None:
        """The source may have changed: show it, now or soon. Cheap, and may be called from any thread."""
        self._throttle.poke()

    def show_now(self) -> None:
        """Show what the source says now, without waiting."""
        self._throttle.flush()

    def close(self) -> None:
        """End the widget: it no longer listens, and disappears."""
        # ipywidgets closes once more when a widget is thrown away, also one that never came to be.
        endings, self._endings = self._endings, ()
        for end in endings:
            end()
        super().close()

    def _seen(self) -> State:
        """The parts, and what belongs to every widget."""
        try:
            parts = self._parts()
        except Exception as error:  # a learner's own source may raise anything
            last = self.state if self.trait_has_value("state") else {}
            parts = {part: value for part, value in last.items() if part != "rev"} | {"problem": sentence(error)}
        return {"problem": ""} | parts | {"selected": self.selection.selected}

    def _update(self) -> None:
        before: State = self.state
        after = self._seen()
        patch = difference({part: value for part, value in before.items() if part != "rev"}, after)
        if not patch:
            return
        rev = before["rev"]
        before.clear()
        before.update(after, rev=rev + 1)
        self.send({"type": "patch", "from": rev, "rev": rev + 1, **patch})

    def _selection_moved(self, change: Any) -> None:
        if self._throttle.timer.elsewhere():
            self.refresh()
        else:
            self.show_now()  # not throttled: the hand and the eye are waiting for it

    # In.

    def _receive(self, _widget: object, message: object, _buffers: object) -> None:
        number = message.get("n") if isinstance(message, dict) else None
        try:
            self._answer(message)
        except (Exception, KeyboardInterrupt) as error:
            self.show_now()
            self.send({"type": "error", "n": number, "say": sentence(error)})
        else:
            self.send({"type": "done", "n": number})

    def _answer(self, message: object) -> None:
        answers = self._answers()
        kind = message.get("type") if isinstance(message, dict) else None
        if not isinstance(message, dict) or not isinstance(kind, str) or kind not in answers:
            raise ValueError(
                f"The widget asked for {kind!r}, which this version of k8slab does not know; run the cell again"
            )
        answers[kind](message)

    def _hello(self, message: Message) -> None:
        if message.get("rev") != self.state["rev"]:
            self._resync(message)

    def _resync(self, _message: Message) -> None:
        self.send_state("state")

    def _select(self, message: Message) -> None:
        self.selection.selected = text_in(message, "id")

    # Without a browser.

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        self.show_now()
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        data = dict(data) | {"text/plain": self._said()}
        with suppress(Exception):  # the text says the same
            data["image/svg+xml"] = self.svg
        return data, metadata

    def __repr__(self) -> str:
        return self._said()

    def _said(self) -> str:
        try:
            return self.text
        except Exception as error:
            return sentence(error)


def sentence(error: BaseException) -> str:
    """An error as a sentence for a learner: what it says itself, where it was made to be read."""
    said = str(error).strip()
    if isinstance(error, KeyboardInterrupt):
        said = "Interrupted: what was asked for may be half done"
    elif not said or isinstance(error, OURS):
        said = f"Something went wrong inside: {type(error).__name__}{': ' if said else ''}{said}"
    said = said[0].upper() + said[1:]
    return said if said.endswith((".", "!", "?")) else f"{said}."


def text_in(message: Message, key: str) -> str:
    """A text in a message. Raises ValueError for anything else: a page can send what it likes."""
    value = message.get(key)
    if not isinstance(value, str):
        raise ValueError(f"The widget sent {key}={value!r} where a text belongs; run the cell again")
    return value


def whole_number(message: Message, key: str) -> int:
    """A whole number in a message. Raises ValueError for anything else."""
    value = message.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"The widget sent {key}={value!r} where a whole number belongs; run the cell again")
    return value
