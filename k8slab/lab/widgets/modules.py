"""The browser's side of the widgets: ES modules and styles, each one text that needs nothing else.

A module must be self-contained, since a notebook may be opened where nothing can be fetched. So the files in `static/` are
pieces, and a module is pieces one after the other, with `export default { render }` at the end. Nothing is built, minified
or downloaded; what a browser runs is what stands in the files.

The contract is anywidget's: `render({ model, el })` draws into `el` and returns a function that ends it. Of `model` only
`get`, `on`, `off` and `send` are used, so a page without Jupyter can bring an object with these four. k8slab's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

STATIC = Path(__file__).with_name("static")


@dataclass(frozen=True, slots=True)
class Module:
    """A module: the pieces that it is made of, and the function that draws."""

    pieces: tuple[str, ...]
    render: str


MODULES = {
    "graph": Module(("common.js", "picture.js", "graph.js"), "renderGraph"),
    "why": Module(("common.js", "picture.js", "graph.js", "why.js"), "renderWhy"),
    "timeline": Module(("common.js", "picture.js", "timeline.js"), "renderTimeline"),
    "objects": Module(("common.js", "objects.js"), "renderObjects"),
    "controls": Module(("common.js", "controls.js"), "renderControls"),
}


@cache
def javascript(name: str) -> str:
    """The ES module of a widget. Raises KeyError for one that there is not."""
    module = MODULES[name]
    pieces = [(STATIC / piece).read_text(encoding="utf-8") for piece in module.pieces]
    return "\n".join([*pieces, f"export default {{ render: {module.render} }};\n"])


@cache
def stylesheet() -> str:
    """The styles of all widgets."""
    return (STATIC / "widgets.css").read_text(encoding="utf-8")
