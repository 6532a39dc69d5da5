"""The judge of "What is written next?".

A Deployment becomes a running Pod by a chain of writes, each made by a component whose watch has moved. The learner is shown
six places of that chain and says what comes next, and because of what. The judge lives the same story in clusters of its own,
with other seeds, where components take their turns in another order: its rows come from the trace, and *because of* from the
causal graph.

Which write comes next would depend on the seed, if all counted. Two kinds do not: Events; and, until the Pod is ready, the
counting, which is updates of Deployments and ReplicaSets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from k8slab.api.apps import Deployment
from k8slab.lab import records
from k8slab.lab.causes import chain_to
from k8slab.lab.checks import Check, Criterion, Fault, Result, shown
from k8slab.lab.checks.manifests import BOOTCAMP, deployment
from k8slab.lab.cluster import Cluster
from k8slab.lab.records import Record
from k8slab.lab.reference import reference_of, resource_named

NAME = "kubernetes-bootcamp"
SEED, JUDGES_SEEDS = 2, (5, 8, 13)
PATIENCE = "1m"
COUNTED_LATE = ("Deployment", "ReplicaSet")
"""The kinds whose updates are the counting."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A place in the story: reached with the first change of a kind that is as wanted."""

    name: str
    kind: str
    when: Callable[[Any], bool] | None = None
    counting: bool = False
    """Whether the counting counts from here on."""


STOPS = (
    Stop("there is a Deployment", "Deployment"),
    Stop("there is a ReplicaSet", "ReplicaSet"),
    Stop("there is a Pod", "Pod"),
    Stop("the Pod has a node", "Pod", lambda pod: bool(pod.spec.node_name)),
    Stop("the Pod is ready", "Pod", lambda pod: bool(pod.ready), counting=True),
    Stop("the ReplicaSet has counted", "ReplicaSet", lambda found: found.status.ready_replicas == 1, counting=True),
)


@dataclass(frozen=True, slots=True)
class Write:
    """One write, as the exercise speaks of it."""

    who: str
    """A component; every node's kubelet is `kubelet`."""
    verb: str
    kind: str
    because: str
    """The kind of the object whose change set it off."""

    def __str__(self) -> str:
        return f"{self.who}: {self.verb} {self.kind}, because of a {self.because}"


FIELDS = {"who": "who", "verb": "verb", "kind": "kind", "because of": "because"}
"""The learner's words, and the fields of a `Write`."""


def stopped_cluster() -> tuple[Cluster, dict[str, int]]:
    """A cluster after `kubectl create deployment`, at the first stop; and each stop's step, for `cluster.goto`."""
    cluster = Cluster(nodes=2, seed=SEED)
    first = cluster.break_on(kind="Deployment")
    cluster.kubectl(f"create deployment {NAME} --image={BOOTCAMP}").check()
    cluster.unbreak(first)
    steps = {STOPS[0].name: cluster.steps} | {stop.name: cluster.steps for stop in _ahead(cluster, STOPS[1:])}
    cluster.run_until_idle()
    cluster.goto(steps[STOPS[0].name])
    return cluster, steps


def check_prediction(prediction: Any) -> Result:
    """Compare a prediction with what happens. 6 points."""
    return PREDICTION(prediction)


# What really happens.


def _ahead(cluster: Cluster, stops: tuple[Stop, ...]) -> Iterator[Stop]:
    """Go on to each stop in turn."""
    for stop in stops:
        waiting = cluster.break_on(kind=stop.kind, when=stop.when)
        cluster.run_for(PATIENCE)
        cluster.unbreak(waiting)
        yield stop


@cache
def _lived(seed: int) -> Mapping[str, Write]:
    """The next write at each stop, in a cluster of the judge's own."""
    with Cluster(nodes=2, seed=seed) as cluster:
        cluster.client.create(Deployment, deployment(NAME, BOOTCAMP), "default")
        reached = [(STOPS[0], cluster.trace.last)]
        reached += [(stop, cluster.trace.last) for stop in _ahead(cluster, STOPS[1:])]
        cluster.run_until_idle()
        return {stop.name: _next(cluster, stop, last) for stop, last in reached}


def _next(cluster: Cluster, stop: Stop, after: int) -> Write:
    """The first write after a record that counts."""
    found = next(record for record in cluster.trace.since(after) if _counts(record, stop))
    cause = next(each for each in chain_to(cluster.trace, found)[-2::-1] if each.kind == records.COMMIT)
    return Write(_component(found.component), found.verb, _kind_of(found), _kind_of(cause))


def _counts(record: Record, stop: Stop) -> bool:
    if record.kind != records.COMMIT or _kind_of(record) == "Event":
        return False
    return stop.counting or record.verb != "update" or _kind_of(record) not in COUNTED_LATE


def _kind_of(record: Record) -> str:
    found = reference_of(record.what)
    return found.resource.kind if found is not None else ""


# What was said.


def _said(prediction: Any, stop: str) -> Write:
    """A row of the prediction, in one spelling. Raises Fault where there is none."""
    if not isinstance(prediction, Mapping):
        raise Fault(f"`prediction` should be a dictionary, but it is {shown(prediction)}")
    row = prediction.get(stop)
    if not isinstance(row, Mapping):
        raise Fault(f"`prediction[{stop!r}]` should be a dictionary with {', '.join(FIELDS)}, but it is {shown(row)}")
    return Write(**{field: _word(row, stop, word) for word, field in FIELDS.items()})


def _word(row: Mapping[str, Any], stop: str, word: str) -> str:
    value = row.get(word)
    if value is None or value is ...:
        raise Fault(f"`prediction[{stop!r}][{word!r}]` has no answer yet")
    if not isinstance(value, str):
        raise Fault(f"`prediction[{stop!r}][{word!r}]` should be a text, but it is {shown(value)}")
    return _SPELLED[word](value.strip())


def _component(name: str) -> str:
    name = name.lower().replace(" ", "-")
    return "kubelet" if name.startswith("kubelet") else {"scheduler": "kube-scheduler"}.get(name, name)


def _kind(name: str) -> str:
    try:
        return resource_named(name).kind
    except ValueError:
        return name.lower()


_SPELLED: Mapping[str, Callable[[str], str]] = {
    "who": _component, "verb": str.lower, "kind": _kind, "because of": _kind,
}  # fmt: skip


# What is wrong with it.


def _speaks_of_the_server(text: str) -> bool:
    words = text.lower().replace("-", " ")
    return "api" in words.split() or "apiserver" in words or "call" in words


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong idea that many have, and what to say to it."""

    made: Callable[[str, Write], bool]
    """Told the stop and the answer."""
    says: str


MISTAKES = (
    Mistake(
        lambda stop, said: _speaks_of_the_server(said.who) or _speaks_of_the_server(said.because),
        "nobody is called. The API server stores what it is sent, and tells whoever watches; by itself it does nothing. "
        "Who watches this kind of object, and which object's change has that watch just told of?",
    ),
    Mistake(
        lambda stop, said: said.who in ("kubectl", "you"),
        "kubectl has sent one request, and is done: everything that follows is written by the cluster's components",
    ),
    Mistake(
        lambda stop, said: said.who == "deployment-controller" and said.kind == "Pod",
        "the Deployment controller never writes Pods. It writes ReplicaSets, one for each version of the template; who writes "
        "Pods then?",
    ),
    Mistake(
        lambda stop, said: said.who == "kube-scheduler" and stop == "the Pod has a node",
        "the scheduler does not start containers. All that it writes is a binding, the name of a node, and that is written "
        "by now. Who on that node has watched for it?",
    ),
    Mistake(
        lambda stop, said: said.who == "kubelet" and (said.verb, said.kind) == ("create", "Pod"),
        "a kubelet does not create Pods. It starts the containers of Pods that exist already and name its node",
    ),
    Mistake(
        lambda stop, said: said.verb not in ("create", "update", "delete"),
        "the verb should be as the log has it: create, update or delete. A binding, too, is an update of the Pod",
    ),
)
HELP = {
    "who": "Who watches what has just changed, and has something to do about it?",
    "verb": "Does this make a new object, or does it change one that is there?",
    "kind": "Each component writes few kinds of objects. Which does this one write?",
    "because of": "Which object was it that this component had been told about?",
}


def _judge(stop: str, prediction: Any) -> None:
    said = _said(prediction, stop)
    for mistake in MISTAKES:
        if mistake.made(stop, said):
            raise Fault(mistake.says)
    for seed in JUDGES_SEEDS:
        really = _lived(seed)[stop]
        for word, field in FIELDS.items():
            if getattr(said, field) != getattr(really, field):
                raise Fault(f"in the judge's cluster {word!r} is not {getattr(said, field)!r} here. {HELP[word]}")


PREDICTION = Check(
    [Criterion(stop.name, 1, partial(_judge, stop.name)) for stop in STOPS],
    hints=[
        "At each stop ask: which object has just changed, and who watches that kind? The one who wrote it has done its part.",
        "On the way down each of deployment-controller, replicaset-controller, kube-scheduler and kubelet writes once, in that "
        "order. On the way up the news that the Pod is ready goes the other way.",
        "Two of the writes create something: a ReplicaSet, and a Pod. The others are updates: of the Pod by kube-scheduler, of "
        "the Pod by kubelet, of the ReplicaSet, of the Deployment. Each is because of what was written before it.",
    ],
)
