"""The judge of "As many as there should be": the heart of a ReplicaSet controller, put into a real cluster.

The learner writes `manage_replicas`: what to create or delete now, and what to expect. Around it is a controller that the judge
keeps (`Managed`): watches, queue, status, and the observing of what was expected. The cluster is as any other, but for this
controller's watch, which may be slow: then its cache is behind, and whoever trusts it makes things twice.

Each scenario is lived under several seeds, and judged by the log: how many Pods were ever made and deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.apimachinery.errors import ApiError, ServiceUnavailable
from k8slab.client.controller import Controller
from k8slab.client.expectations import Expectations
from k8slab.controllers.pod_control import pod_from_template
from k8slab.lab.checks import Check, Criterion, Fault, Result, check_callable, limited, raised
from k8slab.lab.checks.manifests import AGNHOST, deployment, web_server
from k8slab.lab.cluster import Cluster
from k8slab.mistake import Mistake

SEEDS = (3, 14, 15)
SLOW_SECONDS = 8.0
SETTLE = "90s"
MOST_CALLS = 200
CONTROLLER = "replicaset-controller"
REFUSED = "the server is currently unable to handle the request"


class Refusals:
    """Which requests fail: the next one, and then each third one, as long as there are some left."""

    def __init__(self) -> None:
        self.left = 0

    def next(self) -> bool:
        """Whether the next request fails."""
        refused = self.left > 0 and self.left % 3 == 0
        self.left = max(0, self.left - 1)
        return refused


class Api:
    """What `manage_replicas` may do: make a Pod, delete a Pod. Raises ApiError where the API server will not."""

    def __init__(self, controller: Managed, rs: ReplicaSet) -> None:
        self._controller, self._rs = controller, rs

    def create_pod(self) -> None:
        """Make one more Pod of this ReplicaSet."""
        self._controller.count_call()
        self._controller.client.create(Pod, pod_from_template(self._rs, self._rs.spec.template), self._rs.namespace)

    def delete_pod(self, pod: Pod) -> None:
        """Delete this Pod."""
        self._controller.count_call()
        self._controller.client.delete(Pod, pod.name, pod.namespace, uid=pod.uid)


class Managed(Controller):
    """A ReplicaSet controller that leaves the decision to somebody else."""

    name = CONTROLLER

    def __init__(
        self, *arguments: Any, manage: Any, mistakes: list[BaseException], refusals: Refusals, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.expectations = Expectations(self.clock)
        self._manage, self._mistakes, self._refusals = manage, mistakes, refusals
        self._calls = 0
        self.sets = self.informer(ReplicaSet, on_change=self._set_changed)
        self.pods = self.informer(Pod, indexers={"owner": _owners}, on_change=self._pod_changed)

    def count_call(self) -> None:
        """Before each call. Raises ServiceUnavailable if it is to fail, Fault if there have been too many."""
        self._calls += 1
        if self._calls > MOST_CALLS:
            raise Fault(f"Pods are made and deleted without end: {MOST_CALLS} calls, where a dozen would do")
        if self._refusals.next():
            raise ServiceUnavailable(REFUSED)

    def reconcile(self, key: str) -> float | None:
        """Ask, then say in the status what is."""
        rs = self.sets.get(key)
        if rs is None or rs.metadata.deleting:
            return None
        pods = [pod for pod in self.pods.by_index("owner", rs.uid) if pod.active]
        try:
            self._manage(key, rs.spec.replicas, pods, self.expectations, Api(self, rs))
        except ApiError:
            raise  # the API server's refusal: it comes back later, as any controller's key does
        except Exception as mistake:
            self._mistakes.append(mistake)
            return None
        ready = sum(1 for pod in pods if pod.ready)
        status = {"replicas": len(pods), "readyReplicas": ready, "observedGeneration": rs.metadata.generation}
        before = rs.status.replicas, rs.status.ready_replicas, rs.status.observed_generation
        if before != tuple(status.values()):
            self.client.patch_status(ReplicaSet, rs.name, rs.namespace, status)
        return None

    def _set_changed(self, old: ReplicaSet | None, new: ReplicaSet | None) -> None:
        rs = new or old
        assert rs is not None
        if new is None:
            self.expectations.forget(rs.key)
        self.queue.add(rs.key)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        owner = pod.metadata.controller
        if owner is None:
            return
        key = f"{pod.namespace}/{owner.name}"
        if old is None:
            self.expectations.creation_observed(key)
        if new is None or new.metadata.deleting:
            self.expectations.deletion_observed(key, pod.uid)
        self.queue.add(key)


def _owners(pod: Pod) -> list[str]:
    owner = pod.metadata.controller
    return [owner.uid] if owner is not None else []


def practice(manage: Any, replicas: int = 3, *, seed: int = 1, slow: float = 0.0) -> Cluster:
    """A cluster in which `manage` keeps the Pods of a ReplicaSet `web`; with `slow`, its watch is late by so many seconds.

    Raises Mistake, with what went wrong, if `manage` raises.
    """
    mistakes: list[BaseException] = []
    cluster = _cluster(limited(manage), mistakes, seed, slow, Refusals())
    _create(cluster, replicas)
    if mistakes:
        cluster.close()
        raise Mistake(raised(mistakes[0])) from mistakes[0]
    return cluster


def check_manage_replicas(manage: Any) -> Result:
    """Put `manage_replicas` into clusters of several seeds, with good and with slow watches. 7 points."""
    return MANAGE(manage)


def _cluster(manage: Any, mistakes: list[BaseException], seed: int, slow: float, refusals: Refusals) -> Cluster:
    made = partial(Managed, manage=manage, mistakes=mistakes, refusals=refusals)
    cluster = Cluster(nodes=2, seed=seed, replace={"replicaset": made})
    if slow:
        cluster.fault("slow-watch", component=CONTROLLER, delay=slow, repeat=0, lose=0).start()
    return cluster


def _create(cluster: Cluster, replicas: int) -> None:
    body = deployment("web", AGNHOST, replicas, web_server())
    cluster.client.create(ReplicaSet, body, "default")
    cluster.run_for(SETTLE)


def _scale(cluster: Cluster, replicas: int) -> None:
    cluster.client.patch(ReplicaSet, "web", "default", {"spec": {"replicas": replicas}})
    cluster.run_for(SETTLE)


class Life:
    """One scenario in one cluster, and what its log says."""

    def __init__(self, manage: Any, seed: int, slow: float = 0.0) -> None:
        check_callable("manage_replicas", manage)
        self.mistakes: list[BaseException] = []
        self.seed = seed
        self.refusals = Refusals()
        self.cluster = _cluster(manage, self.mistakes, seed, slow, self.refusals)

    def __enter__(self) -> Life:
        return self

    def __exit__(self, *_: object) -> None:
        self.cluster.close()

    def create(self, replicas: int) -> None:
        """A ReplicaSet; then time passes."""
        _create(self.cluster, replicas)
        self._complain()

    def scale(self, replicas: int) -> None:
        """Another number; then time passes."""
        _scale(self.cluster, replicas)
        self._complain()

    def delete_one(self) -> None:
        """Somebody deletes a Pod; then time passes."""
        self.cluster.client.delete(Pod, self.pods()[0].name, "default")
        self.cluster.run_for(SETTLE)
        self._complain()

    def pods(self) -> list[Pod]:
        """The Pods that are there, and not going."""
        return [pod for pod in self.cluster.client.list(Pod, "default") if pod.active]

    def made(self) -> int:
        """How many Pods were ever made."""
        return sum(1 for entry in self.cluster.store.entries() if "/pods/" in entry.key and entry.version == 1)

    def deleted(self) -> int:
        """How many deletions were asked for, also of Pods that had gone already."""
        asked = self.cluster.records(kind="request", component=CONTROLLER)
        return sum(1 for record in asked if record.verb == "delete")

    def _complain(self) -> None:
        for mistake in self.mistakes[:1]:
            said = raised(mistake)
            raise Fault(f"under seed {self.seed}: {said}") from mistake


def _expect(seen: Any, wanted: Any, what: str) -> None:
    if seen != wanted:
        raise Fault(f"{what}: there should be {wanted} Pods, and there are {seen}")


def _makes(manage: Any) -> None:
    with Life(manage, SEEDS[0]) as life:
        life.create(3)
        _expect(len(life.pods()), 3, "90 seconds after a ReplicaSet of 3 was made")
        life.delete_one()
        _expect(len(life.pods()), 3, "90 seconds after somebody deleted one of 3")


def _deletes(manage: Any) -> None:
    with Life(manage, SEEDS[0]) as life:
        life.create(4)
        life.scale(1)
        _expect(len(life.pods()), 1, "90 seconds after the ReplicaSet was scaled from 4 to 1")


def _leaves_alone(manage: Any) -> None:
    with Life(manage, SEEDS[0]) as life:
        life.create(2)
        made, deleted = life.made(), life.deleted()
        life.cluster.run_for("10m")
        if (life.made(), life.deleted()) != (made, deleted):
            raise Fault("with 2 of 2 Pods there is nothing to do, but Pods were made or deleted all the same")


def _makes_none_twice(manage: Any) -> None:
    for seed in SEEDS:
        with Life(manage, seed, SLOW_SECONDS) as life:
            life.create(5)
            if life.made() > 5:
                raise Fault(
                    f"with a slow watch, seed {seed}: {life.made()} Pods were made for 5 replicas. The cache did not know yet "
                    "of those that were made already: expect them (`expect_creations`), and do nothing until they were seen"
                )
            _expect(len(life.pods()), 5, f"with a slow watch, seed {seed}, 90 seconds after a ReplicaSet of 5 was made")


def _deletes_none_twice(manage: Any) -> None:
    for seed in SEEDS:
        with Life(manage, seed, SLOW_SECONDS) as life:
            life.create(6)
            life.scale(3)
            if life.deleted() > 3:
                raise Fault(
                    f"with a slow watch, seed {seed}: scaled from 6 to 3, and {life.deleted()} deletions were asked for. Expect "
                    "deletions too (`expect_deletions`, with the UIDs), and do nothing until they were seen"
                )
            _expect(len(life.pods()), 3, f"with a slow watch, seed {seed}, 90 seconds after scaling from 6 to 3")


def _goes_on_after_failures(manage: Any) -> None:
    for seed in SEEDS:
        with Life(manage, seed, SLOW_SECONDS) as life:
            life.refusals.left = 9
            life.create(6)
            there = len(life.pods())
            if there < 6:
                raise Fault(
                    f"seed {seed}: some creations failed, and 90 seconds later there are {there} of 6 Pods. What was refused "
                    "will never be seen: take it off the expectations (`creation_observed`), or you wait for five minutes"
                )
            _expect(there, 6, f"seed {seed}, after some creations failed")
            life.refusals.left = 3
            life.scale(3)
            there = len(life.pods())
            if there > 3:
                raise Fault(
                    f"seed {seed}: scaled from 6 to 3, a deletion failed, and 90 seconds later there are {there} Pods. What was "
                    "refused will never be seen to go: take it off the expectations (`deletion_observed`), and what comes "
                    "after it"
                )


MAKES = "makes what is missing"
Judge = Callable[[Any], None]
CRITERIA: Sequence[tuple[str, int, Judge]] = (
    (MAKES, 1, _makes),
    ("deletes what is too many", 1, _deletes),
    ("leaves alone what is right", 1, _leaves_alone),
    ("makes nothing twice", 2, _makes_none_twice),
    ("deletes nothing twice", 1, _deletes_none_twice),
    ("goes on where a request fails", 1, _goes_on_after_failures),
)

MANAGE = Check(
    [Criterion(name, points, judge, needs="" if name == MAKES else MAKES) for name, points, judge in CRITERIA],
    hints=[
        "Before anything else: `if not expectations.satisfied(key): return`. What you have done and not seen is still to come.",
        "diff = len(pods) - wanted. Below zero: first `expectations.expect_creations(key, -diff)`, then create. Above zero: "
        "choose that many Pods, `expectations.expect_deletions(key, their uids)`, then delete them.",
        "A creation that raises ApiError will never be seen: in `except ApiError`, call `expectations.creation_observed(key)` "
        "for it and for each one that you no longer try, then `raise`: the key comes back later. The same for deletions.",
    ],
)
