"""The judge of "Predict and repair an ImagePullBackOff".

Both parts are played in clusters of the judge's own: the prediction is compared with what a cluster really does, and the
repair is judged by what runs afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Event, Pod
from k8slab.apimachinery.model import KubeObject
from k8slab.cluster import Cluster
from k8slab.lab.checks import Check, Criterion, Fault, Result, check_callable, shown

BROKEN_IMAGE = "registry.k8s.io/e2e-test-images/agnhosst:2.39"
SEED = 11
SOON, LATER = 2.0, 120.0
REPAIR_SECONDS = 60.0
REPLICAS = 2

Repair = Callable[[Cluster], None]


def broken_cluster() -> Cluster:
    """A cluster with a Deployment `shop` of two Pods, whose image has a typing error."""
    cluster = Cluster(nodes=2, seed=SEED)
    command = (
        f"create deployment shop --image={BROKEN_IMAGE} --replicas={REPLICAS} -- /agnhost netexec --http-port=8080"
    )
    cluster.kubectl(command).check()
    return cluster


def check_prediction(prediction: Any) -> Result:
    """Compare a prediction with what happens. 3 points."""
    return PREDICTION(prediction)


def check_repair(repair: Any) -> Result:
    """Let `repair(cluster)` mend a broken cluster, and look at what runs. 3 points."""
    return REPAIR(_Mended(repair))


# The prediction.


class _Seen:
    """What the judge's own cluster did, looked at once."""

    def __init__(self) -> None:
        with broken_cluster() as cluster:
            cluster.run_for(SOON)
            self.soon = _status(cluster)
            cluster.run_for(LATER - SOON)
            self.later = _status(cluster)
            pulls = [event for event in cluster.client.list(Event) if event.reason == "Pulling"]
            self.attempts = max(event.count for event in pulls)


def _status(cluster: Cluster) -> str:
    """The STATUS that `kubectl get pods` shows for a Pod of the Deployment."""
    lines = cluster.kubectl("get pods --no-headers").stdout.splitlines()
    return lines[0].split()[2]


_seen: list[_Seen] = []


def _really() -> _Seen:
    if not _seen:
        _seen.append(_Seen())
    return _seen[0]


def _predicted(prediction: Any, key: str, kind: type) -> Any:
    if not isinstance(prediction, Mapping):
        raise Fault(f"`prediction` should be a dictionary, but it is {shown(prediction)}")
    if prediction.get(key) is None or prediction.get(key) is ...:
        raise Fault(f"`prediction[{key!r}]` has no answer yet")
    value = prediction[key]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Fault(f"`prediction[{key!r}]` should be of type {kind.__name__}, but it is {shown(value)}")
    return value


def _judge_soon(prediction: Any) -> None:
    said = _predicted(prediction, "status after 2 seconds", str)
    if said == "ImagePullBackOff":
        raise Fault(f"after {SOON:g}s the kubelet has only just tried: it does not wait yet. You said {said}")
    if said != _really().soon:
        raise Fault(f"after {SOON:g}s `kubectl get pods` shows another STATUS than {said!r}; try it, or ask for a hint")


def _judge_later(prediction: Any) -> None:
    said = _predicted(prediction, "status after 2 minutes", str)
    if said != _really().later:
        raise Fault(
            f"after {LATER:g}s `kubectl get pods` shows another STATUS than {said!r}: what is the kubelet doing then?"
        )


def _judge_attempts(prediction: Any) -> None:
    said = _predicted(prediction, "attempts in 2 minutes", int)
    really = _really().attempts
    if said == 12:
        raise Fault("12 would be one every 10 seconds; but the wait grows after each failure")
    if said != really:
        word = "many" if said > really else "few"
        raise Fault(
            f"{said} is too {word}: the waits are 10 s, 20 s, 40 s, ...; count how many tries fit into {LATER:g} s"
        )


PREDICTION = Check(
    [
        Criterion("status after 2 seconds", 1, _judge_soon),
        Criterion("status after 2 minutes", 1, _judge_later),
        Criterion("attempts in 2 minutes", 1, _judge_attempts),
    ],
    hints=[
        "There are two words for a Pod whose image cannot be pulled: one for the moment of the failure, one for the wait.",
        "`ErrImagePull` is the failure, `ImagePullBackOff` the wait.",
        "The tries come after 0 s, then after a wait of 10 s, of 20 s, of 40 s, and of 80 s: how many come before 120 s?",
    ],
)


# The repair.


class _Mended:
    """A broken cluster after the learner's repair, made when the first criterion asks for it."""

    def __init__(self, repair: Any) -> None:
        self._repair = repair
        self.before: Deployment | None = None
        self.after: Deployment | None = None
        self.pods: list[Pod] = []
        self.sets: list[ReplicaSet] = []
        self.played = False

    def play(self) -> None:
        """Break, repair, wait, look."""
        if self.played:
            return
        check_callable("repair", self._repair)
        with broken_cluster() as cluster:
            cluster.run_for(30)
            self.before = cluster.client.get(Deployment, "shop", "default")
            self._repair(cluster)
            cluster.run_for(REPAIR_SECONDS)
            found = [each for each in cluster.client.list(Deployment, "default") if each.name == "shop"]
            self.after = found[0] if found else None
            # By owner, not by label: anybody can put a label on a Pod.
            self.sets = [each for each in cluster.client.list(ReplicaSet, "default") if _owns(self.after, each)]
            self.pods = [
                pod for pod in cluster.client.list(Pod, "default") if any(_owns(each, pod) for each in self.sets)
            ]
        self.played = True


def _owns(owner: KubeObject | None, obj: KubeObject) -> bool:
    controller = obj.metadata.controller
    return owner is not None and controller is not None and controller.uid == owner.uid


def _judge_runs(mended: _Mended) -> None:
    mended.play()
    if mended.after is None:
        raise Fault(f"{REPAIR_SECONDS:g}s after your repair there is no Deployment `shop` any more")
    ready = [pod for pod in mended.pods if pod.ready]
    if len(ready) < REPLICAS:
        seen = ", ".join(f"{pod.name}: {_waiting(pod)}" for pod in mended.pods) or "no Pod at all"
        raise Fault(f"{REPAIR_SECONDS:g}s after your repair {len(ready)} of {REPLICAS} Pods are ready; seen: {seen}")


def _judge_same(mended: _Mended) -> None:
    assert mended.before is not None
    if mended.after is None or mended.after.uid != mended.before.uid:
        raise Fault(
            "the Deployment `shop` is another one than before: it was deleted and made anew, and its history is gone"
        )


def _judge_undo(mended: _Mended) -> None:
    assert mended.after is not None
    if mended.after.spec.replicas != REPLICAS:
        raise Fault(f"the Deployment should still have {REPLICAS} replicas; it has {mended.after.spec.replicas}")
    if len(mended.sets) < 2:
        raise Fault(
            "there is only one ReplicaSet: the old version should stay, so that `kubectl rollout undo` has a way back"
        )


def _waiting(pod: Pod) -> str:
    for status in pod.status.container_statuses:
        if status.state.waiting is not None:
            return status.state.waiting.reason
    return pod.status.phase


REPAIR = Check(
    [
        Criterion("two Pods are ready", 1, _judge_runs),
        Criterion("the Deployment is the same one", 1, _judge_same, needs="two Pods are ready"),
        Criterion("there is a way back", 1, _judge_undo, needs="the Deployment is the same one"),
    ],
    hints=[
        "Read the events of a Pod: the image's name is in them. Compare it, letter by letter, with the chapter's.",
        "`kubectl set image` changes the image of a Deployment and leaves everything else as it is.",
        "cluster.kubectl('set image deployment/shop agnhosst=<the right image>'): the container is named after the image.",
    ],
)
