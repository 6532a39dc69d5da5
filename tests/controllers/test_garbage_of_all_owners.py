"""Whatever owns what, whoever is deleted how, and however late the news is: the right objects survive.

What is right is worked out here by another way than the collector's, from the references and the deletions alone. And no object
may ever be deleted by the collector while an owner of it is there.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.core import ConfigMap, Namespace, Secret
from k8slab.apimachinery.errors import NotFound
from k8slab.client.slow_watch import SlowWatch
from k8slab.controllers.garbage_collector import GarbageCollector
from tests.client.fake_server import World

PLACES = ("one", "two")
KINDS = (ConfigMap, Secret)
"""Two, so that there are two watches: nobody knows which tells first."""
GHOST = -1
"""An owner that never was."""


@dataclass(frozen=True)
class Plan:
    """Objects by number: its namespace, its kind, its owners as (number, whether it blocks); then what is done."""

    places: tuple[int, ...]
    kinds: tuple[int, ...]
    owners: tuple[tuple[tuple[int, bool], ...], ...]
    deeds: tuple[tuple[str, int], ...]
    """(policy, number) deletes; ("again", number) deletes and at once makes another of the same name;

    ("restart", _) starts the collector anew; ("wait", seconds).
    """


@st.composite
def plans(draw):
    size = draw(st.integers(3, 7))
    anybody = st.integers(GHOST, size - 1)
    owners = []
    for number in range(size):
        named = draw(st.lists(st.tuples(anybody, st.booleans()), max_size=3, unique_by=lambda each: each[0]))
        owners.append(tuple(each for each in named if each[0] != number))
    ring = draw(st.integers(0, size)) if draw(st.booleans()) else 0
    for number in range(ring if ring > 1 else 0):
        before = (number - 1) % ring
        owners[number] = (*(each for each in owners[number] if each[0] != before), (before, True))
    policies = st.sampled_from(["Background", "Foreground", "Orphan"])
    anyone = st.integers(0, size - 1)
    deletion = st.tuples(policies, anyone)
    deed = st.one_of(
        deletion,
        deletion,
        st.tuples(st.just("again"), anyone),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("wait"), st.integers(0, 4)),
    )
    places = draw(st.lists(st.sampled_from([0, 0, 0, 1]), min_size=size, max_size=size))
    kinds = draw(st.lists(st.sampled_from([0, 0, 1]), min_size=size, max_size=size))
    deeds = [draw(deletion), *draw(st.lists(deed, min_size=1, max_size=5))]
    return Plan(tuple(places), tuple(kinds), tuple(owners), tuple(deeds))


@dataclass
class Truth:
    """Who is there and who owns whom, by the rules as the documentation tells them."""

    plan: Plan
    there: set[int] = field(default_factory=set)
    owners: dict[int, set[int]] = field(default_factory=dict)

    def __post_init__(self):
        self.there = set(range(len(self.plan.places)))
        self.owners = {number: {owner for owner, _ in named} for number, named in enumerate(self.plan.owners)}
        self.settle()

    def is_owner(self, owner, number):
        return owner in self.there and self.plan.places[owner] == self.plan.places[number]

    def settle(self):
        """An object that names owners of whom none is there goes, until there is no such object."""
        while gone := {
            each
            for each in self.there
            if self.owners[each] and not any(self.is_owner(owner, each) for owner in self.owners[each])
        }:
            self.there -= gone
        for each in self.there:
            self.owners[each] = {owner for owner in self.owners[each] if self.is_owner(owner, each)}

    def delete(self, policy, number):
        if number not in self.there:
            return
        if policy == "Orphan":
            for each in self.there:
                self.owners[each].discard(number)
            self.there.discard(number)
        elif policy == "Background":
            self.there.discard(number)
        else:
            self.foreground(number)
        self.settle()

    def again(self, number):
        """It goes, and there is another of its name, which nobody has named as owner."""
        self.delete("Background", number)
        self.there.add(number)
        self.owners[number] = set()

    def foreground(self, number):
        """All that depend on it go with it, unless another owner keeps them: one that is not itself going so."""
        going = {number}
        while more := {
            each
            for each in self.there - going
            if (kept_by := {o for o in self.owners[each] if self.is_owner(o, each)}) and kept_by <= going
        }:
            going |= more
        self.there -= going


class Judged(World):
    """A world with a collector whose every deletion is judged."""

    def __init__(self, plan, slow=0):
        super().__init__()
        self.plan, self.slow, self.starts, self.wrong = plan, slow, 0, []
        for place in PLACES:
            self.client.create(Namespace, {"metadata": {"name": place}})
        self.restart()
        self.settle()
        self.uids = [self.create(number)["metadata"]["uid"] for number in range(len(plan.places))]
        for number, named in enumerate(plan.owners):
            references = [self.reference(owner, blocks) for owner, blocks in named]
            patch = {"metadata": {"ownerReferences": references}}
            self.client.patch(self.kind(number), f"o{number}", self.place(number), patch)

    def restart(self):
        self.starts += 1
        client = self.connect(self.bad_day if self.slow else None)
        send = client.transport.send
        client.transport.send = lambda request: (self.judge(request), send(request))[1]
        self.components = [GarbageCollector(client, self.clock, self.chance)]

    def bad_day(self, transport):
        return SlowWatch(transport, self.clock, self.chance, f"{self.slow}/{self.starts}", repeat=0.2, lose=0.1)

    def place(self, number):
        return PLACES[self.plan.places[number]]

    def kind(self, number):
        return ConfigMap if number == GHOST else KINDS[self.plan.kinds[number]]

    def create(self, number):
        return self.client.create(self.kind(number), {"metadata": {"name": f"o{number}"}}, self.place(number))

    def delete(self, number, policy):
        # Who orphans what the collector does not know yet loses it, upstream too.
        self.settle()
        with suppress(NotFound):
            self.client.delete(self.kind(number), f"o{number}", self.place(number), propagation=policy)

    def reference(self, owner, blocks):
        uid = "never-was" if owner == GHOST else self.uids[owner]
        found = {"apiVersion": "v1", "kind": self.kind(owner).resource.kind, "name": f"o{owner}", "uid": uid}
        return found | {"blockOwnerDeletion": blocks}

    def judge(self, request):
        """Whether the collector may delete this: only what has owners, and none that is there and not going."""
        if request.method != "DELETE":
            return
        obj = self.client.raw("GET", request.path)
        for owner in obj["metadata"].get("ownerReferences", []):
            if self.is_solid(owner, obj["metadata"]["namespace"]):
                self.wrong.append((request.path, owner["name"]))
        if not obj["metadata"].get("ownerReferences"):
            self.wrong.append((request.path, "it has no owners at all"))

    def is_solid(self, owner, namespace):
        try:
            [kind] = [each for each in KINDS if each.resource.kind == owner["kind"]]
            found = self.client.get(kind, owner["name"], namespace)
        except NotFound:
            return False
        waits = found.metadata.deleting and "foregroundDeletion" in found.metadata.finalizers
        return found.uid == owner["uid"] and not waits

    def live(self):
        for deed, number in self.plan.deeds:
            if deed == "restart":
                self.restart()
            elif deed == "again":
                self.delete(number, "Background")
                self.uids[number] = self.create(number)["metadata"]["uid"]
            elif deed == "wait":
                self.components[0].step()
                self.clock.advance_to(self.clock.now() + number)
            else:
                self.delete(number, deed)
        self.settle()
        return {int(each.name[1:]) for each in self.objects() if each.name[1:].isdigit()}

    def objects(self):
        return [each for kind in KINDS for each in self.client.list(kind)]


def expected(plan):
    truth = Truth(plan)
    for deed, number in plan.deeds:
        if deed == "again":
            truth.again(number)
        elif deed not in ("restart", "wait"):
            truth.delete(deed, number)
    return truth.there


@settings(max_examples=150)
@given(plans())
def test_exactly_the_right_objects_survive(plan):
    world = Judged(plan)
    assert (world.live(), world.wrong) == (expected(plan), [])


@settings(max_examples=150)
@given(plans(), st.integers(1, 1000))
def test_and_so_they_do_when_the_news_is_late_repeated_and_lost(plan, seed):
    world = Judged(plan, slow=seed)
    assert (world.live(), world.wrong) == (expected(plan), [])


@settings(max_examples=50)
@given(plans())
def test_in_the_end_nothing_waits(plan):
    world = Judged(plan)
    world.live()
    assert all(not each.metadata.deleting for each in world.objects())
    assert all(node.observed for node in world.components[0].graph.nodes.values())
