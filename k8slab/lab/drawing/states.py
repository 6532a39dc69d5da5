"""A state diagram: states, the ways between them, and where it is now.

It is drawn as a graph: the current state is the lit box, with a second border and the word "now". What a state means
stands in its box, as far as it fits, and in full in the text and the table. The diagrams are made from the engine's own
tables of transitions, so what is drawn is what is done.
"""

from __future__ import annotations

from k8slab.lab.drawing.model import Edge, Graph, Node, StateDiagram, Table
from k8slab.lab.drawing.words import clean, wrap

NOW = "now"
NOTE_WIDTH = 190.0
NOTE_LINES = 3


def states_of(diagram: StateDiagram) -> tuple[str, ...]:
    """Those that the diagram names, then those that only its transitions name, then the current one."""
    ends = [end for each in diagram.transitions for end in (each.source, each.target)]
    current = [diagram.current] if diagram.current else []
    return tuple(dict.fromkeys([*diagram.states, *ends, *current]))


def state_graph(diagram: StateDiagram) -> Graph:
    """The diagram as a graph."""
    nodes = []
    for state in states_of(diagram):
        now = state == diagram.current
        note = wrap(clean(diagram.notes.get(state, "")), NOTE_WIDTH, NOTE_LINES)
        nodes.append(Node(state, (state, *note), "state", NOW if now else "", lit=now))
    edges = tuple(Edge(each.source, each.target, each.label) for each in diagram.transitions)
    return Graph(diagram.title, tuple(nodes), edges)


def states_text(diagram: StateDiagram) -> str:
    """Each state with what it means, and below it the ways out of it: `  -> Running: started`."""
    lines = []
    for state in states_of(diagram):
        note = clean(diagram.notes.get(state, ""))
        now = f"  ({NOW})" if state == diagram.current else ""
        lines.append(f"{clean(state)}{now}" + (f": {note}" if note else ""))
        for each in diagram.transitions:
            if each.source == state:
                lines.append(f"  -> {clean(each.target)}" + (f": {clean(each.label)}" if clean(each.label) else ""))
    return "\n".join(lines) or "(nothing)"


def states_table(diagram: StateDiagram) -> Table:
    """One row for each way: from, on what, to; a state without a way out has a row of its own."""
    rows = []
    for state in states_of(diagram):
        now, note = (NOW if state == diagram.current else ""), clean(diagram.notes.get(state, ""))
        ways = [(clean(each.label), clean(each.target)) for each in diagram.transitions if each.source == state]
        rows += [(clean(state), now, label, target, note) for label, target in ways or [("", "")]]
    return Table(("State", "Now", "When", "Goes to", "Meaning"), tuple(rows))
