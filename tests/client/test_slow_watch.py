from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.core import ConfigMap
from k8slab.apimachinery.rest import WatchEvent
from k8slab.client.informer import Informer
from k8slab.client.slow_watch import SlowWatch, coalesce
from k8slab.clock import NEVER
from k8slab.names import Chance
from tests.client.fake_server import World, config_map


@pytest.fixture
def world():
    return World()


def slow_client(world, name="mine", seed=1, **odds):
    return world.connect(lambda inner: SlowWatch(inner, world.clock, Chance(seed), name, **odds))


def watch(world, **odds):
    return slow_client(world, **odds).watch(ConfigMap, "default", resource_version=str(world.store.revision))


def create(world, name="settings"):
    world.client.create(ConfigMap, config_map(name), "default")


def names(events):
    return [event.object["metadata"]["name"] for event in events if event.type != "BOOKMARK"]


def test_news_comes_late_and_it_can_say_when(world):
    held = watch(world, delay=10, repeat=0, lose=0)
    assert held.next_release() == NEVER
    create(world)
    assert held.poll() == []
    assert world.clock.now() < held.next_release() <= world.clock.now() + 10
    world.clock.advance_to(held.next_release())
    assert names(held.poll()) == ["settings"]
    assert held.next_release() == NEVER


def test_news_keeps_its_order(world):
    held = watch(world, delay=10, repeat=0, lose=0)
    for number in range(8):
        create(world, str(number))
    found = []
    found += names(held.poll())
    while held.next_release() < NEVER:
        world.clock.advance_to(held.next_release())
        found += names(held.poll())
    assert found == [str(number) for number in range(8)]


def test_several_changes_of_an_object_are_seen_as_the_last_one():
    def event(type_, uid, revision):
        return WatchEvent(type_, {"metadata": {"uid": uid}}, revision)

    events = [event("ADDED", "a", 1), event("ADDED", "b", 2), event("MODIFIED", "a", 3), event("DELETED", "a", 4)]
    assert coalesce(events) == [events[1], events[3]]


def test_news_that_is_repeated_comes_after_newer_news(world):
    held = watch(world, delay=0, repeat=1, lose=0)
    create(world, "a")
    create(world, "b")
    assert names(held.poll()) == ["a", "b", "a", "b"]


def test_a_watch_that_loses_news_ends_and_says_so(world):
    held = watch(world, delay=0, repeat=0, lose=1)
    create(world)
    [event] = held.poll()
    assert (event.type, event.object["code"], event.object["reason"]) == ("ERROR", 410, "Expired")
    assert held.closed
    assert held.poll() == []


def test_closing_forgets_what_is_held_back(world):
    held = watch(world, lose=0)
    create(world)
    held.poll()
    held.close()
    assert (held.closed, held.next_release()) == (True, NEVER)


def test_an_informer_passes_on_when_to_look(world):
    informer = Informer(slow_client(world, lose=0, repeat=0), ConfigMap, namespace="default")
    informer.drain()
    assert informer.release == NEVER
    create(world)
    informer.drain()
    assert world.clock.now() < informer.release < NEVER


steps = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["write", "delete", "look", "wait"])), max_size=30)


@settings(max_examples=60)
@given(steps, st.integers(0, 1000))
def test_in_the_end_an_informer_knows_what_is_there(steps, seed):
    world = World()
    client = slow_client(world, seed=seed, delay=3, repeat=0.3, lose=0.2)
    informer = Informer(client, ConfigMap, namespace="default")
    there = set()
    for name, what in steps:
        if what == "look":
            informer.drain()
        elif what == "wait":
            world.clock.advance_to(world.clock.now() + 1)
        elif what == "delete" and name in there:
            world.client.delete(ConfigMap, name, "default")
            there.discard(name)
        elif what == "write" and name in there:
            world.client.patch(ConfigMap, name, "default", {"data": {"at": str(world.store.revision)}})
        elif what == "write":
            create(world, name)
            there.add(name)
    while informer.drain() or informer.release < NEVER:
        world.clock.advance_to(min(informer.release, world.clock.now() + 10))
    assert informer.list() == world.client.list(ConfigMap, "default")
