from __future__ import annotations

import pytest

from k8slab.lab.observed.fields import MISSING, changed_fields, moment, shown, walk

DEPLOYMENT = {
    "metadata": {"annotations": {"example.com/a.b": "1", "example": "2"}, "resourceVersion": "1"},
    "spec": {"replicas": 3, "containers": [{"name": "web", "image": "nginx"}, {"name": "log", "image": "busybox"}]},
    "status": {"conditions": [{"type": "Ready", "status": "True"}], "list": [1, 2]},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.replicas", 3),
        ("spec.containers[1].image", "busybox"),
        ("spec.containers.-1.image", "busybox"),
        ("spec.containers[web].image", "nginx"),
        ("spec.containers[name=log].image", "busybox"),
        ("status.conditions[Ready].status", "True"),
        ("metadata.annotations['example.com/a.b']", "1"),
        ('metadata.annotations["example.com/a.b"]', "1"),
        ("metadata.annotations.example.com/a.b", "1"),
        ("metadata.annotations.example", "2"),
        ("status.list[1]", 2),
        ("spec.replica", MISSING),
        ("spec.replicas.more", MISSING),
        ("spec.containers[7]", MISSING),
    ],
)
def test_a_field_is_named_as_people_do(path, value):
    assert walk(DEPLOYMENT, path)[1] == value


def test_bookkeeping_is_no_change():
    after = DEPLOYMENT | {"metadata": DEPLOYMENT["metadata"] | {"resourceVersion": "2", "managedFields": []}}
    assert list(changed_fields(DEPLOYMENT, after)) == []


def test_what_changed_is_named_as_it_can_be_asked_for():
    after = {
        "metadata": {"annotations": {"example.com/a.b": "9"}},
        "spec": {
            "replicas": 3,
            "containers": [{"name": "log", "image": "busybox"}, {"name": "web", "image": "nginx:2"}],
        },
        "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "New"}], "list": [1, 2, 3]},
    }
    found = list(changed_fields(DEPLOYMENT, after))
    assert found == [
        "metadata.annotations['example.com/a.b']",
        "metadata.annotations.example",
        "spec.containers[web].image",  # another order is no change
        "status.conditions[New]",
        "status.list",
    ]
    assert walk(after, found[0])[1] == "9"
    assert walk(after, found[2])[1] == "nginx:2"


def test_a_time_that_is_not_said_is_none():
    assert moment("1970-01-01T00:00:10Z") == moment("1970-01-01T00:00:10.000000Z") == 10.0
    assert [moment(text) for text in (None, "", "soon", "0001-01-01T00:00:00Z")] == [None] * 4


def test_values_are_shown_in_a_few_letters():
    assert [shown(value) for value in ("a", 3, None, {"a": 1}, MISSING)] == ["'a'", "3", "null", '{"a":1}', "not there"]
    assert len(shown("x" * 1000)) == 60
