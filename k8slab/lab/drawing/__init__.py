"""Pictures as data: a picture is first a list of things, then a layout, then SVG; and always a text and a table too.

    model.py      what can be drawn             picture.py   what a notebook shows
    collapse.py   a thousand boxes into sixty   tree.py      a graph in words
    layout.py     coordinates, by Graphviz      grid.py      coordinates, without
    palette.py    colours and glyphs            words.py     how wide text is

Nothing here knows a cluster. Models go in, pictures come out.
"""

from k8slab.lab.drawing.model import (
    Bar,
    Edge,
    Graph,
    Mark,
    Message,
    Node,
    Sequence,
    StateDiagram,
    Table,
    Timeline,
    Transition,
)
from k8slab.lab.drawing.picture import (
    GraphPicture,
    Picture,
    SequencePicture,
    StatesPicture,
    TimelinePicture,
    draw,
)

__all__ = [
    "draw",
    "Picture",
    "GraphPicture",
    "TimelinePicture",
    "SequencePicture",
    "StatesPicture",
    "Graph",
    "Node",
    "Edge",
    "Timeline",
    "Bar",
    "Mark",
    "Sequence",
    "Message",
    "StateDiagram",
    "Transition",
    "Table",
]
