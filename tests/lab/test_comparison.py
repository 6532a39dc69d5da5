"""Two states of one object, field by field."""

from __future__ import annotations

import pytest

from k8slab.apimachinery.schema import definition_for
from k8slab.lab.comparison import ABSENT, Changed, compare, path_text, related

POD = definition_for("", "v1", "Pod")


def told(old: dict, new: dict, definition=POD, ignore=()) -> list[tuple[str, object, object]]:
    return [(path_text(each.path), each.old, each.new) for each in compare(old, new, definition, ignore)]


def pod(**spec: object) -> dict:
    return {"metadata": {"name": "web"}, "spec": spec}


def test_what_is_equal_has_not_changed():
    assert told(pod(nodeName="node-1"), pod(nodeName="node-1")) == []


def test_a_value_has_a_before_and_an_after():
    assert told(pod(nodeName="node-1"), pod(nodeName="node-2")) == [("spec.nodeName", "node-1", "node-2")]


def test_what_comes_or_goes_as_a_whole_is_one_change():
    assert told(pod(), pod(securityContext={"runAsUser": 1})) == [("spec.securityContext", ABSENT, {"runAsUser": 1})]
    assert told(pod(nodeName="node-1"), pod()) == [("spec.nodeName", "node-1", ABSENT)]


def test_null_is_not_absent():
    assert told(pod(nodeName=None), pod()) == [("spec.nodeName", None, ABSENT)]
    assert repr(ABSENT) == "(none)"


def test_containers_are_known_by_their_names_whatever_their_order():
    web, log = {"name": "web", "image": "nginx"}, {"name": "log", "image": "busybox"}
    old, new = pod(containers=[web, log]), pod(containers=[log, {**web, "image": "nginx:1.27"}])
    assert told(old, new) == [("spec.containers[name=web].image", "nginx", "nginx:1.27")]


def test_conditions_are_known_by_their_types():
    old = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    new = {"status": {"conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}]}}
    assert told(old, new) == [
        ("status.conditions[type=Ready].status", "False", "True"),
        ("status.conditions[type=PodScheduled]", ABSENT, {"type": "PodScheduled", "status": "True"}),
    ]


def test_owners_are_known_by_their_uids():
    old = {"metadata": {"ownerReferences": [{"uid": "1", "name": "web"}]}}
    new = {"metadata": {"ownerReferences": [{"uid": "2", "name": "web"}]}}
    assert [path for path, _, _ in told(old, new)] == [
        "metadata.ownerReferences[uid=1]",
        "metadata.ownerReferences[uid=2]",
    ]


def test_ports_that_share_a_number_are_told_apart_by_their_protocol():
    def ports(name: str) -> dict:
        shared = [{"port": 53, "protocol": "TCP", "name": "a"}, {"port": 53, "protocol": "UDP", "name": name}]
        return {"spec": {"ports": shared}}

    service = definition_for("", "v1", "Service")
    assert told(ports("b"), ports("c"), service) == [("spec.ports[port=53,protocol=UDP].name", "b", "c")]


def test_where_the_schema_says_nothing_a_name_will_do():
    old, new = ({"spec": {"parts": [{"name": "a", "size": size}]}} for size in (1, 2))
    assert told(old, new, None) == [("spec.parts[name=a].size", 1, 2)]


def test_what_nothing_tells_apart_is_known_by_its_place():
    old = pod(tolerations=[{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoExecute"}])
    new = pod(tolerations=[{"key": "a", "effect": "NoSchedule"}, {"key": "b", "effect": "NoExecute"}])
    assert told(old, new) == [("spec.tolerations[1].key", "a", "b")]


def test_a_list_of_plain_values_is_one_value():
    old, new = ({"metadata": {"finalizers": some}} for some in (["a"], ["a", "b"]))
    assert told(old, new) == [("metadata.finalizers", ["a"], ["a", "b"])]


def test_a_key_with_dots_stands_in_brackets():
    old, new = ({"metadata": {"labels": {"app.kubernetes.io/name": name}}} for name in ("a", "b"))
    assert told(old, new) == [("metadata.labels[app.kubernetes.io/name]", "a", "b")]


@pytest.mark.parametrize("ignore", [["nodeName"], ["spec.nodeName"], ["spec"]])
def test_fields_can_be_ignored_by_name_or_by_path(ignore):
    assert told(pod(nodeName="node-1"), pod(nodeName="node-2"), ignore=ignore) == []


def test_neither_object_is_changed():
    old, new = pod(containers=[{"name": "a"}]), pod(containers=[{"name": "b"}])
    assert len(compare(old, new, POD)) == 2
    assert (old, new) == (pod(containers=[{"name": "a"}]), pod(containers=[{"name": "b"}]))


def test_paths_are_related_where_one_leads_to_the_other():
    assert related(("spec",), ("spec", "replicas"))
    assert related(("spec", "replicas"), ("spec",))
    assert not related(("spec", "replicas"), ("spec", "template"))
    assert Changed(("spec",), 1, 2).path == ("spec",)
