"""A graph in words: an indented tree for reading, a table for looking things up.

Neither knows a layout, so both stay the same when Graphviz draws differently: notebooks store and compare the tree. A
graph need not be a tree: what has been said once is named again with "(see above)", and where everything is in a circle,
the first node begins. An arrow's label stands in brackets before what it leads to; a dashed arrow is a dotted branch.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8slab.lab.drawing.cards import details, heading
from k8slab.lab.drawing.model import Edge, Graph, Node, Table
from k8slab.lab.drawing.words import clean, plural

NOTHING = "(nothing)"


def caption(node: Node) -> str:
    """A node in one line: `Pod web-1: nginx  (Running)`."""
    text, kind = heading(node), clean(node.kind)
    if kind and not {kind.casefold(), plural(kind).casefold()} & set(text.casefold().split()):
        text = f"{kind} {text}"
    if more := details(node):
        text += f": {', '.join(more)}"
    return text + (f"  ({clean(node.state)})" if clean(node.state) else "") + ("  <- this one" if node.lit else "")


def graph_text(graph: Graph) -> str:
    """The tree of a complete graph, from those that no arrow leads to."""
    arrows: dict[str, list[Edge]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        arrows[edge.source].append(edge)
    led_to = {edge.target for edge in graph.edges if edge.source != edge.target}
    nodes = {node.id: node for node in graph.nodes}
    seen: set[str] = set()
    lines: list[str] = []
    for start in [*(node for node in nodes if node not in led_to), *nodes]:
        if start not in seen:
            lines += _branches(start, nodes, arrows, seen)
    return "\n".join(lines) or NOTHING


def _branches(start: str, nodes: dict[str, Node], arrows: dict[str, list[Edge]], seen: set[str]) -> Iterator[str]:
    """The lines below one start. A stack, not recursion: a chain of causes can be longer than Python's stack."""
    stack = [(start, "", "")]
    while stack:
        node, branch, inner = stack.pop()
        if node in seen:
            yield f"{branch}{caption(nodes[node])}  (see above)"
            continue
        seen.add(node)
        yield branch + caption(nodes[node])
        below = []
        for number, edge in enumerate(arrows[node], 1):
            last = number == len(arrows[node])
            line = ("└" if last else "├") + ("┄ " if edge.kind == "dashed" else "─ ")
            label = f"[{clean(edge.label)}] " if clean(edge.label) else ""
            below.append((edge.target, inner + line + label, inner + ("   " if last else "│  ")))
        stack += reversed(below)


def graph_table(graph: Graph) -> Table:
    """One row for each node of a complete graph: what it is, how it is, and which arrows lead to it."""
    nodes = {node.id: node for node in graph.nodes}
    before: dict[str, list[str]] = {node: [] for node in nodes}
    for edge in graph.edges:
        label = f" ({clean(edge.label)})" if clean(edge.label) else ""
        before[edge.target].append(heading(nodes[edge.source]) + label)
    rows = tuple(
        (clean(node.kind), heading(node), ", ".join(details(node)), clean(node.state), ", ".join(before[node.id]))
        for node in graph.nodes
    )
    return Table(("Kind", "Name", "Details", "State", "From"), rows)
