"""The judge of "Clean up once".

Claims are ConfigMaps with the label `app=disk`; for each there is to be one disk, outside of the cluster. The learner writes the
controller's reconcile: the finalizer first, then the disk; and when the claim is deleted, the disk goes first, then the
finalizer. The judge lets the controller crash between any two of these, and runs it again.

Outside, nothing is undone and nobody forgives: a disk that is made twice costs twice, and to remove one that is not there is
an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from k8slab.api.core import ConfigMap
from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.client.client import Client
from k8slab.client.controller import Controller, NotYet
from k8slab.clock import Clock
from k8slab.lab.checks import Aloud, Check, Criterion, Fault, Result, check_callable, limited, raised, shown
from k8slab.lab.checks.guarded import told_first
from k8slab.lab.cluster import Cluster
from k8slab.names import Chance

COMPONENT = "disk-controller"
FINALIZER, FOREIGN = "example.com/disk", "example.com/backup"
CLUSTERS = ((5, 0.0), (12, 2.0))
"""(seed, by how many seconds the controller hears late)."""


class NoSuchDisk(Exception):
    """A disk was to be removed that is not there."""


class DiskExists(Exception):
    """A disk was to be made that is there already."""


class Crash(BaseException):
    """The controller dies at this very moment. Nobody catches it."""


class Disks:
    """The world outside: disks, by name."""

    def __init__(self) -> None:
        self._disks: dict[str, None] = {}
        self._watcher: Callable[[str, str], None] = lambda deed, name: None
        self._crash_after = ""

    def exists(self, name: str) -> bool:
        """Whether there is such a disk."""
        return name in self._disks

    def create(self, name: str) -> None:
        """Make a disk. Raises DiskExists."""
        self._watcher("create", name)
        if name in self._disks:
            raise DiskExists(f"there is a disk {name!r} already")
        self._disks[name] = None
        self._may_crash("create")

    def remove(self, name: str) -> None:
        """Remove a disk. Raises NoSuchDisk."""
        self._watcher("remove", name)
        if name not in self._disks:
            raise NoSuchDisk(f"there is no disk {name!r}")
        del self._disks[name]
        self._may_crash("remove")

    def _may_crash(self, deed: str) -> None:
        if self._crash_after == deed:
            self._crash_after = ""
            raise Crash


class Api:
    """What of the API server the controller needs."""

    def __init__(self, client: Client, disks: Disks) -> None:
        self._client, self._disks = client, disks

    def set_finalizers(self, claim: JsonObject, finalizers: list[str]) -> None:
        """Write the finalizers of a claim: all of them. An API server that has removed it meanwhile does not mind."""
        if not isinstance(finalizers, (list, tuple)) or not all(isinstance(each, str) for each in finalizers):
            raise Fault(f"`api.set_finalizers` should be given a list of texts, but it was given {shown(finalizers)}")
        self._disks._watcher("finalizers", claim["metadata"]["name"])
        meta = claim["metadata"]
        patch = {"metadata": {"uid": meta["uid"], "finalizers": list(finalizers) or None}}
        try:
            self._client.patch(ConfigMap, meta["name"], meta["namespace"], patch)
        except NotFound:
            return
        self._disks._may_crash("finalizers")


def practice(reconcile: Any, seed: int = 1) -> tuple[Cluster, Disks]:
    """A cluster with the learner's controller, and the disks outside. What goes wrong with it is printed."""
    disks = Disks()
    return _cluster(limited(reconcile), disks, Aloud(), seed), disks


def check_clean_up(reconcile: Any) -> Result:
    """Let a controller make disks and clean them up, and crash. 6 points."""
    return CLEAN_UP(reconcile)


class DiskController(Controller):
    """The loop around the learner's function."""

    name = COMPONENT

    def __init__(
        self,
        client: Client,
        clock: Clock,
        chance: Chance,
        *,
        reconcile: Any,
        disks: Disks,
        faults: list[str],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self._reconcile, self._disks, self._faults = reconcile, disks, faults
        self.claims = self.informer(
            ConfigMap, labels="app=disk", on_change=lambda old, new: self.queue.add((new or old).key)
        )  # fmt: skip

    def reconcile(self, key: str) -> float | None:
        """Let the function look at one claim, as it is now."""
        namespace, _, name = key.partition("/")
        try:
            claim = self.client.raw("GET", ConfigMap.resource.path(namespace, name))
        except NotFound:
            return None
        try:
            self._reconcile(copy_of(claim), self._disks, Api(self.client, self._disks))
        except Crash:
            raise NotYet("crashed, and started again") from None
        except Exception as error:
            self._faults.append(raised(error))
        return None


def _cluster(reconcile: Any, disks: Disks, faults: list[str], seed: int) -> Cluster:
    """A cluster with one controller more than usual."""
    made = partial(DiskController, reconcile=reconcile, disks=disks, faults=faults)
    cluster = Cluster(nodes=1, seed=seed, add={"disk": made})
    cluster.run_for("2s")
    return cluster


class _World:
    """A cluster with the learner's controller, the disks, and short ways to do something in it."""

    def __init__(self, cluster: Cluster, disks: Disks) -> None:
        self.cluster, self.disks, self._client = cluster, disks, cluster.client
        self.deeds: list[tuple[str, str, list[str] | None]] = []
        """What the controller did: (deed, claim, the claim's finalizers at that moment, None if it is gone)."""
        disks._watcher = lambda deed, name: self.deeds.append((deed, name, self.finalizers(name)))

    def claim(self, name: str, *finalizers: str) -> None:
        """A new claim."""
        meta = {"name": name, "labels": {"app": "disk"}, "finalizers": list(finalizers)}
        self._client.create(ConfigMap, {"metadata": meta}, "default")
        self.cluster.run_for("5s")

    def delete(self, name: str) -> None:
        """Delete a claim, and let time pass."""
        self._client.delete(ConfigMap, name, "default")
        self.cluster.run_for("5s")

    def touch(self, name: str) -> None:
        """Change something that is none of the controller's business, if the claim is there."""
        with suppress(NotFound):
            self._client.patch(ConfigMap, name, "default", {"data": {"touched": str(self.cluster.now)}})
        self.cluster.run_for("5s")

    def crash_after(self, deed: str) -> None:
        """The controller dies right after its next such deed."""
        self.disks._crash_after = deed

    def finalizers(self, name: str) -> list[str] | None:
        """The finalizers of a claim; None if there is no such claim."""
        try:
            return list(self._client.get(ConfigMap, name, "default").metadata.finalizers)
        except NotFound:
            return None


@contextmanager
def _living(reconcile: Any, seed: int = CLUSTERS[0][0], slow: float = 0.0) -> Iterator[_World]:
    """A cluster with the controller, which hears of changes `slow` seconds late. What is wrong with it is told first."""
    check_callable("reconcile", reconcile)
    faults: list[str] = []
    disks = Disks()
    with _cluster(reconcile, disks, faults, seed) as cluster, told_first(faults):
        if slow:
            cluster.fault("slow-watch", component=COMPONENT, delay=slow, repeat=0.3, lose=0).start()
        yield _World(cluster, disks)


def _judge_makes(reconcile: Any) -> None:
    with _living(reconcile) as world:
        world.claim("photos")
        if not world.disks.exists("photos"):
            raise Fault("five seconds after the claim `photos` was created there is no disk `photos`")
        made = next(each for each in world.deeds if each[0] == "create")
        if FINALIZER not in (made[2] or []):
            raise Fault(
                f"when the disk was made, the claim did not have the finalizer {FINALIZER} yet. Would somebody delete the claim "
                "just then, the disk would be left, and nobody would know: the finalizer first"
            )


def _judge_cleans_up(reconcile: Any) -> None:
    with _living(reconcile) as world:
        world.claim("photos")
        world.delete("photos")
        if world.disks.exists("photos"):
            what = (
                "is gone, and its disk is left"
                if world.finalizers("photos") is None
                else "is deleted, its disk is left"
            )
            raise Fault(
                f"the claim `photos` {what}. What has a deletionTimestamp has to be cleaned up first, then released"
            )
        if world.finalizers("photos") is not None:
            raise Fault(
                "the disk is removed, and the claim is still there: nobody has taken the finalizer off. It goes when you take "
                "it off, and not before"
            )
        deeds = [deed for deed, _, _ in world.deeds]
        if deeds[-1] == "remove":
            raise Fault(
                "the claim was released before its disk was removed: a crash in between leaves the disk for ever"
            )


def _judge_crash_in_cleaning(reconcile: Any) -> None:
    for seed, slow in CLUSTERS:
        with _living(reconcile, seed, slow) as world:
            world.claim("films")
            world.crash_after("remove")
            world.delete("films")
            if world.finalizers("films") is not None:
                raise Fault(
                    "the controller crashed right after it had removed the disk, and was started again. The claim is held for "
                    "ever: look whether the disk is there, rather than remember whether you have removed it"
                )
            if world.disks.exists("films"):
                raise Fault(
                    "the controller crashed in the middle of cleaning up. The claim is gone, and its disk is left"
                )
            removals = [each for each in world.deeds if each[0] == "remove"]
            if len(removals) > 1:
                raise Fault(
                    "after the crash the disk was removed a second time: to clean up once, look before you remove"
                )


def _judge_crash_in_making(reconcile: Any) -> None:
    for deed in ("finalizers", "create"):
        with _living(reconcile) as world:
            world.crash_after(deed)
            world.claim("photos")
            if not world.disks.exists("photos"):
                raise Fault(f"the controller crashed right after `{deed}`, and was started again. There is no disk")
            world.delete("photos")
            if world.finalizers("photos") is not None or world.disks.exists("photos"):
                raise Fault(
                    f"after a crash right after `{deed}`, the claim or its disk could not be cleaned up any more"
                )


def _judge_foreign(reconcile: Any) -> None:
    with _living(reconcile) as world:
        world.claim("photos", FOREIGN)
        if FOREIGN not in (world.finalizers("photos") or []):
            raise Fault(f"the claim had the finalizer {FOREIGN}, and has not any more. It is somebody else's: keep it")
        world.delete("photos")
        left = world.finalizers("photos")
        if left is None:
            raise Fault(
                f"the claim is gone, though somebody else held it with {FOREIGN}: take off only your own finalizer"
            )
        if FINALIZER in left:
            raise Fault(
                f"your finalizer {FINALIZER} is still there. Whoever else holds the claim, you are done with it"
            )


def _judge_rest(reconcile: Any) -> None:
    with _living(reconcile) as world:
        world.claim("photos")
        world.claim("music", FOREIGN)
        world.delete("music")
        before = len(world.deeds)
        for name in ("photos", "music"):
            world.touch(name)
        if len(world.deeds) > before:
            deed, name, _ = world.deeds[before]
            raise Fault(
                f"nothing was to be done, and you did `{deed}` for the claim {name!r}. Reconcile is called for every change: "
                "first see what is missing"
            )


MAKES = "the finalizer first, then the disk"
CLEANS = "cleans up, then lets go"

CLEAN_UP = Check(
    [
        Criterion(MAKES, 1, _judge_makes),
        Criterion(CLEANS, 1, _judge_cleans_up, needs=MAKES),
        Criterion("cleans up once, whatever crashes", 1, _judge_crash_in_cleaning, needs=CLEANS),
        Criterion("makes one disk, whatever crashes", 1, _judge_crash_in_making, needs=CLEANS),
        Criterion("leaves the finalizers of others alone", 1, _judge_foreign, needs=CLEANS),
        Criterion("does nothing where nothing is to be done", 1, _judge_rest, needs=CLEANS),
    ],
    hints=[
        "Two cases: is there a deletionTimestamp in claim['metadata']? If not, there should be your finalizer and a disk. If so, "
        "there should be neither. Between any two calls you may crash: which order leaves nothing behind?",
        "Look first, then do: is your finalizer in claim['metadata'].get('finalizers', [])? Is the disk there? "
        "A claim that is being deleted and no longer has your finalizer is none of your business.",
        "Alive: if the finalizer is missing, set_finalizers(claim, [*theirs, yours]); then, if there is no disk, create it. "
        "Deleting, with your finalizer: if there is a disk, remove it; then set_finalizers(claim, all but yours).",
    ],
)
