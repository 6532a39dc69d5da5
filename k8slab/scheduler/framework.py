"""The scheduling framework: where a consideration can have its say.

A plugin is one consideration. It takes part where it has a method of its own; for each Pod the scheduler goes through

    pre_enqueue   may it be queued at all?
    pre_filter    once for the Pod: work something out, or refuse all nodes
    filter        each node: why it will not do
    post_filter   if none will do: make room (preemption)
    score         each node that will do: 0 to 100 after `normalize`, times `weight`
    reserve       the node is chosen; `unreserve` undoes it if anything later fails
    permit        the last word: yes, no, or wait
    pre_bind, bind, post_bind

What plugins work out about one Pod goes into the cycle's `State`. Nothing here writes: that is for `post_filter` and `bind`.

Models: pkg/scheduler/framework/interface.go, framework/runtime/framework.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from k8slab.api.core import Pod
from k8slab.client.client import Client
from k8slab.scheduler.node_info import NodeInfo, PodInfo

if TYPE_CHECKING:
    from k8slab.scheduler.scheduler import Scheduler

MAX_SCORE = 100
POINTS = (
    "pre_enqueue", "pre_filter", "filter", "post_filter", "score", "reserve", "unreserve", "permit", "pre_bind", "bind",
    "post_bind",
)  # fmt: skip
"""The extension points."""
NODE, POD_PLACED, POD_GONE, POD_CHANGED = "node", "pod placed", "pod gone", "pod changed"
"""What happens in a cluster, as far as it may help a Pod that no node would take."""


@dataclass(slots=True)
class State:
    """What is known in one cycle: the nodes as they are, and what plugins have worked out about the Pod."""

    nodes: Sequence[NodeInfo]
    social: Sequence[NodeInfo] = ()
    """Those of the nodes with Pods that have an affinity or anti-affinity to others."""
    images: Mapping[str, int] = field(default_factory=dict)
    """On how many nodes each image is."""
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The labels of each namespace."""
    data: dict[str, Any] = field(default_factory=dict)
    """By plugin."""

    @classmethod
    def of(cls, nodes: Sequence[NodeInfo], namespaces: Mapping[str, Mapping[str, str]] | None = None) -> State:
        """All that there is to know of these nodes."""
        images = Counter(name for node in nodes for name in node.images)
        return cls(nodes, [node for node in nodes if node.social], images, namespaces or {})

    def with_node(self, node: NodeInfo) -> State:
        """The same, if one node were like this; nothing worked out yet."""
        nodes = [node if each.name == node.name else each for each in self.nodes]
        return replace(self, nodes=nodes, social=[each for each in nodes if each.social], data={})


@dataclass(frozen=True, slots=True)
class Rescue:
    """What came of the attempt to make room."""

    message: str = ""
    """Why there is none, for the Pod's event; empty if nobody tried, or if there will be."""
    node: str = ""
    """Where there will be room."""


class Plugin:
    """One consideration. It takes part where a subclass has a method of its own."""

    name = ""
    weight = 0
    """How much its score counts; 0: it does not score."""
    lasts = False
    """Whether its score stays the same until a Pod comes to the node or goes, for all Pods of the same requests."""
    wakes_on: frozenset[str] = frozenset({NODE, POD_PLACED, POD_GONE, POD_CHANGED})
    """What may change its mind: a Pod that it refused is tried again when one of these happens."""

    def pre_enqueue(self, pod: Pod) -> str:
        """Why the Pod must not be queued yet; empty if it may."""
        return ""

    def skips(self, state: State, pod: PodInfo) -> bool:
        """Whether the Pod asks nothing of it, on any node: then neither filter nor score is asked."""
        return False

    def pre_filter(self, state: State, pod: PodInfo) -> Sequence[str]:
        """Work out what `filter` and `score` need, into the state. Returns reasons if no node can ever do."""
        return ()

    def filter(self, state: State, pod: PodInfo, node: NodeInfo) -> Sequence[str]:
        """The reasons why the node will not do; none if it will."""
        return ()

    def is_hopeless(self, pod: PodInfo, node: NodeInfo, reasons: Sequence[str]) -> bool:
        """Of a node that was refused for these reasons: whether it would be even without the Pods on it."""
        return False

    def post_filter(self, scheduler: Scheduler, state: State, pod: PodInfo, verdict: Verdict) -> Rescue:
        """No node will do: try to make room. What came of it."""
        return Rescue()

    def pre_score(self, state: State, pod: PodInfo, nodes: Sequence[NodeInfo]) -> None:
        """Work out what `score` needs, knowing the nodes that will do."""

    def score(self, state: State, pod: PodInfo, node: NodeInfo) -> float:
        """How good the node is, 0 to 100 after `normalize`."""
        return 0.0

    def normalize(self, state: State, nodes: Sequence[NodeInfo], scores: list[float]) -> list[float]:
        """Bring the scores of all nodes into 0 to 100."""
        return scores

    def reserve(self, pod: PodInfo, node: str) -> str:
        """The node is chosen. Returns why it cannot be, after all; empty if it can."""
        return ""

    def unreserve(self, pod: PodInfo, node: str) -> None:
        """Something later has failed: undo `reserve`. Also called if it was not."""

    def permit(self, pod: PodInfo, node: str) -> str | float:
        """Empty: go on. A text: no, and why. A number: wait for so many seconds for `Scheduler.allow`, then no."""
        return ""

    def pre_bind(self, pod: PodInfo, node: str) -> str:
        """What has to be done before. Returns why it could not be; empty if it was."""
        return ""

    def bind(self, client: Client, pod: PodInfo, node: str) -> bool:
        """Give the Pod its node. False: not my business, ask the next plugin. Raises ApiError."""
        return False

    def post_bind(self, pod: PodInfo, node: str) -> None:
        """It is done."""


def takes_part(plugin: Plugin, point: str) -> bool:
    """Whether a plugin has a method of its own at an extension point."""
    return getattr(type(plugin), point) is not getattr(Plugin, point)


class NodeProperty(Plugin):
    """A filter that looks at the node only, not at the Pods on it."""

    wakes_on = frozenset({NODE})

    def is_hopeless(self, pod: PodInfo, node: NodeInfo, reasons: Sequence[str]) -> bool:
        """Always."""
        return True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about the nodes."""

    fitting: list[NodeInfo]
    reasons: dict[str, Sequence[str]] = field(default_factory=dict)
    """Why each of the others will not do, by node name."""
    hopeless: frozenset[str] = frozenset()
    """Those on which removing Pods would not help."""
    refused_by: frozenset[str] = frozenset()
    """The plugins that refused any."""
    outright: str = ""
    """Why none can do, whichever it is; empty if they were looked at one by one."""
    looked_at: int = 0
    """How many were asked about, before there were enough."""


def filter_nodes(
    plugins: Iterable[Plugin], state: State, pod: PodInfo, nodes: Sequence[NodeInfo], enough: int = 0
) -> Verdict:
    """Ask the filters about each node, until `enough` will do (0: about all). A node's first refusal counts."""
    plugins = [plugin for plugin in plugins if not plugin.skips(state, pod)]
    for plugin in plugins:
        if outright := plugin.pre_filter(state, pod):
            everywhere = {node.name: outright for node in nodes}
            return Verdict([], everywhere, frozenset(everywhere), frozenset({plugin.name}), ", ".join(outright))
    plugins = [plugin for plugin in plugins if takes_part(plugin, "filter")]
    fitting: list[NodeInfo] = []
    reasons: dict[str, Sequence[str]] = {}
    hopeless, refused_by = set(), set()
    for node in nodes:
        for plugin in plugins:
            refusal = plugin.filter(state, pod, node)
            if refusal:
                reasons[node.name] = refusal
                refused_by.add(plugin.name)
                if plugin.is_hopeless(pod, node, refusal):
                    hopeless.add(node.name)
                break
        else:
            fitting.append(node)
            if len(fitting) == enough:
                break
    looked_at = len(fitting) + len(reasons)
    return Verdict(fitting, reasons, frozenset(hopeless), frozenset(refused_by), "", looked_at)


def fits(plugins: Iterable[Plugin], state: State, pod: PodInfo, node: NodeInfo) -> bool:
    """Whether a node would do if it were like this."""
    return bool(filter_nodes(plugins, state.with_node(node), pod, [node]).fitting)


def score_nodes(
    plugins: Iterable[Plugin], state: State, pod: PodInfo, nodes: Sequence[NodeInfo]
) -> Mapping[str, list[float]]:
    """The weighted scores of the nodes, by plugin; those that have nothing to do with the Pod are left out."""
    found = {}
    scoring = [plugin for plugin in plugins if plugin.weight and not plugin.skips(state, pod)]
    for plugin in scoring:
        plugin.pre_score(state, pod, nodes)
    for plugin in scoring:
        score_of = _lasting_score if plugin.lasts else _score
        scores = plugin.normalize(state, nodes, [score_of(plugin, state, pod, node) for node in nodes])
        found[plugin.name] = [plugin.weight * score for score in scores]
    return found


def totals(scores: Mapping[str, list[float]], count: int) -> list[float]:
    """The sums over all plugins, for each of `count` nodes."""
    return [sum(each) for each in zip(*scores.values(), strict=True)] if scores else [0.0] * count


def share_of_highest(scores: list[float], reverse: bool = False) -> list[float]:
    """Scores as shares of the highest, 0 to 100; reversed, the lowest gets 100. Models: helper.DefaultNormalizeScore."""
    highest = max(scores, default=0.0)
    if not highest:
        return [float(MAX_SCORE)] * len(scores) if reverse else scores
    shares = [score * MAX_SCORE // highest for score in scores]
    return [float(MAX_SCORE - share) if reverse else float(share) for share in shares]


def _score(plugin: Plugin, state: State, pod: PodInfo, node: NodeInfo) -> float:
    return plugin.score(state, pod, node)


def _lasting_score(plugin: Plugin, state: State, pod: PodInfo, node: NodeInfo) -> float:
    # A Pod changes one node: the scores of the others need not be worked out again for the next of its kind.
    known = node.scores.get((plugin.name, pod.shape))
    if known is None:
        known = node.scores[plugin.name, pod.shape] = plugin.score(state, pod, node)
    return known
