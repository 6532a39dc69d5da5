"""Why that node: what each consideration of the scheduler had to say about each node, for one Pod.

Nothing was written down while the scheduler worked. Its cache at that moment is played again from the news it had heard,
and from the Pods that it had placed itself (a Pod that was bound counts on its node at once); then its own plugins are asked
again. They are pure functions, so they say what they said: the one choice among equals, which is chance, is read from the log.

Models: what kube-scheduler-simulator writes into annotations; here nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from k8slab.api.core import Node as NodeView
from k8slab.api.core import Pod
from k8slab.api.policy import PodDisruptionBudget
from k8slab.apimachinery.rest import JsonObject
from k8slab.engine.candidates import role_of
from k8slab.engine.engine import Engine
from k8slab.lab import records
from k8slab.lab.drawing import Edge, Graph, Node, Table
from k8slab.lab.pictures.deeds import object_named
from k8slab.lab.pictures.heard import Heard
from k8slab.lab.pictures.tabled import TabledGraph
from k8slab.lab.pictures.units import Unit, units
from k8slab.lab.reference import Reference, not_there, reference
from k8slab.lab.trace import Trace
from k8slab.mistake import Mistake
from k8slab.scheduler.fit_error import fit_error
from k8slab.scheduler.framework import Plugin, State, Verdict, filter_nodes, score_nodes, takes_part
from k8slab.scheduler.node_info import NodeInfo, PodInfo, Resident
from k8slab.scheduler.plugins import PLUGINS
from k8slab.scheduler.preemption import Budget, find_room

SCHEDULER = "kube-scheduler"
PASSED, SKIPPED, NOT_ASKED = "ok", "-", "not asked"
"""What a plugin says of a node that it does not score; that it has nothing to do with the Pod; that a refusal came before."""


@dataclass(frozen=True, slots=True)
class NodeVerdict:
    """What was found about one node."""

    node: str
    said: tuple[str, ...]
    """By each plugin, in order: a refusal, a weighted score, `ok`, `-` (has nothing to do with the Pod), `not asked`."""
    total: float | None
    """The sum of the weighted scores; None for a node that was refused."""


@dataclass(frozen=True)
class Verdicts:
    """What was found about all nodes in one attempt."""

    plugins: tuple[str, ...]
    nodes: tuple[NodeVerdict, ...]
    chosen: str
    """The node that the Pod was bound to; empty for none."""
    message: str
    """Why none would do, in upstream's words; empty where one would."""

    @property
    def silent(self) -> list[str]:
        """The plugins that had nothing to do with the Pod."""
        return [
            name for at, name in enumerate(self.plugins)
            if self.nodes and all(each.said[at] == SKIPPED for each in self.nodes)
        ]  # fmt: skip

    @property
    def best(self) -> list[str]:
        """The nodes with the highest total."""
        totals = [each.total for each in self.nodes if each.total is not None]
        return [each.node for each in self.nodes if totals and each.total == max(totals)]


def scheduler_verdicts(
    engine: Engine, trace: Trace, pod: str, *, attempt: int = -1, namespace: str = "default"
) -> TabledGraph:
    """The verdicts on all nodes when the scheduler tried a Pod, `pod/web-abc` or `web-abc`; by default the last time.

    Raises ValueError for a Pod that never was, an attempt that there was not, and for what the trace has forgotten.
    """
    wanted = reference(pod if "/" in pod else f"pod/{pod}", namespace)
    tried = [unit for unit in units(trace) if role_of(unit.work.component) == SCHEDULER and unit.subject == wanted.what]
    if not tried:
        raise _never_tried(engine, trace, wanted)
    if not -len(tried) <= attempt < len(tried):
        raise Mistake(f"the scheduler tried {wanted} {len(tried)} times: attempt is 0 to {len(tried) - 1}")
    found = verdicts_of(engine, trace, tried[attempt])
    number = attempt % len(tried) + 1
    times = f", attempt {number} of {len(tried)}" if len(tried) > 1 else ""
    chosen = f"chosen: {found.chosen}" if found.chosen else "chosen: none"
    equals = f", by lot among {len(found.best)} equals" if found.chosen in found.best and len(found.best) > 1 else ""
    title = f"Which node for {wanted.resource.kind} {wanted.name}{times}"
    said = found.message or chosen + equals
    note = f"with nothing to say about this Pod: {', '.join(found.silent)}" if found.silent else ""
    return TabledGraph(verdicts_model(title, wanted.name, found), verdicts_table(found), said, note=note)


def verdicts_of(engine: Engine, trace: Trace, unit: Unit, plugins: Sequence[Plugin] = PLUGINS) -> Verdicts:
    """What an attempt of the scheduler's found. Raises ValueError where the trace has forgotten too much."""
    heard = Heard(engine, trace, unit.work.component).until(unit.work.number)
    raw = heard.get(unit.subject)
    if raw is None or not heard.complete:
        raise Mistake("the trace no longer holds what the scheduler knew then")
    nodes = _nodes(engine, trace, heard, unit)
    pod = PodInfo.of(Pod.of(raw))
    state = State.of(
        nodes, {raw["metadata"]["name"]: raw["metadata"].get("labels") or {} for raw in heard.all("namespaces")}
    )
    plugins = [plugin for plugin in plugins if takes_part(plugin, "filter") or takes_part(plugin, "score")]
    verdict = filter_nodes(plugins, state, pod, nodes)
    scores = score_nodes(plugins, state, pod, verdict.fitting)
    by_node = {node.name: {name: each[at] for name, each in scores.items()} for at, node in enumerate(verdict.fitting)}
    found = tuple(_node_verdict(plugins, state, pod, node, verdict, by_node) for node in nodes)
    message = "" if verdict.fitting else fit_error(verdict, len(nodes), _room(heard, plugins, state, pod, verdict))
    return Verdicts(tuple(plugin.name for plugin in plugins), found, _bound_to(engine, unit), message)


def verdicts_table(verdicts: Verdicts) -> Table:
    """A row for each node, a column for each plugin that had something to say."""
    shown = [at for at, name in enumerate(verdicts.plugins) if name not in verdicts.silent]
    rows = []
    for each in verdicts.nodes:
        total = "-" if each.total is None else f"{each.total:g}"
        rows.append(
            (each.node, *(each.said[at] for at in shown), total, "chosen" if each.node == verdicts.chosen else "")
        )
    return Table(("Node", *(verdicts.plugins[at] for at in shown), "Total", "Chosen"), tuple(rows))


def verdicts_model(title: str, pod: str, verdicts: Verdicts) -> Graph:
    """The Pod, and an arrow to each node: plain where it would do, dashed where it would not."""
    nodes, edges = [Node("pod", (pod,), "Pod", "" if verdicts.chosen else "Pending")], []
    for each in verdicts.nodes:
        lines = [f"{name}: {said}" for name, said in zip(verdicts.plugins, each.said, strict=True) if _is_told(said)]
        chosen = each.node == verdicts.chosen
        state = "refused" if each.total is None else f"total {each.total:g}{', chosen' if chosen else ''}"
        nodes.append(Node(each.node, (each.node, *lines), "Node", state, lit=chosen))
        edges.append(Edge("pod", each.node, "bound" if chosen else "", "dashed" if each.total is None else ""))
    return Graph(title, tuple(nodes), tuple(edges))


def _is_told(said: str) -> bool:
    return said not in (PASSED, SKIPPED, NOT_ASKED)


def _nodes(engine: Engine, trace: Trace, heard: Heard, unit: Unit) -> list[NodeInfo]:
    """The scheduler's cache: each node it knew, with the Pods that it knew or had put there."""
    infos = {
        raw["metadata"]["name"]: NodeInfo.of(NodeView.of(raw)) for raw in heard.all("nodes")
    }  # fmt: skip
    placed = {raw["metadata"]["uid"]: raw for raw in heard.all("pods")}
    assumed = _assumed(engine, trace, unit)
    for uid, raw in placed.items():
        pod = Pod.of(raw)
        node = pod.spec.node_name or assumed.get(uid, "")
        if node in infos and not pod.finished:
            infos[node].add(Resident.of(pod))
    return [infos[name] for name in sorted(infos)]


def _assumed(engine: Engine, trace: Trace, unit: Unit) -> dict[str, str]:
    """UID -> node of what this scheduler had bound since it was started, whether or not it had heard of it yet."""
    found: dict[str, str] = {}
    for record in trace:
        if record.number >= unit.work.number:
            break
        if role_of(record.component) != SCHEDULER:
            continue
        if record.kind == records.START:
            found.clear()
        elif record.kind == records.REQUEST and record.what.endswith("/binding") and record.code < 300:
            pod = object_named(engine, record.what.removesuffix("/binding"), record.revision)
            if pod is not None:
                found[pod["metadata"]["uid"]] = pod["spec"]["nodeName"]
    return found


def _node_verdict(
    plugins: Sequence[Plugin],
    state: State,
    pod: PodInfo,
    node: NodeInfo,
    verdict: Verdict,
    scores: dict[str, dict[str, float]],
) -> NodeVerdict:
    refused = node.name in verdict.reasons
    said, asked = [], True
    for plugin in plugins:
        skips = plugin.skips(state, pod)
        refusal = plugin.filter(state, pod, node) if asked and refused and not skips else ()
        if skips or not asked:
            said.append(SKIPPED if skips else NOT_ASKED)
        elif refusal:
            said.append(", ".join(refusal))
            asked = False  # a node's first refusal counts
        else:
            score = scores.get(node.name, {}).get(plugin.name)
            said.append(PASSED if score is None else f"{score:g}")
    return NodeVerdict(node.name, tuple(said), None if refused else sum(scores[node.name].values()))


def _room(heard: Heard, plugins: Sequence[Plugin], state: State, pod: PodInfo, verdict: Verdict) -> str:
    """Why no room could be made; empty if it was."""
    budgets = [Budget.of(PodDisruptionBudget.of(raw)) for raw in heard.all("poddisruptionbudgets")]
    found = find_room(plugins, state, pod, verdict, budgets)
    return found if isinstance(found, str) else ""


def _bound_to(engine: Engine, unit: Unit) -> str:
    for write in unit.writes:
        pod = object_named(engine, write.what, write.revision)
        if write.what == unit.subject and pod is not None and pod["spec"].get("nodeName"):
            return str(pod["spec"]["nodeName"])
    return ""


def _never_tried(engine: Engine, trace: Trace, wanted: Reference) -> Mistake:
    raw: JsonObject | None = object_named(engine, wanted.what)
    if raw is None and trace.last_commit(wanted.what) is None:
        found = engine.server.registry.list(wanted.resource, wanted.namespace).items
        return not_there(wanted, [each["metadata"]["name"] for each in found])
    why = "the scheduler has not worked on it, as far as the trace goes back"
    if raw is not None and raw["spec"].get("nodeName"):
        why += "; it may have been made with a node"
    return Mistake(f"{wanted}: {why}")
