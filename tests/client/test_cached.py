import orjson
import pytest

from k8slab.api.core import Node, Pod
from k8slab.apimachinery.rest import WatchEvent
from k8slab.client import cached
from k8slab.client.cached import Cached
from k8slab.etcd.store import Entry

POD = {"kind": "Pod", "metadata": {"name": "web", "namespace": "default", "uid": "u"}, "spec": {"nodeName": "a"}}


@pytest.fixture
def event():
    entry = Entry("/registry/pods/default/web", orjson.dumps(POD), 7, 7, 1)
    return WatchEvent("ADDED", POD, 7, entry)


def test_all_who_are_told_share_one_view(event):
    one, other = Cached.of(Pod, event), Cached.of(Pod, event)
    assert one is other
    assert one.view() is other.view()


def test_another_event_of_the_same_entry_shares_it_too(event):
    one, other = Cached.of(Pod, event), Cached.of(Pod, WatchEvent("MODIFIED", POD, 7, event.source))
    assert one is other


def test_of_another_kind_is_another(event):
    assert Cached.of(Pod, event) is not Cached.of(Node, event)


def test_what_comes_over_the_wire_is_kept_by_itself():
    far = WatchEvent("ADDED", {**POD, "metadata": {**POD["metadata"], "resourceVersion": "7"}}, 7)
    assert Cached.of(Pod, far) is not Cached.of(Pod, far)
    assert Cached.of(Pod, far).view().metadata.resource_version == "7"


def test_a_view_made_anew_says_the_same(event):
    known = Cached.of(Pod, event)
    before = known.view()
    assert known.decode() == before
    assert known.decode().metadata.resource_version == "7"


def test_only_so_many_views_are_kept(monkeypatch, event):
    others = len(cached._views)
    monkeypatch.setattr(cached, "VIEWS", others + 2)
    caches = [Cached(Pod, event) for _ in range(others + 4)]
    views = [each.view() for each in caches]
    assert caches[-1].view() is views[-1]
    again = [each.view() for each in caches]
    assert again == views
    assert not any(one is other for one, other in zip(again, views, strict=True))


def test_fewer_are_kept_when_nobody_works(monkeypatch, event):
    monkeypatch.setattr(cached, "AT_REST", 2)
    caches = [Cached(Pod, event) for _ in range(4)]
    views = [each.view() for each in caches]
    cached.rest()
    assert len(cached._views) == 2
    assert [each.view() is view for each, view in zip(caches, views, strict=True)][2:] == [True, True]
    assert caches[0].view() == views[0]


def test_a_view_goes_with_the_object_that_it_is_of(event):
    before = len(cached._views)
    one = Cached(Pod, event)
    one.view()
    assert len(cached._views) == before + 1
    del one
    assert len(cached._views) == before
