"""What widgets that show a picture have in common. k8slab's own."""

from __future__ import annotations

from typing import Any

from k8slab.lab.widgets.patches import State
from k8slab.lab.widgets.sources import PictureLike, PictureSource, Still

LEFT_OUT = ("table", "text", "problem")
"""The text is long, and no view shows it; the table is sent as things with ids, so that one changed row is one row sent; a
drawing that is plainer than it should be is a note, not a problem of the widget."""


def source_of(shown: PictureSource | PictureLike) -> PictureSource:
    """A source of pictures as it is; a picture as a source that never changes."""
    return shown if isinstance(shown, PictureSource) else Still(shown)


def picture_parts(picture: PictureLike) -> State:
    """The parts of a widget's state that draw a picture and its twin, a table."""
    said: dict[str, Any] = picture.json()
    parts = {part: value for part, value in said.items() if part not in LEFT_OUT}
    table = said["table"]
    rows = [{"id": str(number), "cells": list(cells)} for number, cells in enumerate(table["rows"])]
    return parts | {"columns": list(table["columns"]), "rows": rows, "note": said.get("problem", "")}
