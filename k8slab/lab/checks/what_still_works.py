"""The judge of "What still works?".

For each part of a cluster that can be switched off there is a list of things that may still happen, or not. The judge plays
every pair in a cluster of its own: an app runs, the part is switched off, the thing is tried, a minute passes, and what is
there then is the answer. So the table below holds no truths; only what to say to those who err.

The API server itself cannot be switched off here, for without it there would be nobody to ask. Instead every component's line
to it is cut; the learner's own kubectl has a line of its own, which stays. A container is asked by HTTP whether it runs, which
needs no kubelet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from k8slab.api.apps import Deployment
from k8slab.api.core import Pod
from k8slab.apimachinery.errors import ApiError
from k8slab.lab.checks import Check, Criterion, Fault, Result, shown
from k8slab.lab.checks.manifests import AGNHOST, deployment, pod, web_server
from k8slab.lab.cluster import Cluster

SEED = 17
APP = "web"
STEADY, WAIT = 10.0, 90.0
UNCUT = "etcd-lessor"
"""A part of etcd: it has no line to the API server."""

KUBELETS, API_SERVER = "kubelets", "API server"

OFF: Mapping[str, str] = {
    "deployment-controller": "the deployment-controller off",
    "replicaset-controller": "the replicaset-controller off",
    "kube-scheduler": "the kube-scheduler off",
    KUBELETS: "every kubelet off",
    "garbage-collector-controller": "the garbage-collector-controller off",
    API_SERVER: "every line to the API server cut",
}
"""What is switched off, one at a time, and how one says so."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that happens in a healthy cluster."""

    says: str
    begin: Callable[[Cluster], None]
    """What is done to set it off, once the part is off."""
    happened: Callable[[Cluster], bool]
    """Whether it has happened, a while later."""


def running_cluster() -> Cluster:
    """A cluster of two nodes in which a Deployment `web` runs in one Pod."""
    cluster = Cluster(nodes=2, seed=SEED)
    cluster.client.create(Deployment, deployment(APP, AGNHOST, 1, web_server()), "default")
    cluster.run_for(STEADY)
    return cluster


def switch_off(cluster: Cluster, what: str) -> None:
    """Switch a part off. Raises ValueError for what is not in `OFF`."""
    if what not in OFF:
        raise ValueError(f"cannot switch off {what!r}; there are: {', '.join(OFF)}")
    for name in cluster.components:
        if what == API_SERVER and name != UNCUT:
            cluster.fault("cut-off", component=name).start()
        elif what == name or (what == KUBELETS and name.startswith("kubelet-")):
            cluster.fault("crash", component=name).start()


def check_prediction(prediction: Any) -> Result:
    """Compare what is said to happen no more with what happens. 6 points."""
    return PREDICTION(prediction)


def check_reasons(reasons: Any) -> Result:
    """Judge the chosen reasons. 2 points."""
    return REASONS(reasons)


# What is tried.


def _pods(cluster: Cluster) -> list[Pod]:
    return cluster.client.list(Pod, "default", labels=f"app={APP}")


def _first(cluster: Cluster) -> Pod:
    """The Pod that there was from the beginning: it is the oldest."""
    return min(_pods(cluster), key=lambda each: each.metadata.creation_timestamp or "")


def _ask(cluster: Cluster, path: str) -> str:
    """What the Pod's program answers; nothing if it does not."""
    try:
        answer = cluster.client.request("GET", f"{Pod.resource.path('default', _first(cluster).name)}:8080/proxy{path}")
    except ApiError:
        return ""
    return answer.payload().decode()


def _nothing(cluster: Cluster) -> None:
    pass


def _exit(cluster: Cluster) -> None:
    _ask(cluster, "/exit")


def _delete_pod(cluster: Cluster) -> None:
    cluster.client.delete(Pod, _first(cluster).name, "default")


def _new_pod(cluster: Cluster) -> None:
    cluster.client.create(Pod, pod("new", AGNHOST, web_server()), "default")


def _scale(cluster: Cluster) -> None:
    cluster.client.patch(Deployment, APP, "default", {"spec": {"replicas": 3}})


def _delete_deployment(cluster: Cluster) -> None:
    cluster.client.delete(Deployment, APP, "default", propagation="Background")


THINGS: Mapping[str, Thing] = {
    "runs-on": Thing("a container that runs goes on running", _nothing, lambda it: bool(_ask(it, "/hostname"))),
    "restarted": Thing("a container that has crashed is restarted", _exit, lambda it: bool(_ask(it, "/hostname"))),
    "replaced": Thing(
        "for a deleted Pod a new Pod is created", _delete_pod,
        lambda it: any(not each.metadata.deleting for each in _pods(it)),
    ),
    "gets-a-node": Thing(
        "a new Pod gets a node", _new_pod, lambda it: bool(it.client.get(Pod, "new", "default").spec.node_name)
    ),
    "scaled": Thing("scaling a Deployment to 3 makes two more Pods", _scale, lambda it: len(_pods(it)) == 3),
    "cleaned-up": Thing(
        "when a Deployment is deleted, its Pods go too, until none is left", _delete_deployment, lambda it: not _pods(it)
    ),
    "get-answers": Thing(
        "`kubectl get` answers", _nothing, lambda it: bool(it.client.list(Deployment, "default"))
    ),
}  # fmt: skip
"""By the code that the learner writes."""


@cache
def happens(off: str, thing: str) -> bool:
    """Whether something still happens with a part switched off: played in a cluster of the judge's own."""
    with running_cluster() as cluster:
        switch_off(cluster, off)
        cluster.run_for(STEADY)
        THINGS[thing].begin(cluster)
        cluster.run_for(WAIT)
        return THINGS[thing].happened(cluster)


# What was said.

WHY: Mapping[tuple[str, str], str] = {
    ("deployment-controller", "replaced"): "the ReplicaSet is there already, and its own controller counts its Pods. "
    "The Deployment controller is needed only when the Deployment changes",
    (
        "deployment-controller",
        "scaled",
    ): "`kubectl scale` changes a number in the Deployment. Somebody has to carry it over to the ReplicaSet",
    ("deployment-controller", "cleaned-up"): "who follows the ownerReferences, and deletes what has lost its owner?",
    (
        "replicaset-controller",
        "replaced",
    ): "a Pod does not come back by itself. Who counts the Pods, and makes the one that is missing?",
    (
        "replicaset-controller",
        "restarted",
    ): "a crashed container stays in its Pod, and the Pod stays. Nobody counts Pods anew: who has the container?",
    (
        "replicaset-controller",
        "scaled",
    ): "the Deployment controller changes the number in the ReplicaSet; who makes Pods of it?",
    (
        "kube-scheduler",
        "gets-a-node",
    ): "to choose a node for a Pod is the scheduler's only work, and nobody else does it",
    (
        "kube-scheduler",
        "replaced",
    ): "the new Pod is created, and is there to be seen. It is Pending, which is another matter",
    (
        "kube-scheduler",
        "scaled",
    ): "the new Pods are created, and are there to be seen. They are Pending, which is another matter",
    ("kube-scheduler", "restarted"): "the container is restarted where it was: its Pod has a node already",
    (
        KUBELETS,
        "runs-on",
    ): "containers are processes of the machine. The kubelet starts and stops them; it does not carry them",
    (KUBELETS, "restarted"): "somebody on the node has to see that the container has ended, and start it again",
    (
        KUBELETS,
        "replaced",
    ): "the ReplicaSet controller does not count a Pod that is being deleted. It makes a new one at once",
    (
        KUBELETS,
        "gets-a-node",
    ): "the scheduler writes a name into the Pod; it waits for nobody. Whether the Pod then runs is another matter",
    (
        KUBELETS,
        "cleaned-up",
    ): "a Pod that has a node stays Terminating until the kubelet there says that its containers are gone",
    ("garbage-collector-controller", "replaced"): "the garbage collector only takes away what has lost its owner",
    (
        "garbage-collector-controller",
        "cleaned-up",
    ): "the Deployment goes, and its ReplicaSet and Pods stay, with an owner that "
    "is no more. To take them away is the garbage collector's work",
    (API_SERVER, "runs-on"): "the containers do not know the API server",
    (
        API_SERVER,
        "restarted",
    ): "the kubelet knows its Pods, and sees its containers. It needs nobody's leave to start one again",
    (API_SERVER, "scaled"): "the number is written, for you still reach the API server. Who hears of it?",
    (
        API_SERVER,
        "get-answers",
    ): "only the components' lines are cut. Yours is not, and the API server answers from what it has",
}
"""What to say to those who err, by part and thing."""
SERVER_ANSWERS = (
    "`kubectl get` asks the API server, which answers from its store. No other component has a part in that"
)


def _judge_part(off: str, prediction: Any) -> None:
    said = _said(prediction, off)
    for code in THINGS:
        if code in said and happens(off, code):
            raise Fault(_told(off, code, "it does happen", f"has the {off} a part in this at all?"))
    for code in THINGS:
        if code not in said and not happens(off, code):
            raise Fault(_told(off, code, "it does not happen", "who does this, and what does that one need?"))


def _told(off: str, code: str, seen: str, otherwise: str) -> str:
    """What to say of one error; `otherwise`: where the table has nothing to say about it."""
    why = WHY.get((off, code)) or (SERVER_ANSWERS if code == "get-answers" else otherwise)
    return f"{code!r} ({THINGS[code].says}): with {OFF[off]}, {seen} within {WAIT:g} s. Think: {why}"


def _said(prediction: Any, off: str) -> set[str]:
    """The codes of a row. Raises Fault where there are none."""
    if not isinstance(prediction, Mapping):
        raise Fault(f"`no_longer` should be a dictionary, but it is {shown(prediction)}")
    row = prediction.get(off)
    if row is None or row is ...:
        raise Fault(f"`no_longer[{off!r}]` has no answer yet")
    if isinstance(row, str) or not isinstance(row, Iterable):
        raise Fault(f"`no_longer[{off!r}]` should be a list of codes, but it is {shown(row)}")
    said = list(row)
    for code in said:
        if not isinstance(code, str) or code not in THINGS:
            raise Fault(f"`no_longer[{off!r}]`: there is no {code!r}; there are {', '.join(THINGS)}")
    return set(said)


PREDICTION = Check(
    [Criterion(name, 1, partial(_judge_part, off)) for off, name in OFF.items()],
    hints=[
        "For each thing ask who does it, and what that one needs for it. If it is not the part that is off, it goes on.",
        "Creating a Pod, giving it a node and running it are three things, by three components. One may happen without the next.",
        "One thing each: deployment-controller, kube-scheduler, garbage-collector-controller. Two each: replicaset-controller "
        "and the kubelets. Four: the API server out of reach, for all that must be written there.",
    ],
)


# The reasons.


@dataclass(frozen=True, slots=True)
class Question:
    """A question with chosen answers."""

    name: str
    right: str
    wrong: Mapping[str, str]
    """What to say to each wrong choice."""


QUESTIONS = (
    Question(
        "back again", "lists",
        {
            "called": "nobody keeps calls for the scheduler, because nobody calls it: it asks",
            "recreated": "the Pod is the same as before, with the same name and uid; it was not made anew",
            "kubelet": "a kubelet looks only for Pods that name its own node, and this one named none",
        },
    ),
    Question(
        "cut off", "knows",
        {
            "runtime": "then the container would be restarted without a kubelet too; look at your first table",
            "replicaset": "a ReplicaSet makes new Pods; this is the same Pod. And its controller was cut off as well",
            "cache": "the API server runs nothing, and nothing of it is on the node",
        },
    ),
)  # fmt: skip


def _judge_reason(question: Question, reasons: Any) -> None:
    if not isinstance(reasons, Mapping):
        raise Fault(f"`reasons` should be a dictionary, but it is {shown(reasons)}")
    said = reasons.get(question.name)
    if said is None or said is ...:
        raise Fault(f"`reasons[{question.name!r}]` has no answer yet")
    if said == question.right:
        return
    if isinstance(said, str) and said in question.wrong:
        raise Fault(f"not {said!r}: {question.wrong[said]}")
    raise Fault(f"there is no answer {said!r}; there are {', '.join(sorted((question.right, *question.wrong)))}")


REASONS = Check(
    [Criterion(question.name, 1, partial(_judge_reason, question)) for question in QUESTIONS],
    hints=[
        "Nobody calls a component, and nobody starts anything for it. What does it do itself, and from what does it know?",
        "A component that starts asks the API server what there is. One that is cut off still has what it knew.",
        "The scheduler lists the Pods without a node. The kubelet compares the Pods that it knows with the containers it sees.",
    ],
)
