"""Lives, as tables: states, what they mean, and the ways between them.

The engine has no tables of transitions: what a Pod's phase is next is computed from what runs (`kubelet/pod_status.py`), and
so with all others. Therefore the tables here are the lab's own, with names from the engine where it has them, and each is
checked by a test: random lives of clusters are watched, and every step from one state to another that is seen must be a row,
or two, for what lasts no longer than from one report to the next is not seen. Not promised is that every row was.

Models: the state diagrams of the docs' Pod Lifecycle, and scheduling_queue.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from k8slab.apimachinery.rest import JsonObject
from k8slab.controllers.deployment.status import DONE, PAUSED, PROGRESSING, RESUMED, TIMED_OUT
from k8slab.controllers.node_taints import NOT_READY, UNREACHABLE
from k8slab.engine.candidates import role_of
from k8slab.engine.engine import Engine
from k8slab.kubelet.pod_status import FAILED, PENDING, RUNNING, SUCCEEDED
from k8slab.kubelet.worker import SYNCING, TERMINATED, TERMINATING
from k8slab.lab import records
from k8slab.lab.drawing import StateDiagram, Transition
from k8slab.lab.pictures.deeds import object_named
from k8slab.lab.records import object_of
from k8slab.lab.reference import Reference
from k8slab.lab.trace import Trace


@dataclass(frozen=True)
class Machine:
    """One kind of life: its states with what they mean, and the ways between them with what leads there."""

    title: str
    kind: str
    """Of which kind of objects."""
    states: Mapping[str, str]
    ways: tuple[tuple[str, str, str], ...]
    """(from, to, when)."""
    now: Callable[[Engine, Trace, Reference], str]
    """In which state an object is; empty where it is in none."""

    def diagram(self, current: str = "", of: str = "") -> StateDiagram:
        """As a model, with a state lit."""
        title = f"{self.title}: {of}" if of else self.title
        ways = tuple(Transition(*way) for way in self.ways)
        return StateDiagram(title, tuple(self.states), ways, current, dict(self.states))


# Where an object is: from its status.


def phase_of(pod: JsonObject) -> str:
    """A Pod's phase."""
    return str((pod.get("status") or {}).get("phase") or PENDING)


def container_state(pod: JsonObject, place: int = 0) -> str:
    """The state of one of a Pod's containers, a key of the diagram; empty before a kubelet has spoken of it."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    if place >= len(statuses):
        return ""
    state = statuses[place].get("state") or {}
    if "running" in state:
        return "running"
    if "terminated" in state:
        return "terminated"
    return WAITING.get((state.get("waiting") or {}).get("reason", ""), CANNOT_START)


def rollout_state(deployment: JsonObject) -> str:
    """The reason of a Deployment's Progressing condition; empty before there is one."""
    conditions = (deployment.get("status") or {}).get("conditions") or []
    return next((str(each.get("reason", "")) for each in conditions if each["type"] == PROGRESSING), "")


def node_state(node: JsonObject) -> str:
    """What the control plane takes a node for: its Ready condition, and whether its Pods are driven out."""
    conditions = (node.get("status") or {}).get("conditions") or []
    ready = next((each["status"] for each in conditions if each["type"] == "Ready"), "")
    taints = (node.get("spec") or {}).get("taints") or []
    evicting = any(each["effect"] == "NoExecute" and each["key"] in (NOT_READY, UNREACHABLE) for each in taints)
    return {"": SILENT, "True": "Ready"}.get(ready) or (f"{ready}, evicting" if evicting else ready)


def queue_states(trace: Trace, key: str) -> list[str]:
    """The places of the scheduling queue that a Pod (`default/web-abc`) was in, one after the other."""
    found: list[str] = []
    for record in trace:
        if role_of(record.component) != "kube-scheduler":
            continue
        if record.kind == records.START:
            found.append("")
        elif record.what != key:
            continue
        elif record.kind == records.QUEUED:
            found.append("backoff" if record.text.startswith("in ") else "active")
        elif record.kind == records.WORK:
            found.append("being tried")
        elif record.kind == records.DONE and found and found[-1] == "being tried":
            found.append("unschedulable" if record.text == "unschedulable" else "bound")
    return [state for before, state in pairwise(["", *found]) if state != before]


def worker_phase(engine: Engine, key: str) -> str:
    """What a kubelet's worker does about a Pod (`default/web-abc`); empty where no running kubelet has one."""
    for kubelet in engine.kubelets.values():
        for worker in kubelet.workers.by_uid.values():
            if worker.pod.key == key:
                return worker.phase
    return ""


def _of_object(read: Callable[[JsonObject], str]) -> Callable[[Engine, Trace, Reference], str]:
    def now(engine: Engine, trace: Trace, wanted: Reference) -> str:
        obj = object_named(engine, object_of(wanted.resource.plural, wanted.key))
        return read(obj) if obj is not None else ""

    return now


def _in_queue(engine: Engine, trace: Trace, wanted: Reference) -> str:
    return next(iter(queue_states(trace, wanted.key)[-1:]), "")


# The tables.

CANNOT_START = "cannot start"
WAITING = {
    "PodInitializing": "PodInitializing",
    "ContainerCreating": "ContainerCreating",
    "ErrImagePull": "ErrImagePull",
    "ImagePullBackOff": "ImagePullBackOff",
    "CrashLoopBackOff": "CrashLoopBackOff",
}
"""Reasons to wait that are states of their own; all others are `cannot start`."""

_PHASE = Machine(
    "Pod phase", "Pod",
    {
        PENDING: "no node yet, or not all containers have started once",
        RUNNING: "on a node; a container runs, or is to be started again",
        SUCCEEDED: "all containers have ended well, and stay so",
        FAILED: "all have ended, one of them badly, and stay so",
    },
    (
        (PENDING, RUNNING, "all containers have started"),
        (PENDING, FAILED, "an init container failed"),
        (RUNNING, SUCCEEDED, "all exit codes are 0"),
        (RUNNING, FAILED, "an exit code is not 0"),
    ),
    _of_object(phase_of),
)  # fmt: skip

_CONTAINER = Machine(
    "Container state", "Pod",
    {
        "PodInitializing": "waits for init containers",
        "ContainerCreating": "sandbox and image are made ready",
        "ErrImagePull": "the pull has just failed",
        "ImagePullBackOff": "waits 10 s, 20 s ... 300 s before the next pull",
        CANNOT_START: "an image name, a ConfigMap or a command is wrong; tried again",
        "running": "its process runs",
        "terminated": "its process has ended: Completed, or Error",
        "CrashLoopBackOff": "waits 10 s, 20 s ... 300 s before the next start",
    },
    (
        ("PodInitializing", "ContainerCreating", "init containers are done"),
        ("ContainerCreating", "running", "started"),
        ("ContainerCreating", "ErrImagePull", "the pull failed"),
        ("ContainerCreating", CANNOT_START, "create or start failed"),
        ("ErrImagePull", "ImagePullBackOff", "5 s later"),
        ("ImagePullBackOff", "ErrImagePull", "failed again"),
        ("ImagePullBackOff", "running", "the pull worked"),
        ("ImagePullBackOff", "ContainerCreating", "the kubelet was restarted"),
        (CANNOT_START, "ContainerCreating", "tried again"),
        (CANNOT_START, "terminated", "made, but not started"),
        ("running", "terminated", "its process ended"),
        ("terminated", "running", "started again"),
        ("terminated", "ErrImagePull", "its image is pulled anew, in vain"),
        ("terminated", "CrashLoopBackOff", "it had ended before"),
        ("CrashLoopBackOff", "running", "the wait is over"),
        ("CrashLoopBackOff", CANNOT_START, "the start failed again"),
    ),
    _of_object(container_state),
)  # fmt: skip

_WORKER = Machine(
    "A Pod's worker in the kubelet", "Pod",
    {
        SYNCING: "makes true what the Pod's spec says",
        TERMINATING: "stops the containers",
        TERMINATED: "nothing runs; removes what is left, and the API object",
    },
    (
        (SYNCING, TERMINATING, "the Pod is being deleted, or is gone"),
        (TERMINATING, TERMINATED, "all containers have stopped"),
    ),
    lambda engine, trace, wanted: worker_phase(engine, wanted.key),
)  # fmt: skip

NEW_SET, FOUND_SET, UPDATED = "NewReplicaSetCreated", "FoundNewReplicaSet", "ReplicaSetUpdated"
_ROLLOUT = Machine(
    "Deployment rollout (reason of Progressing)", "Deployment",
    {
        NEW_SET: "the ReplicaSet of the new template was made",
        FOUND_SET: "there was one already, when the Deployment came",
        UPDATED: "Pods come and go",
        DONE: "all Pods are new, and available",
        TIMED_OUT: "nothing has moved for progressDeadlineSeconds",
        PAUSED: "spec.paused",
        RESUMED: "no longer paused",
    },
    (
        (NEW_SET, UPDATED, "a Pod is there"),
        (FOUND_SET, UPDATED, "a Pod is there"),
        (UPDATED, DONE, "all are new and available"),
        (UPDATED, NEW_SET, "another template"),
        (DONE, NEW_SET, "another template"),
        (DONE, UPDATED, "scaled, undone, Pods lost"),
        (NEW_SET, TIMED_OUT, "no progress"),
        (UPDATED, TIMED_OUT, "no progress"),
        (TIMED_OUT, UPDATED, "it moves again"),
        (TIMED_OUT, NEW_SET, "another template"),
        (UPDATED, PAUSED, "paused"),
        (DONE, PAUSED, "paused"),
        (PAUSED, RESUMED, "resumed"),
        (RESUMED, UPDATED, "Pods come and go"),
        (RESUMED, NEW_SET, "the template had changed"),
        (RESUMED, DONE, "nothing had"),
        (RESUMED, PAUSED, "paused again"),
    ),
    _of_object(rollout_state),
)  # fmt: skip

_QUEUE = Machine(
    "The scheduling queue", "Pod",
    {
        "active": "to be tried now",
        "being tried": "filters and scores are asked",
        "unschedulable": "no node would do; waits for a change, or 5 minutes",
        "backoff": "waits 1 s, 2 s ... 10 s before the next try",
        "bound": "has a node",
    },
    (
        ("active", "being tried", "its turn"),
        ("being tried", "bound", "a node was chosen"),
        ("being tried", "unschedulable", "no node fits"),
        ("being tried", "backoff", "an error, or a change meanwhile"),
        ("unschedulable", "backoff", "something has changed"),
        ("unschedulable", "active", "changed, and waited long enough"),
        ("backoff", "active", "the wait is over"),
    ),
    _in_queue,
)  # fmt: skip

SILENT = "never posted"
_NODE = Machine(
    "A node (status of Ready)", "Node",
    {
        SILENT: "made by hand; no kubelet has spoken yet",
        "Ready": "its kubelet renews its lease, and says that all is well",
        "False": "its kubelet says what is missing",
        "Unknown": "nobody hears its kubelet; Pods are not ready",
        "False, evicting": "its Pods have 300 s, or what they tolerate",
        "Unknown, evicting": "its Pods have 300 s, or what they tolerate",
    },
    (
        (SILENT, "Unknown", "60 s old"),
        (SILENT, "False", "its kubelet comes"),
        (SILENT, "Ready", "its kubelet comes"),
        ("False", "Ready", "nothing is missing any more"),
        ("Ready", "False", "something is missing"),
        ("Ready", "Unknown", "silent for 50 s"),
        ("False", "Unknown", "silent for 50 s"),
        ("Unknown", "Ready", "it is heard again"),
        ("Unknown", "False", "it is heard again"),
        ("Unknown", "Unknown, evicting", "its zone's turn has come"),
        ("False", "False, evicting", "its zone's turn has come"),
        ("Unknown, evicting", "Ready", "it is heard again"),
        ("Unknown, evicting", "False, evicting", "it is heard again"),
        ("False, evicting", "Ready", "nothing is missing any more"),
        ("False, evicting", "Unknown, evicting", "silent for 50 s"),
        ("Unknown, evicting", "Unknown", "all nodes are lost: taken back"),
        ("False, evicting", "False", "all nodes are lost: taken back"),
    ),
    _of_object(node_state),
)  # fmt: skip

MACHINES: Mapping[str, Machine] = {
    "pod": _PHASE, "container": _CONTAINER, "worker": _WORKER, "rollout": _ROLLOUT, "queue": _QUEUE, "node": _NODE,
}  # fmt: skip
"""The diagrams, by name."""
