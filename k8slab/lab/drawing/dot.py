"""A graph in Graphviz' own language, for people: to be read, changed, and put into other tools.

It is not what `layout.py` asks Graphviz, which has sizes and no words. This has the words, the colours and the real ids.
"""

from __future__ import annotations

from k8slab.lab.drawing.cards import details, heading
from k8slab.lab.drawing.model import Graph
from k8slab.lab.drawing.palette import THEMES, look
from k8slab.lab.drawing.words import clean


def graph_dot(graph: Graph) -> str:
    """The DOT source of a complete graph, in the light theme's colours."""
    theme = THEMES["light"]
    lines = [
        f"digraph {_quoted(graph.title or 'graph')} {{",
        f'  graph [rankdir={"TB" if graph.downward else "LR"}, bgcolor="{theme.background}", nodesep=0.28]',
        '  node [shape=box, style="rounded,filled", fontname="Helvetica,Arial,sans-serif", fontsize=12]',
        f'  edge [color="{theme.line}", fontname="Helvetica,Arial,sans-serif", fontsize=12, arrowsize=0.7]',
    ]
    for node in graph.nodes:
        paint = theme.paint(look(node.kind).hue)
        written = [text for text in (clean(node.kind), heading(node), *details(node), clean(node.state)) if text]
        label = '"' + "\\n".join(map(_escaped, written)) + '"'
        lit = ", peripheries=2" if node.lit else ""
        lines.append(f'  {_quoted(node.id)} [label={label}, color="{paint.stroke}", fillcolor="{paint.fill}"{lit}]')
    for edge in graph.edges:
        options = f" [label={_quoted(edge.label)}" if edge.label else " ["
        options += (", " if edge.label else "") + "style=dashed]" if edge.kind == "dashed" else "]"
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)}{options.replace(' []', '')}")
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    return f'"{_escaped(clean(text))}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
