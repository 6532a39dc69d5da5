from __future__ import annotations

import pytest

from k8slab.lab import records
from k8slab.lab.pictures.units import heard_by, keys_of, runtime_calls, subject_of, units
from k8slab.lab.records import Record

from .lives import parts


@pytest.mark.parametrize(
    ("component", "resource"),
    [
        ("deployment-controller", "deployments"),
        ("replicaset-controller", "replicasets"),
        ("kube-scheduler", "pods"),
        ("kubelet-node-1", "pods"),
        ("garbage-collector-controller", ""),
    ],
)
def test_a_components_keys_are_of_one_resource(component, resource):
    assert keys_of(component) == resource


def test_every_write_of_a_component_is_in_one_unit(old):
    found = units(old.trace)
    inside = [each for unit in found for each in (*unit.writes, *unit.upkeep)]
    by_components = [each for each in old.trace.select(kind=records.COMMIT) if each.component not in ("you", "k8slab")]
    assert sorted(each.number for each in inside) == [each.number for each in by_components]


def test_a_unit_knows_what_was_heard_before(young):
    _, trace = parts(young)
    first = next(unit for unit in units(trace) if unit.subject == "deployments/default/web")
    assert [(each.verb, each.what) for each in heard_by(trace, first.work)] == [("ADDED", "deployments/default/web")]


def test_a_request_is_about_an_object_whatever_part_of_it_is_asked_for():
    def about(what: str) -> str:
        return subject_of(Record(1, records.REQUEST, 0.0, 0, what=what))

    assert about("pods/default/web/binding") == "pods/default/web"
    assert about("nodes/node-1/status") == "nodes/node-1"


def test_calls_are_counted_and_pulls_are_not_among_them():
    calls = [
        Record(n, records.CALL, 0.0, 0, verb=verb) for n, verb in enumerate(("PullImage", "Start", "Start", "Stop"))
    ]
    assert runtime_calls(calls) == "Start \u00d72, Stop"
