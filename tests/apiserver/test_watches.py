"""How long the events of watches are kept: until all have seen them, and not for ever where one does not look."""

from __future__ import annotations

import pytest

from k8slab.apiserver import watches
from tests.apiserver.harness import MAPS, seen


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(watches, "EVENTS_AT_ONCE", 4)
    monkeypatch.setattr(watches, "EVENTS_AT_MOST", 12)


def write(api, watch, *numbers):
    """Write so many objects, each of which this watch sees."""
    for number in numbers:
        api.ask("POST", MAPS, {"metadata": {"name": f"map-{number}"}})
        watch.poll()


@pytest.fixture
def quick(api):
    api.server.watches._room = 4
    return api.watch(MAPS, resourceVersion=str(api.store.revision))


def test_events_that_all_have_seen_are_forgotten(api, quick):
    write(api, quick, *range(40))
    assert len(api.server.watches._events) <= 5


def test_events_that_one_has_not_seen_are_kept(api, quick):
    slow = api.watch(MAPS, resourceVersion=str(api.store.revision))
    write(api, quick, *range(8))
    kept = list(api.server.watches._events.values())
    assert len(kept) == 8
    assert all(one is other for one, other in zip(slow.poll(), kept, strict=True))


def test_one_who_never_looks_has_only_so_many_kept_for_him_and_misses_nothing(api, quick):
    slow = api.watch(MAPS, resourceVersion=str(api.store.revision))
    write(api, quick, *range(40))
    assert len(api.server.watches._events) <= 12
    assert seen(slow.poll()) == [("ADDED", f"map-{number}") for number in range(40)]


def test_a_watch_that_is_closed_holds_nothing_back(api, quick):
    slow = api.watch(MAPS, resourceVersion=str(api.store.revision))
    write(api, quick, 1)
    slow.close()
    write(api, quick, *range(2, 40))
    assert len(api.server.watches._events) <= 5


def test_a_watch_of_other_objects_holds_nothing_back(api, quick):
    api.watch("/api/v1/nodes", resourceVersion=str(api.store.revision))
    write(api, quick, *range(40))
    assert len(api.server.watches._events) <= 5
