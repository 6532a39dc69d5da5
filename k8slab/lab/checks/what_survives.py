"""The judge of "What survives?".

Seven small worlds of ConfigMaps, each with its owners and finalizers; in each somebody deletes something. The learner says
what is still there an hour later. The judge lives the same seven stories in clusters of its own, for several seeds, and compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from k8slab.api.core import ConfigMap, Namespace
from k8slab.apimachinery.rest import JsonObject
from k8slab.lab.checks import Check, Criterion, Fault, Result, shown
from k8slab.lab.cluster import Cluster

SEEDS = (7, 19)
HOUR = "1h"
GHOST = "ghost"
"""An owner that never was."""


@dataclass(frozen=True, slots=True)
class Story:
    """One small world."""

    name: str
    objects: Mapping[str, tuple[str, ...]]
    """By name, the owners that it names, in the order in which they are made."""
    delete: str = ""
    policy: str = "Background"
    held: tuple[str, ...] = ()
    """Who has the finalizer example.com/hold, of which nobody has ever heard."""
    elsewhere: tuple[str, ...] = ()
    """Who lives in the namespace `elsewhere`; all others in `default`."""
    says: Mapping[str, str] = field(default_factory=dict)
    """By object, what to say to those who are wrong about it."""

    def __str__(self) -> str:
        lines = []
        for name, owners in self.objects.items():
            where = " (in the namespace elsewhere)" if name in self.elsewhere else ""
            holds = ", has the finalizer example.com/hold" if name in self.held else ""
            named = (
                f" names {' and '.join(owners)} as owner{'s' if len(owners) > 1 else ''}"
                if owners
                else " names no owner"
            )
            lines.append(f"  {name}{where}{named}{holds}")
        how = {"Orphan": " --cascade=orphan", "Foreground": " --cascade=foreground"}.get(self.policy, "")
        done = f"  kubectl delete configmap {self.delete}{how}" if self.delete else "  nobody deletes anything"
        return "\n".join([f"{self.name}:", *lines, done])


STORIES = (
    Story(
        "nobody's", {"alone": ()},
        says={
            "alone": "an object that names no owner is nobody's garbage, however long nobody uses it. Only what names owners, "
            "of whom none is there, is collected"
        },
    ),
    Story(
        "up or down", {"parent": (), "child": ("parent",)}, delete="child",
        says={
            "parent": "`child` names `parent`, so `parent` is the owner. When a dependent goes, its owner stays: the reference "
            "leads from the dependent to the owner, and garbage is looked for downward",
        },
    ),
    Story(
        "grandchildren", {"parent": (), "child": ("parent",), "grandchild": ("child",)}, delete="parent",
        says={
            "child": "`child` names one owner, and that is deleted",
            "grandchild": "when `child` is collected, `grandchild` names an owner that is gone: it goes all the way down",
        },
    ),
    Story(
        "two owners", {"one": (), "two": (), "child": ("one", "two"), "odd": ("two", GHOST)}, delete="one",
        says={
            "child": "`child` names two owners, and `two` is there: one owner is enough to stay",
            "odd": "of the owners of `odd` one never was, but `two` is there: one owner is enough to stay",
        },
    ),
    Story(
        "across namespaces", {"parent": (), "near": ("parent",), "far": ("parent",)}, elsewhere=("far",),
        says={
            "far": "an owner reference has no namespace in it: it speaks of the dependent's own. In `elsewhere` there is no "
            "`parent`, so the only owner that `far` names is absent, and nobody had to delete anything",
            "near": "`near` lives in the same namespace as its owner, which is there",
        },
    ),
    Story(
        "orphans", {"parent": (), "child": ("parent",), "grandchild": ("child",)}, delete="parent", policy="Orphan",
        says={
            "child": "with --cascade=orphan the dependents stay: before the owner goes, it is taken out of their references, and "
            "what names no owner is no garbage",
            "grandchild": "`child` stays, so `grandchild` has its owner",
        },
    ),
    Story(
        "held", {"parent": (), "child": ("parent",), "other": ("parent",)}, delete="parent", policy="Foreground",
        held=("child",),
        says={
            "child": "a finalizer holds an object until somebody takes it off. Nobody is called, and nothing runs out: this is "
            "not Java's finalize. Nobody here knows this one, so `child` waits for ever",
            "parent": "in the foreground the owner waits for its dependents, and `child` is held by a finalizer that nobody "
            "takes off: so `parent` waits, too",
            "other": "`other` is a dependent like `child`, and nothing holds it: it goes before its owner",
        },
    ),
)  # fmt: skip


def stories() -> str:
    """All stories, to read."""
    return "\n\n".join(map(str, STORIES))


def practice(name: str) -> Cluster:
    """A cluster in which a story has happened, an hour later. Raises ValueError for an unknown name."""
    story = next((each for each in STORIES if each.name == name), None)
    if story is None:
        raise ValueError(f"there is no story {name!r}; there are: {', '.join(each.name for each in STORIES)}")
    cluster = Cluster(nodes=1, seed=1)
    _live(cluster, story)
    return cluster


def check_survivors(survivors: Any) -> Result:
    """Compare a prediction with what happens. 7 points."""
    return SURVIVORS(survivors)


# What really happens.


@cache
def _lived(name: str, seed: int) -> frozenset[str]:
    """Who is there at the end of a story, in a cluster of the judge's own."""
    story = next(each for each in STORIES if each.name == name)
    with Cluster(nodes=1, seed=seed) as cluster:
        _live(cluster, story)
        return frozenset(each.name for each in cluster.client.list(ConfigMap) if each.name in story.objects)


def _live(cluster: Cluster, story: Story) -> None:
    client = cluster.client
    client.create(Namespace, {"metadata": {"name": "elsewhere"}})
    uids = {GHOST: "11111111-2222-3333-4444-555555555555"}
    for name, owners in story.objects.items():
        references = [{"apiVersion": "v1", "kind": "ConfigMap", "name": each, "uid": uids[each]} for each in owners]
        blocking = [{**each, "blockOwnerDeletion": True} for each in references]
        finalizers = ["example.com/hold"] if name in story.held else []
        body: JsonObject = {"metadata": {"name": name, "ownerReferences": blocking, "finalizers": finalizers}}
        where = "elsewhere" if name in story.elsewhere else "default"
        uids[name] = client.create(ConfigMap, body, where)["metadata"]["uid"]
    cluster.run_for("10s")
    if story.delete:
        client.delete(ConfigMap, story.delete, "default", propagation=story.policy)
    cluster.run_for(HOUR)


# What was said.


def _said(survivors: Any, story: Story) -> frozenset[str]:
    """The names that were said to survive. Raises Fault for what is no answer."""
    if not isinstance(survivors, Mapping):
        raise Fault(f"`survivors` should be a dictionary, but it is {shown(survivors)}")
    said = survivors.get(story.name)
    if isinstance(said, str) or not isinstance(said, (list, tuple, set, frozenset)):
        raise Fault(
            f"`survivors[{story.name!r}]` should be a list of names, an empty one if nothing is left; it is {shown(said)}"
        )
    for name in said:
        if name not in story.objects:
            raise Fault(
                f"`survivors[{story.name!r}]` names {name!r}; in this story there are: {', '.join(story.objects)}"
            )
    return frozenset(said)


def _judge(story: Story, survivors: Any) -> None:
    said = _said(survivors, story)
    for seed in SEEDS:
        really = _lived(story.name, seed)
        for name in story.objects:
            if (name in said) != (name in really):
                what = "is still there" if name in really else "is gone"
                why = story.says.get(
                    name, "it was deleted, and nothing held it" if name not in really else "nobody deleted it"
                )
                raise Fault(f"an hour later `{name}` {what}: {why}")


def _criterion(story: Story) -> Criterion:
    judge: Callable[[Any], None] = partial(_judge, story)
    return Criterion(story.name, 1, judge)


SURVIVORS = Check(
    [_criterion(story) for story in STORIES],
    hints=[
        "Draw each story: an arrow from each object to the owners that it names. Then ask of each object: was it deleted by "
        "hand? If not: does it name owners at all, and is one of them there?",
        "An owner in another namespace is not there. With --cascade=orphan the arrows to the deleted object go before it does.",
        "An object with a finalizer that nobody takes off is never gone, deleted or not. And in the foreground the owner "
        "waits for it.",
    ],
)
