"""The way of one request inside the API server: from the path to the answer.

`CHAINS` says which steps each verb takes, `STEPS` which function does a step. They are this picture's own tables, for the
server has none: its code is the chain. A test makes real requests, watches which of these functions are called and in which
order, and compares: so the tables cannot say what the server does not do. How far a request came that failed is not
recorded; then every arrow is dashed.

Models: k8s.io/apiserver/pkg/server/config.go (DefaultBuildHandlerChain), as `apiserver/server.py` has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from k8slab.lab import records
from k8slab.lab.drawing import Edge, Graph, Node, Table
from k8slab.lab.pictures.deeds import named
from k8slab.lab.pictures.scope import command_of, effects_of
from k8slab.lab.pictures.tabled import TabledGraph
from k8slab.lab.pictures.units import subject_of
from k8slab.lab.records import Record
from k8slab.lab.trace import Trace


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the chain."""

    says: str
    function: str
    """Which does it; of several strategies or stores, its name in any of them."""
    module: str
    """Where that is, or what the modules' names begin with."""


SERVER = "k8slab.apiserver"
STEPS: Mapping[str, Step] = {
    "read the path": Step("what is asked?", "request_info", f"{SERVER}.routes"),
    "authenticate": Step("who asks?", "authenticate", f"{SERVER}.authentication"),
    "authorize": Step("may they?", "authorize", f"{SERVER}.authorization"),
    "route": Step("which handler?", "_dispatch", f"{SERVER}.server"),
    "decode": Step("JSON, YAML or protobuf", "read_object", f"{SERVER}.decode"),
    "decode the patch": Step("what should change", "read_patch", f"{SERVER}.decode"),
    "decode the options": Step("how to delete", "read_options", f"{SERVER}.decode"),
    "read the old object": Step("the newest one", "update", f"{SERVER}.registry"),
    "fetch": Step("from etcd", "get", f"{SERVER}.registry"),
    "fetch all": Step("from etcd", "list", f"{SERVER}.registry"),
    "default": Step("what was left open", "default", f"{SERVER}.strateg"),
    "admit, and change": Step("mutating plugins", "mutate", f"{SERVER}.admission"),
    "validate": Step("may it be so?", "validate", f"{SERVER}.strateg"),
    "validate the change": Step("may it change so?", "validate_update", f"{SERVER}.strateg"),
    "validate the status": Step("may it be so?", "validate_status_update", f"{SERVER}.strateg"),
    "admit, or refuse": Step("validating plugins", "validate", f"{SERVER}.admission"),
    "store": Step("a transaction in etcd", "transact", "k8slab.etcd"),
    "encode": Step("JSON, or a table", "answer", f"{SERVER}.negotiation"),
}
"""Every step that some verb takes."""

_FIRST = ("read the path", "authenticate", "authorize", "route")
_CHANGE = (
    "read the old object", "default", "admit, and change", "validate the change", "validate", "admit, or refuse", "store",
    "encode",
)  # fmt: skip
CHAINS: Mapping[str, tuple[str, ...]] = {
    "create": (
        *_FIRST, "decode", "default", "admit, and change", "validate", "admit, or refuse", "store", "encode",
    ),
    "update": (*_FIRST, "decode", *_CHANGE),
    "patch": (*_FIRST, "decode the patch", *_CHANGE),
    "patch status": (*_FIRST, "decode the patch", "read the old object", "validate the status", "store", "encode"),
    "delete": (*_FIRST, "decode the options", "read the old object", "admit, or refuse", "store"),
    "get": (*_FIRST, "fetch", "encode"),
    "list": (*_FIRST, "fetch all", "encode"),
}  # fmt: skip
"""The steps of each verb, in order."""


def handler_chain(trace: Trace, command: str = "", verb: str = "") -> TabledGraph:
    """The way of a command's first request that wrote something; or, with `verb` alone, of any request of that verb.

    Raises ValueError for a command that there was not, and a verb whose way is not known.
    """
    if verb and not command:
        return TabledGraph(chain_model(f"A request: {verb}", _known(verb)), chain_table(_known(verb)))
    asked = [each for each in effects_of(trace, command_of(trace, command)) if each.kind == records.REQUEST]
    wrote = next((each for each in asked if each.revision), asked[0] if asked else None)
    if wrote is None:
        raise ValueError("that command has made no request; see cluster.story() for those that have")
    title = f"{wrote.component}: {wrote.verb} {named(subject_of(wrote))}"
    steps = _known(_verb_of(wrote))
    said = f"answered: {wrote.code}" + (f", revision {wrote.revision} was written" if wrote.revision else "")
    return TabledGraph(chain_model(title, steps, wrote), chain_table(steps), said)


def chain_model(title: str, steps: tuple[str, ...], request: Record | None = None) -> Graph:
    """The steps as boxes, one below the other; of a real request, the last says how it was answered."""
    nodes = [Node(step, (f"{step}: {STEPS[step].says}",)) for step in steps]
    failed = request is not None and request.code >= 400
    if request is not None:
        revision = f"revision {request.revision}" if request.revision else "nothing was written"
        nodes.append(Node("answer", (f"{request.code}, {revision}",), "fault" if failed else "write"))
    kind = "dashed" if failed else ""
    return Graph(title, tuple(nodes), tuple(Edge(a.id, b.id, kind=kind) for a, b in pairwise(nodes)), downward=True)


def chain_table(steps: tuple[str, ...]) -> Table:
    """The steps as rows, each with the function that does it."""
    rows = tuple(
        (str(number), step, STEPS[step].says, f"{STEPS[step].module}: {STEPS[step].function}")
        for number, step in enumerate(steps, 1)
    )
    return Table(("#", "Step", "What", "Where"), rows)


def _verb_of(request: Record) -> str:
    return f"{request.verb} status" if request.what.endswith("/status") else request.verb


def _known(verb: str) -> tuple[str, ...]:
    if verb not in CHAINS:
        raise ValueError(f"the way of a {verb!r} request is not known; known are: {', '.join(CHAINS)}")
    return CHAINS[verb]
