"""What makes a node fit, and what makes it better: one short class each.

A *filter* says why a node will not do, in a few words, or nothing. A *score* is a number from 0 to 100. The scheduler asks
all filters of all nodes, then all scores of the nodes that are left, and takes the highest weighted sum.

Models: pkg/scheduler/framework/plugins/* (one folder each), apis/config/v1/default_plugins.go (order and weights).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from k8slab.api.core import Pod, Taint
from k8slab.apimachinery.labels import from_label_selector
from k8slab.apimachinery.model import KubeObject
from k8slab.scheduler.node_info import CPU, MEMORY, NodeInfo, PodInfo

MAX_SCORE = 100
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"


class Plugin:
    """One consideration."""

    name = ""
    weight = 0
    """How much its score counts; 0: it only filters."""
    lasts = False
    """Whether its score stays the same until a Pod comes to the node or goes, for all Pods of the same requests."""

    def skips(self, pod: PodInfo) -> bool:
        """Whether the Pod asks nothing of it, on any node: then it is not consulted."""
        return False

    def filter(self, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """The reasons why the node will not do; none if it will."""
        return ()

    def is_hopeless(self, pod: PodInfo, node: NodeInfo) -> bool:
        """Of a node that was refused: whether it would be even with no Pods on it."""
        return False

    def score(self, pod: PodInfo, node: NodeInfo) -> float:
        """How good the node is, 0 to 100 after `normalize`."""
        return 0.0

    def normalize(self, scores: list[float]) -> list[float]:
        """Bring the scores of all nodes into 0 to 100."""
        return scores


class NodeProperty(Plugin):
    """A filter that looks at the node only, not at the Pods on it."""

    def is_hopeless(self, pod: PodInfo, node: NodeInfo) -> bool:
        """Always."""
        return True


class NodeUnschedulable(NodeProperty):
    """A cordoned node takes no new Pods."""

    name = "NodeUnschedulable"

    def filter(self, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """Unless the Pod bears it."""
        if not node.node.spec.unschedulable:
            return ()
        taint = Taint(key=UNSCHEDULABLE, effect="NoSchedule")
        return () if _tolerates(pod.pod, taint) else ("node(s) were unschedulable",)


class NodeName(NodeProperty):
    """A Pod may name its node."""

    name = "NodeName"

    def skips(self, pod: PodInfo) -> bool:
        """Most name none."""
        return not pod.pod.spec.node_name

    def filter(self, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """Only that one will do."""
        asked = pod.pod.spec.node_name
        return ("node(s) didn't match the requested node name",) if asked and asked != node.name else ()


class TaintToleration(NodeProperty):
    """Taints keep Pods away that do not tolerate them."""

    name, weight = "TaintToleration", 3

    def filter(self, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """NoSchedule and NoExecute keep away."""
        for taint in node.node.spec.taints:
            if taint.effect in ("NoSchedule", "NoExecute") and not _tolerates(pod.pod, taint):
                return ("node(s) had untolerated taint(s)",)
        return ()

    def score(self, pod: PodInfo, node: NodeInfo) -> float:
        """PreferNoSchedule only counts against a node."""
        if not node.node.spec.taints:
            return 0.0
        soft = [taint for taint in node.node.spec.taints if taint.effect == "PreferNoSchedule"]
        return float(sum(1 for taint in soft if not _tolerates(pod.pod, taint)))

    def normalize(self, scores: list[float]) -> list[float]:
        """The fewer the better."""
        return _normalized(scores, reverse=True)


class NodeAffinity(NodeProperty):
    """Labels that a node must have (`nodeSelector`, required affinity), or had better have (preferred affinity)."""

    name, weight = "NodeAffinity", 2

    def skips(self, pod: PodInfo) -> bool:
        """Most do not care."""
        return not pod.pod.spec.node_selector and not _affinity(pod.pod)

    def filter(self, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """All of the selector; one of the terms."""
        spec, labels = pod.pod.spec, node.node.metadata.labels
        fits = all(labels.get(key) == value for key, value in spec.node_selector.items())
        required = _affinity(pod.pod).get("requiredDuringSchedulingIgnoredDuringExecution")
        if fits and required is not None:
            fits = any(_matches(term, node) for term in required.get("nodeSelectorTerms") or ())
        return () if fits else ("node(s) didn't match Pod's node affinity/selector",)

    def score(self, pod: PodInfo, node: NodeInfo) -> float:
        """The weights of the preferences that are met."""
        preferred = _affinity(pod.pod).get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        return float(sum(each.get("weight", 0) for each in preferred if _matches(each.get("preference") or {}, node)))

    def normalize(self, scores: list[float]) -> list[float]:
        """The more the better."""
        return _normalized(scores)


class NodePorts(Plugin):
    """A port of the node can be given to one Pod only."""

    name = "NodePorts"

    def skips(self, pod: PodInfo) -> bool:
        """Most want none."""
        return not _host_ports(pod.pod)

    def filter(self, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """Look for one that is taken."""
        wanted = _host_ports(pod.pod)
        if not wanted:
            return ()
        taken = {port for other in node.pods.values() for port in _host_ports(other.pod)}
        return ("node(s) didn't have free ports for the requested pod ports",) if wanted & taken else ()


class NodeResourcesFit(Plugin):
    """There must be room: for one more Pod, and for what it asks for. The emptier the node, the better."""

    name, weight, lasts = "NodeResourcesFit", 1, True

    def filter(self, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """What there is too little of."""
        reasons = []
        if len(node.pods) + 1 > node.allocatable.get("pods", 0):
            reasons.append("Too many pods")
        for name, asked in pod.requests.items():
            if 0 < asked > node.allocatable.get(name, 0) - node.requested.get(name, 0):
                reasons.append(f"Insufficient {name}")
        return reasons

    def is_hopeless(self, pod: PodInfo, node: NodeInfo) -> bool:
        """Where the Pod asks for more than there is."""
        return any(asked > node.allocatable.get(name, 0) for name, asked in pod.requests.items())

    def score(self, pod: PodInfo, node: NodeInfo) -> float:
        """LeastAllocated: the share that stays free, of CPU and memory."""
        shares = []
        for name in (CPU, MEMORY):
            capacity = node.allocatable.get(name, 0)
            if capacity:
                used = node.scored.get(name, 0) + pod.scoring_request(name)
                shares.append(max(0, (capacity - used) * MAX_SCORE // capacity))
        return float(sum(shares) // len(shares)) if shares else 0.0


class NodeResourcesBalancedAllocation(Plugin):
    """CPU and memory should be used up evenly."""

    name, weight, lasts = "NodeResourcesBalancedAllocation", 1, True

    def score(self, pod: PodInfo, node: NodeInfo) -> float:
        """100 where both shares are equal."""
        shares = []
        for name in (CPU, MEMORY):
            capacity = node.allocatable.get(name, 0)
            if capacity:
                used = node.requested.get(name, 0) + pod.requests.get(name, 0)
                shares.append(min(1.0, used / capacity))
        deviation = abs(shares[0] - shares[1]) / 2 if len(shares) == 2 else 0.0
        return float(int((1 - deviation) * MAX_SCORE))


PLUGINS: tuple[Plugin, ...] = (
    NodeUnschedulable(),
    NodeName(),
    TaintToleration(),
    NodeAffinity(),
    NodePorts(),
    NodeResourcesFit(),
    NodeResourcesBalancedAllocation(),
)
"""In the order in which they are asked."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about all nodes."""

    fitting: list[NodeInfo]
    reasons: dict[str, Sequence[str]]
    """Why each of the others will not do, by node name."""
    hopeless: frozenset[str] = frozenset()
    """Those on which removing Pods would not help."""


def filter_nodes(plugins: Sequence[Plugin], pod: PodInfo, nodes: Sequence[NodeInfo]) -> Verdict:
    """Ask all filters. A node's first refusal counts."""
    fitting, reasons, hopeless = [], {}, set()
    plugins = [plugin for plugin in plugins if not plugin.skips(pod)]
    for node in nodes:
        for plugin in plugins:
            refusal = plugin.filter(pod, node)
            if refusal:
                reasons[node.name] = refusal
                if plugin.is_hopeless(pod, node):
                    hopeless.add(node.name)
                break
        else:
            fitting.append(node)
    return Verdict(fitting, reasons, frozenset(hopeless))


def score_nodes(plugins: Sequence[Plugin], pod: PodInfo, nodes: Sequence[NodeInfo]) -> list[float]:
    """The weighted sum of all scores, for each node."""
    totals = [0.0] * len(nodes)
    for plugin in plugins:
        if plugin.weight and not plugin.skips(pod):
            score_of = _lasting_score if plugin.lasts else _score
            scores = plugin.normalize([score_of(plugin, pod, node) for node in nodes])
            for place, score in enumerate(scores):
                totals[place] += plugin.weight * score
    return totals


def _score(plugin: Plugin, pod: PodInfo, node: NodeInfo) -> float:
    return plugin.score(pod, node)


def _lasting_score(plugin: Plugin, pod: PodInfo, node: NodeInfo) -> float:
    # A Pod changes one node: the scores of the others need not be worked out again for the next of its kind.
    known = node.scores.get((plugin.name, pod.shape))
    if known is None:
        known = node.scores[plugin.name, pod.shape] = plugin.score(pod, node)
    return known


def fit_error(verdict: Verdict, total: int) -> str:
    """Why no node will do, in upstream's words: each reason with the number of nodes that gave it."""
    if not total:
        return "no nodes available to schedule pods"
    counts: dict[str, int] = {}
    for reasons in verdict.reasons.values():
        for reason in reasons:
            counts[reason] = counts.get(reason, 0) + 1
    lines = ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
    return f"0/{total} nodes are available: {lines}. {_preemption(verdict, total)}"


def _preemption(verdict: Verdict, total: int) -> str:
    """What came of the attempt to make room: here nothing, for no Pod is ever preempted yet."""
    hopeless = len(verdict.hopeless)
    parts = []
    if hopeless:
        parts.append(f"{hopeless} Preemption is not helpful for scheduling")
    if total - hopeless:
        parts.append(f"{total - hopeless} No preemption victims found for incoming pod")
    # The first words are DynamicResources': there are no claims that it could take from somebody.
    return f"no new claims to deallocate, preemption: 0/{total} nodes are available: {', '.join(sorted(parts))}."


def _tolerates(pod: Pod, taint: Taint) -> bool:
    return any(toleration.tolerates(taint) for toleration in pod.spec.tolerations)


def _affinity(pod: Pod) -> Mapping[str, Any]:
    return (pod.spec.affinity or {}).get("nodeAffinity") or {}


_FIELDS: Mapping[str, Callable[[KubeObject], str]] = {"metadata.name": lambda node: node.name}


def _matches(term: Mapping[str, Any], node: NodeInfo) -> bool:
    expressions, fields = term.get("matchExpressions"), term.get("matchFields")
    if not expressions and not fields:
        return False
    values = {name: read(node.node) for name, read in _FIELDS.items()}
    return from_label_selector({"matchExpressions": expressions or []}).matches(node.node.metadata.labels) and (
        not fields or from_label_selector({"matchExpressions": fields}).matches(values)
    )


def _host_ports(pod: Pod) -> set[tuple[str, int]]:
    return {
        (port.protocol, port.host_port)
        for container in pod.spec.containers
        for port in container.ports
        if port.host_port
    }


def _normalized(scores: list[float], reverse: bool = False) -> list[float]:
    highest = max(scores, default=0.0)
    if not highest:
        return [float(MAX_SCORE)] * len(scores) if reverse else scores
    return [
        float(MAX_SCORE - score * MAX_SCORE // highest if reverse else score * MAX_SCORE // highest) for score in scores
    ]
