"""The way of one request inside the API server: from the path to the answer.

`CHAINS` says which steps each verb takes, `STEPS` which function does a step. They are this picture's own tables, for the
server has none: its code is the chain. A test makes real requests, watches which of these functions are called and in which
order, and compares: so the tables cannot say what the server does not do. How far a request came that was refused is not
recorded. Its code tells, as far as it can be told: `REFUSERS` says which steps answer with which code. The first of them that
is on the way is marked, with "or later" if there are more; what comes after it is drawn as not reached.

Models: k8s.io/apiserver/pkg/server/config.go (DefaultBuildHandlerChain), as `apiserver/server.py` has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from k8slab.apiserver.resources import RESOURCES
from k8slab.lab import records
from k8slab.lab.drawing import Edge, Graph, Node, Table
from k8slab.lab.drawing.model import ABSENT
from k8slab.lab.drawing.words import plural
from k8slab.lab.pictures.deeds import named
from k8slab.lab.pictures.scope import command_of, effects_of
from k8slab.lab.pictures.tabled import TabledGraph
from k8slab.lab.pictures.units import subject_of
from k8slab.lab.records import Record
from k8slab.lab.trace import Trace
from k8slab.mistake import Mistake


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the chain."""

    says: str
    function: str
    """Which does it; of several strategies or stores, its name in any of them."""
    module: str
    """Where that is: a module, or a package of several."""
    package: bool = False

    @property
    def where(self) -> str:
        """The file, or the folder, and the function in it: `k8slab/apiserver/routes.py: request_info`."""
        return f"{self.module.replace('.', '/')}{'' if self.package else '.py'}: {self.function}"


SERVER = "k8slab.apiserver"
STEPS: Mapping[str, Step] = {
    "read the path": Step("what is asked?", "request_info", f"{SERVER}.routes"),
    "authenticate": Step("who asks?", "authenticate", f"{SERVER}.authentication"),
    "authorize": Step("may they?", "authorize", f"{SERVER}.authorization", package=True),
    "route": Step("which handler?", "_dispatch", f"{SERVER}.server"),
    "decode": Step("JSON, YAML or protobuf", "read_object", f"{SERVER}.decode"),
    "decode the patch": Step("what should change", "read_patch", f"{SERVER}.decode"),
    "decode the options": Step("how to delete", "read_options", f"{SERVER}.decode"),
    "read the old object": Step("the newest one", "update", f"{SERVER}.registry"),
    "fetch": Step("from etcd", "get", f"{SERVER}.registry"),
    "fetch all": Step("from etcd", "list", f"{SERVER}.registry"),
    "default": Step("what was left open", "default", f"{SERVER}.strategies", package=True),
    "admit, and change": Step("mutating plugins", "mutate", f"{SERVER}.admission", package=True),
    "validate": Step("may it be so?", "validate", f"{SERVER}.strategies", package=True),
    "validate the change": Step("may it change so?", "validate_update", f"{SERVER}.strategies", package=True),
    "validate the status": Step("may it be so?", "validate_status_update", f"{SERVER}.strategy"),
    "admit, or refuse": Step("validating plugins", "validate", f"{SERVER}.admission", package=True),
    "store": Step("a transaction in etcd", "transact", "k8slab.etcd", package=True),
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
    "patch status": (
        *_FIRST, "decode the patch", "read the old object", "validate the status", "admit, or refuse", "store", "encode",
    ),
    "delete": (*_FIRST, "decode the options", "read the old object", "admit, or refuse", "store"),
    "get": (*_FIRST, "fetch", "encode"),
    "list": (*_FIRST, "fetch all", "encode"),
}  # fmt: skip
"""The steps of each verb, in order."""

_DECODE = ("decode", "decode the patch", "decode the options")
REFUSERS: Mapping[int, tuple[str, ...]] = {
    400: _DECODE,
    401: ("authenticate",),
    403: ("authorize", "admit, and change", "admit, or refuse"),
    404: ("read the old object", "fetch", "admit, and change"),
    405: ("route",),
    409: ("read the old object", "store"),
    413: _DECODE,
    415: _DECODE,
    422: ("validate the change", "validate the status", "validate"),
}
"""Which steps refuse a request with which code; others can come from anywhere, even from a line that is broken. A kind that
is not known is a 404, too, from `route`: then no object is named. A namespace that is not there is one when it is admitted."""


def handler_chain(trace: Trace, command: str = "", verb: str = "") -> TabledGraph:
    """The way of a command's first request that wrote something; or, with `verb` alone, of any request of that verb.

    Raises ValueError for a command that there was not, and a verb whose way is not known.
    """
    if verb and not command:
        return TabledGraph(chain_model(f"A request: {verb}", _known(verb)), chain_table(_known(verb)))
    root = command_of(trace, command)
    asked = [each for each in effects_of(trace, root) if each.kind == records.REQUEST]
    # What it wrote, what was refused, what it read: before all that, kubectl asks which kinds there are.
    request = next((each for fits in _TELLING for each in asked if fits(each)), None)
    if request is None:
        raise Mistake("that command has made no request; see cluster.story() for those that have")
    title = f"{request.component}: {request.verb} {object_of_request(request, root.text)}"
    steps = _known(_verb_of(request))
    said = f"answered: {request.code}" + (f", revision {request.revision} was written" if request.revision else "")
    if request.code >= 400:
        step, more = refuser(steps, request)
        said += f", by: {step}{', or later' if more else ''}" if step else "; which step refused it is not recorded"
    return TabledGraph(chain_model(title, steps, request), chain_table(steps, request), said)


_TELLING: tuple[Callable[[Record], bool], ...] = (
    lambda request: request.revision > 0,
    lambda request: request.code >= 400,
    lambda request: not request.what.startswith("/"),
    lambda request: True,
)


def refuser(steps: tuple[str, ...], request: Record) -> tuple[str, bool]:
    """The first step that can have refused a request, and whether others can have, too; empty if it cannot be told."""
    able = _refusers(steps, request)
    return (able[0], len(able) > 1) if able else ("", False)


def _refusers(steps: tuple[str, ...], request: Record) -> list[str]:
    if request.code == 404 and request.what.startswith("/"):
        return ["route"]
    return [step for step in steps if step in REFUSERS.get(request.code, ())]


def object_of_request(request: Record, command: str) -> str:
    """The object of a request. One that was not made has a name in the command alone: `kubectl create deployment Web`."""
    resource, *where = request.what.split("/")
    kind = next((each for each in RESOURCES.values() if each.plural == resource), None)
    if kind is None or len(where) > (1 if kind.namespaced else 0):
        return named(subject_of(request))
    said = re.match(rf"kubectl create {kind.singular}s? ([^-\s]\S*)", command)
    name = f" {said[1]}" if said and request.verb == "create" else ""
    place = f" in {where[0]}" if where and where[0] != "default" else ""
    return f"{kind.kind if request.verb == 'create' else plural(kind.kind)}{name}{place}"


def chain_model(title: str, steps: tuple[str, ...], request: Record | None = None) -> Graph:
    """The steps as boxes, one below the other; of a real request, the last says how it was answered."""
    how = _how(steps, request)
    nodes = [_box(step, state) for step, state in zip(steps, how, strict=True)]
    if request is not None:
        revision = f"revision {request.revision}" if request.revision else "nothing was written"
        kind = "answer" if request.code < 400 else "refused"
        nodes.append(Node("answer", (f"{request.code}, {revision}",), kind))
    untold = request is not None and request.code >= 400 and not any(how)
    edges = (
        Edge(a.id, b.id, kind="dashed" if untold or a.kind == "refused" or a.style else "") for a, b in pairwise(nodes)
    )
    return Graph(title, tuple(nodes), tuple(edges), downward=True)


def _box(step: str, state: str) -> Node:
    says = (f"{step}: {STEPS[step].says}",)
    if state.startswith("refused"):
        return Node(step, says, "refused", state)
    return Node(step, says, state=state, style=ABSENT if state else "")


def chain_table(steps: tuple[str, ...], request: Record | None = None) -> Table:
    """The steps as rows, each with the function that does it; of a request that was refused, also how far it came."""
    how = _how(steps, request)
    rows = tuple(
        (str(number), step, STEPS[step].says, STEPS[step].where, *([state or "passed"] if any(how) else []))
        for number, (step, state) in enumerate(zip(steps, how, strict=True), 1)
    )
    return Table(("#", "Step", "What", "Where", *(["How"] if any(how) else [])), rows)


def _how(steps: tuple[str, ...], request: Record | None) -> list[str]:
    """How each step ended: empty for those that were passed, and for all if it cannot be told."""
    if request is None or request.code < 400 or not refuser(steps, request)[0]:
        return [""] * len(steps)
    able = [at for at, step in enumerate(steps) if step in _refusers(steps, request)]
    here = "refused here or later" if len(able) > 1 else "refused here"
    after = ["perhaps reached"] * (able[-1] - able[0])
    return [*[""] * able[0], here, *after, *["not reached"] * (len(steps) - able[-1] - 1)]


def _verb_of(request: Record) -> str:
    return f"{request.verb} status" if request.what.endswith("/status") else request.verb


def _known(verb: str) -> tuple[str, ...]:
    if verb not in CHAINS:
        raise Mistake(f"the way of a {verb!r} request is not known; known are: {', '.join(CHAINS)}")
    return CHAINS[verb]
