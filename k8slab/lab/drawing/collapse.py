"""A graph of a thousand boxes, made into one that can be read.

Boxes that say the same are put into one, which says how many they are. Four ways, one after the other, until few enough
are left: the groups that the graph itself names; siblings, that is nodes of one kind with the same neighbours; all nodes
of the most frequent kinds; and at last whatever comes after the first ones. Arrows that then run side by side become one,
with a count.

A box of many has an id that stays (`group:NAME`), so that a widget can open it: `expand` holds the names of the groups
that are to be left open, and what was opened is not counted against the limit. Models nothing of Kubernetes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from k8slab.lab.drawing.model import Edge, Graph, Node
from k8slab.lab.drawing.words import plural

LIMIT = 60
PREFIX = "group:"
TIMES = "\u00d7"


@dataclass(frozen=True)
class Collapsed:
    """A graph, and who is in its boxes of many."""

    graph: Graph
    members: dict[str, tuple[str, ...]]
    """The id of a box of many -> the ids of the nodes in it."""


def complete(graph: Graph) -> Graph:
    """The graph with each id once, and with a node of kind `unknown` wherever an arrow would end at nothing."""
    nodes = {node.id: node for node in reversed(graph.nodes)}
    nodes = {node.id: nodes[node.id] for node in graph.nodes}
    for edge in graph.edges:
        for end in (edge.source, edge.target):
            nodes.setdefault(end, Node(end, (end,), kind="unknown"))
    return replace(graph, nodes=tuple(nodes.values()))


def collapse(graph: Graph, limit: int = LIMIT, expand: Collection[str] = ()) -> Collapsed:
    """A complete graph with at most `limit` boxes, besides those in groups that `expand` names (`web` or `group:web`)."""
    opened = {name.removeprefix(PREFIX) for name in expand}
    home = {node.id: node.id for node in graph.nodes}
    names: dict[str, str] = {}
    kept: set[str] = set()
    current = graph
    for way in WAYS:
        if len(current.nodes) - len(kept) <= limit:
            break
        groups = {node: name for node, name in way(current, limit, kept).items() if node not in kept}
        kept |= {node for node, name in groups.items() if name in opened}
        counts = Counter(groups.values())
        joined = {node: name for node, name in groups.items() if name not in opened and counts[name] > 1}
        names |= {PREFIX + name: name for name in joined.values()}
        home = {node: PREFIX + joined[box] if box in joined else box for node, box in home.items()}
        current = _joined(graph, home, names)
    return Collapsed(current, _members(home, names))


def _by_group(graph: Graph, limit: int, kept: set[str]) -> dict[str, str]:
    return {node.id: node.group for node in graph.nodes if node.group}


def _by_siblings(graph: Graph, limit: int, kept: set[str]) -> dict[str, str]:
    before: dict[str, set[str]] = {node.id: set() for node in graph.nodes}
    after: dict[str, set[str]] = {node.id: set() for node in graph.nodes}
    for edge in graph.edges:
        before[edge.target].add(edge.source)
        after[edge.source].add(edge.target)
    found: dict[str, str] = {}
    keys: dict[tuple[str, frozenset[str], frozenset[str]], str] = {}
    for node in graph.nodes:
        key = (node.kind, frozenset(before[node.id]), frozenset(after[node.id]))
        if key not in keys:
            keys[key] = _sibling_name(node, min(before[node.id], default=""), set(keys.values()))
        found[node.id] = keys[key]
    return found


def _sibling_name(node: Node, parent: str, taken: set[str]) -> str:
    """`Pod of ReplicaSet/default/web`; numbered where two sets of siblings would be called the same."""
    name = node.kind or "object"
    if parent:
        name += f" of {parent.removeprefix(PREFIX)}"
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name} ({number})"
    return unique


def _by_kind(graph: Graph, limit: int, kept: set[str]) -> dict[str, str]:
    """The most frequent kinds, as many as it takes; of two, the one that comes later, which is the one further down."""
    movable = [node for node in graph.nodes if node.id not in kept]
    counts = Counter(node.kind for node in reversed(movable))
    left, chosen = len(movable), set[str]()
    for kind, count in counts.most_common():
        if left > limit:
            chosen.add(kind)
            left -= count - 1
    return {node.id: f"every {node.kind or 'object'}" for node in movable if node.kind in chosen}


def _the_rest(graph: Graph, limit: int, kept: set[str]) -> dict[str, str]:
    movable = [node.id for node in graph.nodes if node.id not in kept]
    return dict.fromkeys(movable[max(limit, 1) - 1 :], "the rest")


WAYS: tuple[Callable[[Graph, int, set[str]], dict[str, str]], ...] = (_by_group, _by_siblings, _by_kind, _the_rest)


def _members(home: dict[str, str], names: dict[str, str]) -> dict[str, tuple[str, ...]]:
    members: dict[str, list[str]] = {}
    for node, box in home.items():
        if box in names:
            members.setdefault(box, []).append(node)
    return {box: tuple(nodes) for box, nodes in members.items()}


def _joined(graph: Graph, home: dict[str, str], names: dict[str, str]) -> Graph:
    """The graph with each node in its home: made from the original each time, so that counts are counts of it."""
    boxes: dict[str, list[Node]] = {}
    for node in graph.nodes:
        boxes.setdefault(home[node.id], []).append(node)
    nodes = tuple(_box(box, names[box], inside) if box in names else inside[0] for box, inside in boxes.items())
    return replace(graph, nodes=nodes, edges=tuple(_edges(graph, home, names)))


def _box(box: str, name: str, inside: list[Node]) -> Node:
    kinds = {node.kind for node in inside}
    kind = kinds.pop() if len(kinds) == 1 else ""
    counted = Counter(node.state for node in inside if node.state).most_common()
    state = ", ".join(f"{count} {state}" for state, count in counted[:3]) + (", …" if len(counted) > 3 else "")
    lines = (f"{len(inside)} {plural(kind or 'object')}", name)
    return Node(box, lines, kind, state, group=name, lit=any(node.lit for node in inside))


def _edges(graph: Graph, home: dict[str, str], names: dict[str, str]) -> list[Edge]:
    bundles: dict[tuple[str, ...], list[Edge]] = {}
    for index, edge in enumerate(graph.edges):
        source, target = home[edge.source], home[edge.target]
        if source in names or target in names:
            if source != target:  # what goes on inside a box is not seen
                bundles.setdefault((source, target, edge.kind), []).append(edge)
        else:
            bundles[source, target, edge.kind, str(index)] = [edge]
    return [_bundle(key, edges) for key, edges in bundles.items()]


def _bundle(key: tuple[str, ...], edges: list[Edge]) -> Edge:
    labels = {edge.label for edge in edges}
    label = labels.pop() if len(labels) == 1 else ""
    if len(edges) > 1:
        label = f"{label} {TIMES}{len(edges)}".strip()
    return Edge(key[0], key[1], label, key[2], against=any(edge.against for edge in edges))
