from __future__ import annotations

import logging
from typing import ClassVar

import pytest

from k8slab.api.core import ConfigMap, Namespace
from k8slab.apimachinery.errors import Conflict
from k8slab.client.controller import Controller, NotYet
from k8slab.clock import NEVER
from k8slab.observer import Observer
from tests.client.fake_server import World, config_map


class Mine(Controller):
    """Notes the keys that it is given; does what `answers` says."""

    name = "mine-controller"

    def __init__(self, world):
        super().__init__(world.connect(), world.clock, world.chance)
        self.maps = self.informer(ConfigMap, on_change=lambda old, new: self.queue.add((new or old).key))
        self.seen = []
        self.answers = []

    def reconcile(self, key):
        self.seen.append((key, self.maps.get(key) is not None))
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def world():
    return World()


@pytest.fixture
def mine(world):
    made = Mine(world)
    world.components.append(made)
    return made


def create(world, name="settings"):
    world.client.create(ConfigMap, config_map(name), "default")


def test_many_events_make_one_reconcile_of_the_newest_state(world, mine):
    mine.step()
    create(world)
    world.client.delete(ConfigMap, "settings", "default")
    world.settle()
    assert mine.seen == [("default/settings", False)]


def test_a_step_works_off_one_key(world, mine):
    create(world, "a")
    create(world, "b")
    assert mine.step()
    assert [key for key, _ in mine.seen] == ["default/a"]


def test_a_step_without_news_does_nothing(mine):
    mine.step()
    assert not mine.step()
    assert (mine.next_deadline(), mine.next_work()) == (NEVER, NEVER)


def test_it_looks_again_when_reconcile_asks_for_it(world, mine):
    mine.answers = [5.0]
    create(world)
    while mine.step():
        pass
    assert mine.next_work() == world.clock.now() + 5
    world.settle()
    assert len(mine.seen) == 2


def test_an_error_of_the_server_is_retried_quietly(world, mine, caplog):
    mine.answers = [Conflict("changed meanwhile")]
    create(world)
    world.settle()
    assert len(mine.seen) == 2
    assert caplog.records == []


def test_any_other_error_is_logged_and_retried(world, mine, caplog):
    mine.answers = [ZeroDivisionError()]
    create(world)
    with caplog.at_level(logging.ERROR):
        world.settle()
    assert len(mine.seen) == 2
    assert "mine-controller failed at default/settings, and will try again" in caplog.text


def test_success_forgets_the_failures(world, mine):
    mine.answers = [Conflict("no"), Conflict("no")]
    create(world)
    world.settle()
    assert mine.queue.failures("default/settings") == 0


def test_closing_ends_its_watches(mine):
    mine.step()
    mine.close()
    assert mine.maps._watch is None


def test_what_can_only_wait_is_asked_for_later_and_later(world, mine, caplog):
    mine.answers = [NotYet("the owner is not there"), NotYet("the owner is not there")]
    create(world)
    world.settle()
    assert len(mine.seen) == 3
    assert caplog.text == ""


def test_waiting_for_what_nobody_works_on_is_no_work(world, mine):
    mine.answers = [NotYet("nobody knows this kind", background=True)]
    create(world)
    world.settle()
    assert (len(mine.seen), mine.next_work()) == (1, NEVER)
    assert mine.next_deadline() < NEVER
    world.pass_time(1)
    assert len(mine.seen) == 2


def test_a_watch_that_is_opened_later_is_observed_too(world, mine):
    class Told(Observer):
        resources: ClassVar = []

        def told(self, resource, key, event):
            self.resources.append(resource)

    mine.queue.observer = Told()
    mine.informer(Namespace).drain()
    assert Told.resources == ["namespaces"]
