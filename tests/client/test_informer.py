from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.core import ConfigMap
from k8slab.apimachinery.errors import Expired, ServiceUnavailable
from k8slab.apimachinery.rest import Response, WatchEvent
from k8slab.client.informer import Informer, Tally
from tests.client.fake_server import World, config_map


class Rewired:
    """A transport whose watches can be made to say anything, once."""

    def __init__(self, inner):
        self.inner, self.script, self.watch, self.requests = inner, [], None, []

    def send(self, request):
        self.requests.append("watch" if "watch" in request.query else "list")
        response = self.inner.send(request)
        if response.watch is None:
            return response
        self.watch, self.closed = response.watch, False
        return Response(200, watch=self)

    def poll(self):
        found = self.watch.poll()
        script, self.script = self.script, []
        return [*found, *script]

    def close(self):
        self.watch.close()


@pytest.fixture
def world():
    return World()


@pytest.fixture
def wire(world):
    return Rewired(world.client.transport)


@pytest.fixture
def told():
    return []


@pytest.fixture
def informer(world, wire, told):
    def note(old, new):
        told.append((old and old.data.get("v"), new and new.data.get("v")))

    made = Informer(world.connect(lambda _: wire), ConfigMap, namespace="default", on_change=note)
    made.drain()
    told.clear()
    return made


def create(world, name="settings", **data):
    return world.client.create(ConfigMap, config_map(name, **data), "default")


def write(world, name="settings", **data):
    return world.client.patch(ConfigMap, name, "default", {"data": data})


def event(type_, obj):
    return WatchEvent(type_, obj, int(obj["metadata"]["resourceVersion"]))


def test_the_first_look_lists_and_the_next_ones_watch(world, wire, informer):
    create(world)
    assert (informer.synced, informer.drain(), informer.drain()) == (True, True, False)
    assert wire.requests == ["list", "watch"]


def test_each_change_is_told_with_what_was_before(world, informer, told):
    create(world, v="1")
    write(world, v="2")
    world.client.delete(ConfigMap, "settings", "default")
    informer.drain()
    assert told == [(None, "1"), ("1", "2"), ("2", None)]
    assert len(informer) == 0


def test_an_event_that_is_repeated_changes_nothing(world, wire, informer, told):
    first = create(world, v="1")
    second = write(world, v="2")
    informer.drain()
    told.clear()
    wire.script = [event("ADDED", first), event("MODIFIED", second)]
    assert not informer.drain()
    assert (told, informer.get("default/settings").data["v"]) == ([], "2")


def test_a_repeated_event_does_not_bring_back_what_was_deleted(world, wire, informer):
    first = create(world)
    world.client.delete(ConfigMap, "settings", "default")
    informer.drain()
    wire.script = [event("ADDED", first)]
    assert not informer.drain()
    assert informer.list() == []


def test_a_namesake_is_told_as_a_deletion_and_a_creation(world, wire, informer, told):
    create(world, v="1")
    informer.drain()
    world.client.delete(ConfigMap, "settings", "default")
    other = create(world, v="2")
    wire.watch.poll()
    told.clear()
    wire.script = [event("MODIFIED", other)]
    informer.drain()
    assert told == [("1", None), (None, "2")]


def test_a_watch_that_has_expired_is_followed_by_a_list_that_finds_what_was_missed(world, wire, informer, told):
    for name in ("stays", "changes", "goes"):
        create(world, name, v=name)
    informer.drain()
    told.clear()
    write(world, "changes", v="changed")
    world.client.delete(ConfigMap, "goes", "default")
    create(world, "comes", v="comes")
    wire.watch.poll()
    wire.script = [WatchEvent("ERROR", Expired("too old resource version").status)]
    assert informer.drain()
    assert sorted(told, key=str) == sorted([("changes", "changed"), ("goes", None), (None, "comes")], key=str)
    assert [each.name for each in informer.list()] == ["changes", "comes", "stays"]


def test_a_watch_that_was_closed_begins_anew(world, wire, informer):
    wire.closed = True
    informer.drain()
    create(world)
    assert informer.drain()
    assert wire.requests == ["list", "watch", "list", "watch"]


def test_a_list_that_fails_is_tried_again(world, wire, informer):
    create(world)
    wire.watch.poll()
    wire.closed, send = True, wire.send
    wire.send = lambda request: Response(503, object=ServiceUnavailable("not now").status)
    with pytest.raises(ServiceUnavailable):
        informer.drain()
    assert informer.stale
    wire.send = send
    assert informer.drain()
    assert [each.name for each in informer.list()] == ["settings"]


def test_a_selector_leaves_out_what_does_not_match(world):
    informer = Informer(world.client, ConfigMap, labels="app=web")
    create(world, "other")
    world.client.create(ConfigMap, config_map("mine", {"app": "web"}), "default")
    informer.drain()
    assert [each.name for each in informer.list()] == ["mine"]
    world.client.patch(ConfigMap, "mine", "default", {"metadata": {"labels": {"app": "db"}}})
    informer.drain()
    assert informer.list() == []


def test_closing_ends_the_watch(world, wire, informer):
    informer.close()
    informer.close()
    assert wire.watch.closed


steps = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", None]), st.booleans()), max_size=25)


@given(steps)
def test_indexes_and_tallies_agree_with_a_count_by_hand(steps):
    world = World()
    informer = Informer(world.client, ConfigMap, namespace="default", indexers={"v": lambda each: [each.data["v"]]})
    tally = Tally(informer, lambda each: each.data["v"], lambda each: (1, len(each.name)))
    there = {}
    for name, value, look in steps:
        if value is None:
            if there.pop(name, None):
                world.client.delete(ConfigMap, name, "default")
        elif name in there:
            write(world, name, v=value)
        else:
            create(world, name, v=value)
        if value is not None:
            there[name] = value
        if look:
            informer.drain()
    informer.drain()
    for value in "xy":
        names = sorted(name for name in there if there[name] == value)
        assert [each.name for each in informer.by_index("v", value)] == names
        assert informer.count("v", value) == len(names)
        assert tally.get(value, 2) == (len(names), len(names))


def test_what_is_gone_unseen_does_not_come_back_by_stale_news(world, wire, informer):
    born = create(world)
    gone = world.client.patch(ConfigMap, "settings", "default", {"data": {"v": "last"}})
    world.client.delete(ConfigMap, "settings", "default")
    wire.watch.poll()  # all of it is lost
    later = create(world, "later")
    world.client.delete(ConfigMap, "later", "default")
    wire.watch.poll()
    wire.script = [event("DELETED", later), event("ADDED", born), event("MODIFIED", gone)]
    informer.drain()
    assert informer.list() == []


def test_one_that_rests_watches_nothing_and_knows_nothing(world, informer, wire, told):
    world.client.create(ConfigMap, config_map("a", v="1"), "default")
    informer.drain()
    informer.rest()
    told.clear()
    world.client.create(ConfigMap, config_map("b", v="2"), "default")
    assert (len(informer), informer.stale, informer.synced) == (0, False, False)
    assert told == []


def test_one_that_follows_again_tells_of_everything_as_new(world, informer, told):
    world.client.create(ConfigMap, config_map("a", v="1"), "default")
    informer.drain()
    informer.rest()
    world.client.create(ConfigMap, config_map("b", v="2"), "default")
    told.clear()
    informer.follow()
    assert informer.stale
    informer.drain()
    assert told == [(None, "1"), (None, "2")]


def test_to_follow_what_is_followed_already_changes_nothing(informer, wire):
    informer.drain()
    before = list(wire.requests)
    informer.follow()
    assert not informer.stale
    informer.drain()
    assert wire.requests == before


def test_the_values_of_an_index_are_those_that_objects_have_now(world):
    indexed = Informer(world.connect(), ConfigMap, indexers={"v": lambda each: [each.data["v"]]})
    for name, v in (("a", "2"), ("b", "1"), ("c", "2")):
        world.client.create(ConfigMap, config_map(name, v=v), "default")
    indexed.drain()
    assert list(indexed.values("v")) == ["1", "2"]
    world.client.delete(ConfigMap, "b", "default")
    indexed.drain()
    assert list(indexed.values("v")) == ["2"]
