"""The judge of "Your own collector".

The learner writes a garbage collector's one function: from what has been heard of to what is to be done. The judge puts it into
the control loop of a real cluster, in the place of the cluster's own, makes owners and dependents there, deletes some, and looks
at what is left, and in which order the rest went. Several seeds, and a watch that tells late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import ConfigMap, Pod, Secret
from k8slab.apimachinery.errors import ApiError, Conflict, NotFound
from k8slab.apimachinery.model import KubeObject
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.clock import Clock
from k8slab.lab.checks import Aloud, Check, Criterion, Fault, Result, check_callable, limited, raised, shown
from k8slab.lab.checks.guarded import told_first
from k8slab.lab.checks.manifests import NGINX, deployment
from k8slab.lab.cluster import Cluster
from k8slab.names import Chance

COMPONENT = "garbage-collector-controller"
FOREGROUND, HOLD = "foregroundDeletion", "example.com/hold"
SEEDS = (3, 8, 21)
LOOK_AGAIN = 1.0
NAMESPACE, NOT_OURS = "default", "kube-root-ca.crt"
"""Where the judge works, and what another controller keeps there: whoever deletes it would have to do so for ever."""
DEEDS = {"delete": 2, "delete in the foreground": 2, "release": 2, "disown": 3}
"""What can be done, and how many parts such a deed has."""


KINDS: tuple[type[KubeObject], ...] = (ConfigMap, Secret, Deployment, ReplicaSet, Pod)


@dataclass(frozen=True, slots=True)
class Owner:
    """A dependent's word for its owner."""

    kind: str
    name: str
    uid: str
    blocks: bool
    """blockOwnerDeletion."""


@dataclass(frozen=True, slots=True)
class Thing:
    """An object, as far as a collector cares."""

    kind: str
    name: str
    uid: str
    owners: tuple[Owner, ...]
    deleting: bool
    """Whether it has a deletionTimestamp."""
    finalizers: tuple[str, ...]

    @classmethod
    def of(cls, obj: KubeObject) -> Thing:
        """What there is to know of an object."""
        meta = obj.metadata
        owners = tuple(
            Owner(each.kind, each.name, each.uid, each.block_owner_deletion) for each in meta.owner_references
        )
        return cls(obj.resource.kind, meta.name, meta.uid, owners, meta.deleting, tuple(meta.finalizers))


def practice(collect: Any, seed: int = 1) -> Cluster:
    """A cluster whose garbage collector is this function. What goes wrong with it is printed."""
    made = partial(Collector, collect=limited(collect), faults=Aloud())
    cluster = Cluster(nodes=1, seed=seed, replace={"garbage-collector": made})
    cluster.run_for("2s")
    return cluster


def check_collector(collect: Any) -> Result:
    """Let clusters live with the learner's collector. 8 points."""
    return COLLECTOR(collect)


# The learner's function, in a controller's hands.


class Collector(Controller):
    """The loop around the function: it looks whenever there is news, at everything of which it has heard."""

    name = COMPONENT

    def __init__(
        self,
        client: Client,
        clock: Clock,
        chance: Chance,
        *,
        collect: Any,
        faults: list[str],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self._collect, self._faults = collect, faults
        look = self.queue.add
        self._watched = [
            self.informer(kind, namespace=NAMESPACE, on_change=lambda old, new: look("look")) for kind in KINDS
        ]

    def reconcile(self, key: str) -> float | None:
        """Let the function look, and do what it says. What is wrong with it is noted; the cluster goes on."""
        found = {obj.uid: obj for each in self._watched for obj in each.list() if obj.name != NOT_OURS}
        self._asked: dict[str, KubeObject] = dict(found)
        try:
            said = self._collect({uid: Thing.of(obj) for uid, obj in found.items()}, self._ask)
            deeds = [_checked(deed) for deed in _listed(said)]
        except Exception as error:
            self._faults.append(raised(error))
            return None
        again = False
        for deed in deeds:
            again = self._do(*deed) or again
        return LOOK_AGAIN if again else None

    def _ask(self, owner: Owner) -> Thing | None:
        """The owner as the API server has it now; None if it is not there."""
        kind = next((each for each in KINDS if each.resource.kind == owner.kind), None)
        if kind is None:
            return None
        try:
            found = self.client.get(kind, owner.name, NAMESPACE)
        except NotFound:
            return None
        if found.uid != owner.uid:
            return None
        self._asked[found.uid] = found
        return Thing.of(found)

    def _do(self, what: str, thing: Thing, owner: Owner | None = None) -> bool:
        """Whether to look again."""
        obj = self._asked.get(thing.uid)
        if obj is None:
            return False
        try:
            if what == "disown":
                kept = [each for each in obj.metadata.owner_references if owner is None or each.uid != owner.uid]
                references = [each.model_dump(by_alias=True, exclude_defaults=True) for each in kept]
                self._patch(obj, {"ownerReferences": references})
            elif what == "release":
                self._patch(obj, {"finalizers": [each for each in obj.metadata.finalizers if each != FOREGROUND]})
            else:
                policy = "Foreground" if what == "delete in the foreground" else "Background"
                self.client.delete(obj.resource, obj.name, obj.namespace, uid=obj.uid, propagation=policy)
        except NotFound:
            return False
        except ApiError as error:
            return isinstance(error, Conflict)
        return False

    def _patch(self, obj: KubeObject, metadata: JsonObject) -> None:
        meta = {"uid": obj.uid, "resourceVersion": obj.metadata.resource_version, **metadata}
        self.client.patch(obj.resource, obj.name, obj.namespace, {"metadata": meta})


def _listed(said: Any) -> Sequence[Any]:
    if not isinstance(said, (list, tuple)):
        raise Fault(f"`collect` should return a list of deeds, but what it returned is {shown(said)}")
    return said


def _checked(deed: Any) -> tuple[Any, ...]:
    if not isinstance(deed, (list, tuple)) or not deed or DEEDS.get(str(deed[0])) != len(deed):
        kinds = ", ".join(f"({what!r}, thing{', owner' if parts == 3 else ''})" for what, parts in DEEDS.items())
        raise Fault(f"a deed should be one of {kinds}; but one of yours is {deed!r}")
    if not isinstance(deed[1], Thing):
        raise Fault(f"the second part of a deed should be a thing, one of those you were given, but it is {deed[1]!r}")
    return tuple(deed)


# What the judge does, and what it wants to see.

NOBODYS = "`{}` names no owner, and was deleted. Only what names owners, of whom none is there, is garbage"


class _World:
    """A cluster with the learner's collector, and short ways to make things in it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self._client = cluster, cluster.client

    def make(self, name: str, *owners: str, kind: Any = ConfigMap, blocks: bool = True, held: bool = False) -> None:
        """An object that names these owners, all of them ConfigMaps."""
        references = [self._reference(owner, blocks) for owner in owners]
        meta = {"name": name, "ownerReferences": references, "finalizers": [HOLD] if held else []}
        self._client.create(kind, {"metadata": meta}, "default")

    def _reference(self, owner: str, blocks: bool) -> JsonObject:
        there = self.there().get(owner)
        if there is None:
            raise Fault(NOBODYS.format(owner))
        uid = there.uid
        return {"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": uid, "blockOwnerDeletion": blocks}

    def delete(self, name: str, policy: str) -> None:
        """Delete a ConfigMap that names no owner, and let ten seconds pass."""
        self.cluster.run_for("2s")
        if name not in self.there():
            raise Fault(NOBODYS.format(name))
        self._client.delete(ConfigMap, name, "default", propagation=policy)
        self.cluster.run_for("10s")

    def let_go(self, name: str) -> None:
        """Take the judge's own finalizer off."""
        self._client.patch(ConfigMap, name, "default", {"metadata": {"finalizers": None}})
        self.cluster.run_for("10s")

    def there(self) -> dict[str, ConfigMap]:
        """The ConfigMaps that are there."""
        return {each.name: each for each in self._client.list(ConfigMap, "default")}


@contextmanager
def _living(collect: Any, seed: int = SEEDS[0]) -> Iterator[_World]:
    """A cluster that lives with the collector. What is wrong with the function is told first."""
    check_callable("collect", collect)
    faults: list[str] = []
    made = partial(Collector, collect=collect, faults=faults)
    with Cluster(nodes=1, seed=seed, replace={"garbage-collector": made}) as cluster:
        cluster.run_for("2s")
        with told_first(faults):
            yield _World(cluster)


def _judge_behind(collect: Any) -> None:
    with _living(collect) as world:
        world.make("parent")
        world.make("child", "parent")
        world.make("grandchild", "child")
        world.make("stranger")
        world.delete("parent", "Background")
        there = world.there()
        if "stranger" not in there:
            raise Fault(NOBODYS.format("stranger"))
        for name, owner in (("child", "parent"), ("grandchild", "child")):
            if name in there:
                raise Fault(f"`{name}` is still there ten seconds after its only owner, `{owner}`, was gone")


def _judge_one_is_enough(collect: Any) -> None:
    with _living(collect) as world:
        world.make("one")
        world.make("two")
        world.make("child", "one", "two")
        world.delete("one", "Background")
        child = world.there().get("child")
        if child is None:
            raise Fault(
                "`child` named two owners, `one` and `two`. `one` was deleted, `two` is there: so `child` stays"
            )
        if any(owner.name == "one" for owner in child.metadata.owner_references):
            raise Fault(
                "`child` still names `one`, which is gone. An owner that is gone is to be named no longer: disown"
            )
        world.delete("two", "Background")
        if "child" in world.there():
            raise Fault("`child` is still there, though both its owners are gone by now")


def _judge_foreground(collect: Any) -> None:
    with _living(collect) as world:
        world.make("parent")
        world.make("child", "parent", held=True)
        world.delete("parent", "Foreground")
        there = world.there()
        if "parent" not in there:
            raise Fault(
                "`parent` was deleted in the foreground, and went before its dependent `child`, which blocks it. Release an "
                "owner only when no dependent is left that blocks it"
            )
        if not there["child"].metadata.deleting:
            raise Fault(
                "`parent` waits for its dependents, and nobody has deleted `child`. An owner that is there, deleting, and has "
                "the finalizer foregroundDeletion keeps nobody alive"
            )
        world.let_go("child")
        if "parent" in world.there():
            raise Fault("`parent` waits for ever: its last dependent is gone, and nobody has released it")


def _judge_all_the_way(collect: Any) -> None:
    with _living(collect) as world:
        world.make("parent")
        world.make("child", "parent")
        world.make("grandchild", "child", held=True)
        world.delete("parent", "Foreground")
        there = world.there()
        if "parent" not in there or "child" not in there:
            raise Fault(
                "`child` went before its own dependent `grandchild`. What goes because its owner waits for it, and has "
                "dependents itself, goes in the foreground, too"
            )
        world.let_go("grandchild")
        if left := sorted(world.there().keys() & {"parent", "child", "grandchild"}):
            raise Fault(f"everything below `parent` could go, and this is still there: {', '.join(left)}")


def _judge_not_blocking(collect: Any) -> None:
    with _living(collect) as world:
        world.make("parent")
        world.make("child", "parent", blocks=False, held=True)
        world.delete("parent", "Foreground")
        if "parent" in world.there():
            raise Fault("`parent` waits for `child`, which does not block it: `owner.blocks` is False there")
        if not world.there()["child"].metadata.deleting:
            raise Fault("`child`, which did not block its owner, was not deleted. It is garbage all the same")


def _judge_late(collect: Any) -> None:
    for seed in SEEDS:
        with _living(collect, seed) as world:
            cluster = world.cluster
            with cluster.fault("slow-watch", component=COMPONENT, delay=8, repeat=0.2, lose=0.05):
                for number in range(6):
                    world.make(f"owner-{number}")
                    world.make(f"secret-{number}", f"owner-{number}", kind=Secret)
                    cluster.run_for("1s")
                cluster.client.create(Deployment, deployment("web", NGINX, 2), "default")
                cluster.run_for("30s")
                kept = {each.name for each in cluster.client.list(Secret, "default")}
                for number in range(6):
                    if f"secret-{number}" not in kept:
                        raise Fault(
                            f"seed {seed}: `secret-{number}` was deleted, and its owner is there, only new: one watch "
                            "told of the dependent before another told of the owner. `ask` before you delete"
                        )
                cluster.client.delete(Deployment, "web", "default", propagation="Foreground")
                cluster.run_for("2m")
                kinds = (Deployment, ReplicaSet, Pod)
                left = [kind.resource.kind for kind in kinds if cluster.client.list(kind, "default")]
                if left:
                    raise Fault(
                        f"seed {seed}: a Deployment was deleted in the foreground, and this is left: {', '.join(left)}"
                    )


FIRST = "what its owners leave behind goes"

COLLECTOR = Check(
    [
        Criterion(FIRST, 2, _judge_behind),
        Criterion("one owner that is there is enough", 1, _judge_one_is_enough, needs=FIRST),
        Criterion("in the foreground the owner goes last", 2, _judge_foreground, needs=FIRST),
        Criterion("all the way down", 1, _judge_all_the_way, needs=FIRST),
        Criterion("nobody waits for what does not block", 1, _judge_not_blocking, needs=FIRST),
        Criterion("late news costs nothing", 1, _judge_late, needs=FIRST),
    ],
    hints=[
        "First build the graph: for each thing, which things name it as an owner? An owner does not know, so go through all "
        "things once, and note each under the UIDs of its owners. Then go through them again, and decide one by one.",
        "A thing that is being deleted is only looked at as an owner: has it foregroundDeletion, and is no dependent left with "
        "blocks? Then release. Any other thing is looked at as a dependent: `ask` for each owner, and sort them: gone, "
        "waiting (deleting, with foregroundDeletion), or there. A thing without owners is left alone.",
        "If one owner is there: disown all others. If none is: delete; in the foreground if an owner waits and the thing has "
        "dependents itself. Trust `ask`, never `things`, for the question whether an owner is there.",
    ],
)
