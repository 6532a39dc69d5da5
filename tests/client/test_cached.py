import gc

import pytest

from k8slab.api.core import Pod
from k8slab.apimachinery.rest import WatchEvent
from k8slab.client.cached import Cached


@pytest.fixture
def event():
    meta = {"name": "web", "namespace": "default", "uid": "u", "resourceVersion": "7"}
    return WatchEvent("ADDED", {"kind": "Pod", "metadata": meta, "spec": {"nodeName": "a"}}, 7)


def test_all_who_are_told_share_one_view(event):
    one, first = Cached.of(Pod, event)
    other, second = Cached.of(Pod, event)
    assert one is other
    assert first is second


def test_a_view_that_nobody_holds_is_made_anew(event):
    cached, view = Cached.of(Pod, event)
    before = view.model_dump()
    del view
    gc.collect()
    assert cached._view() is None
    assert cached.view().model_dump() == before


def test_a_view_made_anew_knows_its_revision(event):
    cached, view = Cached.of(Pod, event)
    del view
    gc.collect()
    assert cached.view().metadata.resource_version == "7"
