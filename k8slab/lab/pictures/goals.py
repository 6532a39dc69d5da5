"""What controllers compare, by kind: what an object should be, and what is found in what a controller has heard.

One row is one number, or one word, that is desired and observed. A Pod has two sorts of rows: the scheduler asks whether it
has a node, a kubelet whether its containers run.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from k8slab.apimachinery.rest import JsonObject
from k8slab.lab.pictures.heard import Heard


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing that a controller compares: `desired` is wanted of the object, `observed` is found in what it had heard."""

    name: str
    desired: Callable[[JsonObject], int | str]
    observed: Callable[[JsonObject, Heard], int | str]


def _spec(obj: JsonObject, name: str, default: int = 0) -> int:
    return int((obj.get("spec") or {}).get(name, default))


def _status(obj: JsonObject, name: str) -> int:
    return int((obj.get("status") or {}).get(name, 0))


def _owned(obj: JsonObject, heard: Heard, resource: str) -> list[JsonObject]:
    uid = obj["metadata"]["uid"]
    return [
        each for each in heard.all(resource)
        if any(owner["uid"] == uid for owner in each["metadata"].get("ownerReferences") or [])
    ]  # fmt: skip


def _live(pods: Sequence[JsonObject]) -> list[JsonObject]:
    ended = ("Succeeded", "Failed")
    return [
        each for each in pods
        if not each["metadata"].get("deletionTimestamp") and (each.get("status") or {}).get("phase") not in ended
    ]  # fmt: skip


def _is_ready(pod: JsonObject) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _running(pod: JsonObject) -> int:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return sum("running" in (each.get("state") or {}) for each in statuses)


def _wanted_containers(pod: JsonObject) -> int:
    return 0 if pod["metadata"].get("deletionTimestamp") else len(pod["spec"]["containers"])


def _replicas(obj: JsonObject) -> int:
    return _spec(obj, "replicas", 1)


GOALS: Mapping[str, Sequence[Goal]] = {
    "Deployment": (
        Goal(
            "replicas", _replicas,
            lambda obj, heard: sum(_spec(each, "replicas") for each in _owned(obj, heard, "replicasets")),
        ),
        Goal(
            "ready", _replicas,
            lambda obj, heard: sum(_status(each, "readyReplicas") for each in _owned(obj, heard, "replicasets")),
        ),
    ),
    "ReplicaSet": (
        Goal("Pods", _replicas, lambda obj, heard: len(_live(_owned(obj, heard, "pods")))),
        Goal("ready", _replicas, lambda obj, heard: sum(map(_is_ready, _live(_owned(obj, heard, "pods"))))),
    ),
    "Pod": (
        Goal(
            "a node", lambda obj: "chosen", lambda obj, heard: "chosen" if obj["spec"].get("nodeName") else "missing"
        ),
    ),
    "Pod on a node": (Goal("running containers", _wanted_containers, lambda obj, heard: _running(obj)),),
}  # fmt: skip
"""What a controller of a kind compares; a Pod is compared by the scheduler first, then by a kubelet."""
