"""Ownership by schema: what is granular, what is atomic, and how items are told apart."""

from __future__ import annotations

import pytest

from k8slab.apimachinery.fields_of import compare, fields_of
from k8slab.apimachinery.inapplicable import faults
from k8slab.apimachinery.schema import definition_for
from k8slab.apimachinery.typed import Type

POD = definition_for("", "v1", "Pod").type
DEPLOYMENT = definition_for("apps", "v1", "Deployment").type
SERVICE = definition_for("", "v1", "Service").type


def in_spec(**spec):
    return {"spec": spec}


@pytest.mark.parametrize(
    ("type_", "config", "fields"),
    [
        (POD, in_spec(nodeSelector={"a": "b"}), {"f:spec": {"f:nodeSelector": {}}}),
        (POD, in_spec(tolerations=[{"key": "a"}]), {"f:spec": {"f:tolerations": {}}}),
        (
            POD,
            in_spec(containers=[{"name": "web", "args": ["a", "a"]}]),
            {"f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:name": {}, "f:args": {}}}}},
        ),
        (
            SERVICE,
            in_spec(ports=[{"port": 80}]),
            {"f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}}}},
        ),
        (
            POD,
            {"metadata": {"labels": {"a": "b"}, "finalizers": ["x/y"], "ownerReferences": [{"uid": "u", "name": "n"}]}},
            {
                "f:metadata": {
                    "f:labels": {"f:a": {}},
                    "f:finalizers": {'v:"x/y"': {}},
                    "f:ownerReferences": {'k:{"uid":"u"}': {}},
                }
            },
        ),
        (POD, in_spec(securityContext={}, volumes=[]), {"f:spec": {"f:securityContext": {}}}),
        (DEPLOYMENT, in_spec(selector={"matchLabels": {"a": "b"}}), {"f:spec": {"f:selector": {}}}),
    ],
)
def test_fields_of_a_configuration(type_, config, fields):
    assert fields_of(type_, config) == fields


def test_a_new_object_adds_containers_but_not_the_structs_that_are_always_there():
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "web", "env": [{"name": "A"}]}]}}
    changed, removed = compare(DEPLOYMENT, DEPLOYMENT.empty, {"metadata": {}} | in_spec(template=template))
    env = {".": {}, 'k:{"name":"A"}': {".": {}, "f:name": {}}}
    assert changed["f:spec"] == {
        "f:template": {
            "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
            "f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:name": {}, "f:env": env}}},
        }
    }
    assert "f:template" not in removed.get("f:spec", {})


@pytest.mark.parametrize(
    ("old", "new", "changed", "removed"),
    [
        (in_spec(hostname="a"), in_spec(hostname="a"), {}, {}),
        (in_spec(hostname="a"), in_spec(hostname="b"), {"f:spec": {"f:hostname": {}}}, {}),
        (in_spec(hostname="a"), in_spec(), {}, {"f:spec": {"f:hostname": {}}}),
        (
            in_spec(containers=[{"name": "a", "image": "x"}, {"name": "b"}]),
            in_spec(containers=[{"name": "b"}, {"name": "a", "image": "x"}]),
            {},
            {},
        ),
        (
            in_spec(containers=[{"name": "a", "image": "x"}]),
            in_spec(containers=[{"name": "a", "image": "y"}, {"name": "b"}]),
            {
                "f:spec": {
                    "f:containers": {
                        'k:{"name":"a"}': {"f:image": {}},
                        'k:{"name":"b"}': {".": {}, "f:name": {}},
                    }
                }
            },
            {},
        ),
    ],
)
def test_compares_piece_by_piece(old, new, changed, removed):
    assert compare(POD, old, new) == (changed, removed)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"spec": {"replica": 1}}, ".spec.replica: field not declared in schema"),
        ({"spec": {"replicas": "1"}}, ".spec.replicas: expected numeric (int or float), got string"),
        (
            {"metadata": {"labels": {"a": True}}},
            ".metadata.labels.a: expected string, got &value.valueUnstructured{Value:true}",
        ),
        ({"spec": {"paused": "yes"}}, ".spec.paused: expected boolean, got &{yes}"),
        ({"spec": [1]}, ".spec: expected map, got &{[1]}"),
        (
            {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}},
            '.spec.template.spec.containers: element 0: associative list with keys has an element that omits key field "name" '
            "(and doesn't have default value)",
        ),
        (
            {"spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}}}},
            '.spec.template.spec.containers: duplicate entries for key [name="a"]',
        ),
    ],
)
def test_says_what_cannot_be_applied_as_upstream_does(config, message):
    assert faults(DEPLOYMENT, config) == [message]


def test_what_repeats_itself_in_an_atomic_list_is_no_fault():
    pod = {"containers": [{"name": "a", "args": ["x", "x"]}]}
    assert faults(POD, in_spec(**pod)) == []


def test_a_type_can_be_made_of_any_schema():
    schema = {
        "type": "object",
        "properties": {
            "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "whole": {"type": "object", "properties": {"a": {"type": "string"}}, "x-kubernetes-map-type": "atomic"},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "port": {"x-kubernetes-int-or-string": True},
        },
    }
    type_ = Type.of(schema, lambda name: pytest.fail(name))
    config = {"tags": ["a"], "whole": {"a": "b"}, "free": {"x": {"y": [1]}}, "port": "http"}
    assert faults(type_, config) == []
    assert fields_of(type_, config) == {
        "f:tags": {'v:"a"': {}},
        "f:whole": {},
        "f:free": {"f:x": {".": {}, "f:y": {}}},
        "f:port": {},
    }
