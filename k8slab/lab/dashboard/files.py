"""The files of the page, by the path at which they are served: nothing else is. k8slab's own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from k8slab.lab.widgets import modules

STATIC = Path(__file__).with_name("static")
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
OWN = ("index.html", "dashboard.css", "dashboard.js", "line.js", "icon.svg")
CONTROLS = "controls"


@cache
def file_at(path: str) -> tuple[str, str] | None:
    """(content type, text) of what is served at a path; None for what is not."""
    name = path.removeprefix("/") or "index.html"
    if name in OWN:
        return TYPES[Path(name).suffix], (STATIC / name).read_text(encoding="utf-8")
    if name == "widgets.css":
        return TYPES[".css"], modules.stylesheet()
    widget = name.removeprefix("widgets/").removesuffix(".js")
    if name == f"widgets/{CONTROLS}.js":
        return TYPES[".js"], _controls()
    if name == f"widgets/{widget}.js" and widget in modules.MODULES:
        return TYPES[".js"], modules.javascript(widget)
    return None


def _controls() -> str:
    """The controls' module, with a piece more: a cluster in real time refuses some of them."""
    pieces = [modules.STATIC / piece for piece in modules.MODULES[CONTROLS].pieces]
    pieces.append(STATIC / "page_controls.js")
    return "\n".join(piece.read_text(encoding="utf-8") for piece in pieces)
