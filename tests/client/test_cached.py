import pytest

from k8slab.api.core import Pod
from k8slab.apimachinery.rest import WatchEvent
from k8slab.client import cached
from k8slab.client.cached import Cached


@pytest.fixture
def event():
    meta = {"name": "web", "namespace": "default", "uid": "u", "resourceVersion": "7"}
    return WatchEvent("ADDED", {"kind": "Pod", "metadata": meta, "spec": {"nodeName": "a"}}, 7)


def test_all_who_are_told_share_one_view(event):
    one, other = Cached.of(Pod, event), Cached.of(Pod, event)
    assert one is other
    assert one.view() is other.view()


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


def test_a_view_goes_with_the_object_that_it_is_of(event):
    before = len(cached._views)
    one = Cached(Pod, event)
    one.view()
    assert len(cached._views) == before + 1
    del one
    assert len(cached._views) == before
