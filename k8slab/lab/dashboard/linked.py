"""One name for each object in all pictures, so that what is chosen in one view is chosen in all.

Pictures call an object as what they are drawn from does: the trace `pods/default/web-abc`, an ownership graph a UID, the
running picture `machine node-1`. What is chosen is called `Pod/default/web-abc` (`Reference.id`). A linked picture is the
same picture with its objects called so. k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from k8slab.lab.reference import reference_of
from k8slab.lab.widgets.sources import PictureLike, TableLike

Box = Mapping[str, Any]
NameOf = Callable[[Box], str]
"""The object that a box of a graph shows; empty where it shows none."""

MACHINE = "machine "


@dataclass(frozen=True)
class Linked:
    """A picture whose objects have the names that are chosen by."""

    picture: PictureLike
    name_of: NameOf = lambda box: ""

    @property
    def svg(self) -> str:
        """The drawing. Raises RuntimeError where it cannot be drawn."""
        return self.picture.svg

    @property
    def table(self) -> TableLike:
        """The same as rows."""
        return self.picture.table

    def json(self) -> dict[str, Any]:
        """The same as plain data, with the objects' names."""
        said = self.picture.json()
        boxes = list(said.get("nodes", ()))
        new = {box["id"]: self.name_of(box) or box["id"] for box in boxes}
        if len(set(new.values())) == len(boxes):  # two boxes of one name could not be told apart
            said |= {"nodes": [{**box, "id": new[box["id"]]} for box in boxes]}
            said |= {"edges": [_renamed(edge, new) for edge in said.get("edges", ())]}
        items = [{**item, "object": object_called(item["object"])} for item in said.get("items", ())]
        return said | ({"items": items} if items else {})

    def expand(self, *groups: str) -> Linked:
        """The same with these groups open, too."""
        expand = getattr(self.picture, "expand", None)
        return self if expand is None else Linked(expand(*groups), self.name_of)

    def __str__(self) -> str:
        return str(self.picture)


def object_called(what: str) -> str:
    """The name of what the trace calls `pods/default/web`; empty for what is no object."""
    found = reference_of(what)
    return found.id if found is not None else ""


def machine(box: Box) -> str:
    """The Node of a machine in the running picture."""
    return f"Node/{box['id'].removeprefix(MACHINE)}" if box["id"].startswith(MACHINE) else ""


def owned_in(namespace: str) -> NameOf:
    """The object of a box in the ownership graph of a namespace."""

    def name_of(box: Box) -> str:
        is_object = box["kind"] and box["lines"] and not box["members"]
        return f"{box['kind']}/{namespace}/{box['lines'][0]}" if is_object else ""

    return name_of


def _renamed(edge: Box, new: Mapping[str, str]) -> dict[str, Any]:
    return {
        **edge,
        "source": new.get(edge["source"], edge["source"]),
        "target": new.get(edge["target"], edge["target"]),
    }
