from __future__ import annotations

import pytest

from k8slab.api.core import Event, Pod
from k8slab.client.recorder import COMBINED, EVENTS, SPAM_BURST, EventRecorder
from tests.client.fake_server import World, pod


@pytest.fixture
def world():
    return World()


@pytest.fixture
def recorder(world):
    return EventRecorder(world.client, world.clock, "kubelet", "node-1")


@pytest.fixture
def web(world):
    return Pod.of(world.client.create(Pod, pod(), "default"))


def events(world):
    return world.client.list(Event)


def test_an_event_says_who_saw_what_of_whom(world, recorder, web):
    recorder.event(web, "Normal", "Started", "Started container main", "spec.containers{main}")
    [event] = world.client.raw("GET", EVENTS.path("default"))["items"]
    assert event["involvedObject"] == web.reference() | {"fieldPath": "spec.containers{main}"}
    assert event["source"] == {"component": "kubelet", "host": "node-1"}
    assert (event["reason"], event["message"], event["type"]) == ("Started", "Started container main", "Normal")
    assert event["metadata"]["name"].startswith("web.")


def test_the_same_event_again_raises_a_count(world, recorder, web):
    for _ in range(3):
        recorder.event(web, "Warning", "BackOff", "Back-off restarting")
        world.clock.advance_to(world.clock.now() + 10)
    [event] = events(world)
    assert event.count == 3
    assert event.first_timestamp < event.last_timestamp


def test_two_messages_are_two_events(world, recorder, web):
    recorder.event(web, "Normal", "Pulled", "one")
    recorder.event(web, "Normal", "Pulled", "two")
    assert sorted(event.message for event in events(world)) == ["one", "two"]


def test_from_the_tenth_message_on_similar_ones_are_combined(world, recorder, web):
    for number in range(12):
        recorder.event(web, "Normal", "Created", f"number {number}")
    found = events(world)
    assert len(found) == 10
    [combined] = [event for event in found if event.message.startswith(COMBINED)]
    assert (combined.message, combined.count) == (COMBINED + "number 11", 3)


def test_ten_quiet_minutes_end_the_combining(world, recorder, web):
    for number in range(10):
        recorder.event(web, "Normal", "Created", f"number {number}")
    world.clock.advance_to(world.clock.now() + 601)
    recorder.event(web, "Normal", "Created", "afterwards")
    assert "afterwards" in [event.message for event in events(world)]


def test_an_object_gets_25_events_and_then_one_every_five_minutes(world, recorder, web):
    for _ in range(SPAM_BURST + 5):
        recorder.event(web, "Warning", "BackOff", "again")
    assert events(world)[0].count == SPAM_BURST
    world.clock.advance_to(world.clock.now() + 300)
    for _ in range(2):
        recorder.event(web, "Warning", "BackOff", "again")
    assert events(world)[0].count == SPAM_BURST + 1


def test_objects_do_not_share_their_limits(world, recorder, web):
    other = Pod.of(world.client.create(Pod, pod("db"), "default"))
    for _ in range(SPAM_BURST + 1):
        recorder.event(web, "Warning", "BackOff", "again")
    recorder.event(other, "Normal", "Pulled", "fine")
    assert "fine" in [event.message for event in events(world)]


def test_an_event_that_was_deleted_is_written_anew(world, recorder, web):
    recorder.event(web, "Normal", "Pulled", "one")
    world.client.delete(EVENTS, events(world)[0].name, "default")
    recorder.event(web, "Normal", "Pulled", "one")
    assert [event.count for event in events(world)] == [1]


def test_an_event_that_cannot_be_written_is_lost_quietly(world, recorder):
    stranger = Pod.of(pod() | {"metadata": {"name": "web", "namespace": "nowhere", "uid": "1"}})
    recorder.event(stranger, "Normal", "Pulled", "one")
    assert events(world) == []


def test_started_again_at_the_same_moment_it_finds_free_names(world, recorder, web):
    for number in range(20):
        recorder.event(web, "Normal", "Pulled", f"before {number % 9}", f"spec.containers{{c{number}}}")
    again = EventRecorder(world.client, world.clock, "kubelet", "node-1")
    again.event(web, "Normal", "Started", "one")
    again.event(web, "Normal", "Started", "two")
    assert [event.message for event in events(world) if event.reason == "Started"] == ["one", "two"]
