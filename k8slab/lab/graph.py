"""Who owns whom: a Deployment, its ReplicaSets, their Pods, as a picture.

The picture is made in three steps, each of which can be looked at: objects from the API, a tree of nodes and edges, DOT text.
Graphviz turns that into SVG. What a notebook stores and what tests compare is the tree as text: coordinates differ from one
Graphviz to the next, ownership does not.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource
from k8slab.apiserver.resources import RESOURCES
from k8slab.client.client import Client
from k8slab.cluster import Cluster

LAYOUT_SECONDS = 10.0
NAMES = re.compile(r' id="[^"]*"|<!--.*?-->\n?', re.DOTALL)
IGNORED = ("events",)
# Okabe and Ito's colours, which the colour-blind can tell apart; the text on them is black: contrast 7:1 or more.
COLOURS = {"Deployment": "#56B4E9", "ReplicaSet": "#E69F00", "Pod": "#8FD3B6", "Node": "#F0E442"}
OTHER = "#DDDDDD"


@dataclass(frozen=True, slots=True)
class OwnedNode:
    """One object, and what it owns."""

    kind: str
    name: str
    state: str = ""
    """A few words about how it is: `3/3 ready`, `Running`."""
    owned: tuple[OwnedNode, ...] = ()

    def walk(self, depth: int = 0) -> Iterator[tuple[int, OwnedNode]]:
        """(depth, node) from the root down, in the order in which they are drawn."""
        yield depth, self
        for child in self.owned:
            yield from child.walk(depth + 1)


@dataclass(frozen=True)
class OwnershipGraph:
    """A tree of owners. In a notebook it shows as a picture; as text it is a tree."""

    root: OwnedNode
    _svg: list[str] = field(default_factory=list, repr=False, compare=False)

    def __str__(self) -> str:
        return "\n".join(_branches(self.root))

    __repr__ = __str__

    @property
    def dot(self) -> str:
        """The graph in Graphviz' language."""
        lines = [
            "digraph owners {",
            '  graph [bgcolor="white", rankdir=LR, pad=0.2, nodesep=0.15]',
            '  node [shape=box, style="rounded,filled", margin="0.3,0.1", color="#333333"]',
            '  node [fontname="Helvetica,Arial,sans-serif", fontsize=11]',
            '  edge [color="#333333", arrowsize=0.7]',
        ]
        for node in (node for _, node in self.root.walk()):
            label = "\\n".join(_quoted(text) for text in (node.kind, node.name, node.state) if text)
            lines.append(f'  "{_key(node)}" [label="{label}", fillcolor="{COLOURS.get(node.kind, OTHER)}"]')
        for node in (node for _, node in self.root.walk()):
            lines += [f'  "{_key(node)}" -> "{_key(child)}"' for child in node.owned]
        return "\n".join([*lines, "}"])

    @property
    def svg(self) -> str:
        """The picture. Raises RuntimeError where there is no Graphviz, or it takes too long."""
        if not self._svg:
            self._svg.append(_labelled(render(self.dot), self))
        return self._svg[0]

    @property
    def table(self) -> list[tuple[str, str, str, str]]:
        """The same as rows: kind, name, state, owner."""
        owners = {id(child): node.name for _, node in self.root.walk() for child in node.owned}
        return [(node.kind, node.name, node.state, owners.get(id(node), "")) for _, node in self.root.walk()]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = {"text/plain": str(self)}
        with suppress(RuntimeError):  # the tree says the same
            bundle["image/svg+xml"] = self.svg
        return bundle


def ownership_graph(where: Cluster | Client, kind: str, name: str, namespace: str = "default") -> OwnershipGraph:
    """What an object owns, and what that owns. `kind` as kubectl takes it: `deployment`, `deploy`, `Deployment`.

    Raises ValueError for a kind that is not served, and for an object that is not there.
    """
    client = where.client if isinstance(where, Cluster) else where
    resource = _resource(kind)
    try:
        root = client.raw("GET", resource.path(namespace, name))
    except NotFound:
        raise ValueError(f"there is no {resource.kind} {name!r} in the namespace {namespace!r}") from None
    dependents: dict[str, list[JsonObject]] = {}
    for other in RESOURCES.values():
        if not other.namespaced or "list" not in other.verbs or other.plural in IGNORED:
            continue
        for item in client.raw("GET", other.path(namespace))["items"]:
            for owner in item["metadata"].get("ownerReferences") or []:
                dependents.setdefault(owner["uid"], []).append({"kind": other.kind, **item})
    return OwnershipGraph(_node(root | {"kind": resource.kind}, dependents))


def render(dot: str) -> str:
    """DOT as SVG. Raises RuntimeError.

    The graphviz-pure wheel comes first, an installed `dot` second: so the same graph is the same picture on every machine.
    """
    beside = Path(sysconfig.get_path("scripts")) / "graphviz-pure"
    program = str(beside) if beside.exists() else shutil.which("graphviz-pure") or shutil.which("dot")
    if program is None:
        raise RuntimeError("there is no Graphviz on this machine: install graphviz, or pip install graphviz-pure")
    try:
        done = subprocess.run(
            [program, "-Tsvg"], input=dot, capture_output=True, text=True, timeout=LAYOUT_SECONDS, check=False
        )
    except OSError as error:
        raise RuntimeError(f"Graphviz cannot be run: {error}") from None
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"Graphviz took more than {LAYOUT_SECONDS:g}s; draw a smaller part") from None
    if done.returncode:
        raise RuntimeError(f"Graphviz failed: {done.stderr.strip()}")
    return done.stdout


def _resource(kind: str) -> Resource:
    wanted = kind.lower()
    for resource in RESOURCES.values():
        if wanted in (resource.kind.lower(), resource.plural, *resource.short_names):
            return resource
    raise ValueError(f"no kind {kind!r} is served; see: kubectl api-resources")


def _node(obj: JsonObject, dependents: dict[str, list[JsonObject]], above: tuple[str, ...] = ()) -> OwnedNode:
    """`above` holds the uids on the way to the root: objects can own each other in a circle, which is cut where it closes."""
    meta = obj["metadata"]
    above += (meta["uid"],)
    owned = [child for child in dependents.get(meta["uid"], []) if child["metadata"]["uid"] not in above]
    owned.sort(key=lambda each: (each["kind"], each["metadata"]["name"]))
    return OwnedNode(obj["kind"], meta["name"], _state(obj), tuple(_node(child, dependents, above) for child in owned))


def _state(obj: JsonObject) -> str:
    status, spec = obj.get("status") or {}, obj.get("spec") or {}
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    if obj["kind"] == "Pod":
        for container in status.get("containerStatuses") or []:
            waiting = (container.get("state") or {}).get("waiting")
            if waiting:
                return str(waiting.get("reason", "Waiting"))
        return str(status.get("phase", "Pending"))
    if "replicas" in spec:
        return f"{status.get('readyReplicas', 0)}/{spec['replicas']} ready"
    return ""


def _branches(node: OwnedNode, before: str = "", last: bool = True, root: bool = True) -> Iterator[str]:
    text = f"{node.kind}/{node.name}" + (f"  ({node.state})" if node.state else "")
    yield text if root else f"{before}{'└─ ' if last else '├─ '}{text}"
    inner = "" if root else before + ("   " if last else "│  ")
    for number, child in enumerate(node.owned):
        yield from _branches(child, inner, number == len(node.owned) - 1, root=False)


def _labelled(svg: str, graph: OwnershipGraph) -> str:
    """The SVG for people who cannot see it, too: a title, a description, and a role."""
    # Two pictures on one page must not share ids; comments only say which Graphviz it was.
    svg = NAMES.sub("", svg)
    start = svg.index("<svg")
    title = f"Ownership graph of {graph.root.kind} {graph.root.name}"
    head = svg[start:].replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)
    place = head.index(">") + 1
    spoken = f"<title>{escape(title)}</title><desc>{escape(str(graph))}</desc>"
    return head[:place] + spoken + head[place:]


def _key(node: OwnedNode) -> str:
    return _quoted(f"{node.kind}/{node.name}")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
