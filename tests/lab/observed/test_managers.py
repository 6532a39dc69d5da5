from __future__ import annotations

import pytest

from k8slab.lab.observed.fields import walk
from k8slab.lab.observed.managers import claim, managers

POD = {
    "metadata": {"labels": {"app": "web"}, "finalizers": ["a", "b"]},
    "spec": {"containers": [{"name": "web", "image": "nginx"}, {"name": "log", "image": "x"}], "selector": {"a": "b"}},
    "status": {"list": [1, 2]},
}
FIELDS = {
    "f:metadata": {"f:labels": {".": {}, "f:app": {}}, "f:finalizers": {".": {}, 'v:"b"': {}}},
    "f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:image": {}, "f:name": {}}}, "f:selector": {}},
    "f:status": {"f:list": {"i:0": {}}},
}


@pytest.mark.parametrize(
    ("path", "how"),
    [
        ("metadata.labels.app", "it"),
        ("metadata.labels", "parts"),
        ("metadata.finalizers[1]", "it"),
        ("metadata.finalizers[0]", ""),
        ("spec.containers[web].image", "it"),
        ("spec.containers[web]", "parts"),
        ("spec.containers[log].image", ""),
        ("spec.selector.a", "all of it"),
        ("status.list[0]", "it"),
        ("status.list[1]", ""),
    ],
)
def test_whose_a_field_is(path, how):
    assert claim(FIELDS, walk(POD, path)[0]) == how


def test_an_entry_says_who_how_and_when():
    (found,) = managers(
        {"managedFields": [
            {"manager": "kubelet", "operation": "Update", "subresource": "status", "time": "1970-01-01T00:00:05Z",
             "fieldsV1": FIELDS},
        ]}
    )  # fmt: skip
    assert (found.name, str(found), found.at, found.count()) == ("kubelet", "Update of status", 5.0, 6)


def test_an_entry_may_say_little_and_an_object_nothing():
    (found,) = managers({"managedFields": [{}]})
    assert (found.name, found.at, found.count(), claim(found.fields, [])) == ("(no name)", None, 0, "it")
    assert managers({}) == []
