import pytest

from k8slab.api.core import Pod
from k8slab.apimachinery.rest import WatchEvent
from k8slab.client.cached import VIEWS, Cached


@pytest.fixture
def event():
    meta = {"name": "web", "namespace": "default", "uid": "u", "resourceVersion": "7"}
    return WatchEvent("ADDED", {"kind": "Pod", "metadata": meta, "spec": {"nodeName": "a"}}, 7)


def test_all_who_are_told_share_one_view(event):
    one, other = Cached.of(Pod, event), Cached.of(Pod, event)
    assert one is other
    assert one.view() is other.view()


def test_a_view_made_anew_says_the_same(event):
    cached = Cached.of(Pod, event)
    before = cached.view()
    assert cached.decode() == before
    assert cached.decode().metadata.resource_version == "7"


def test_only_so_many_views_are_kept(event):
    cached = Cached.of(Pod, event)
    before = cached.view()
    assert cached.view() is before
    for number in range(VIEWS):
        Cached(Pod, WatchEvent("ADDED", {"metadata": {"name": str(number)}}, number)).view()
    assert cached.view() is not before
    assert cached.view() == before
