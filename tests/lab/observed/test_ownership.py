from __future__ import annotations

import pytest

from k8slab.lab.observed.read_only import ConnectError
from tests.lab.observed.fake_cluster import reference


def test_owners_above_and_dependents_below(lab, web):
    answer = lab.ownership("rs/web-1")
    assert [(node.id, node.state, node.lit) for node in answer.graph.nodes] == [
        ("Deployment/default/web", "1/1 ready", False),
        ("ReplicaSet/default/web-1", "0/1 ready", True),
        ("Pod/default/web-1-a", "Running", False),
    ]
    assert [(edge.source, edge.target) for edge in answer.graph.edges] == [
        ("Deployment/default/web", "ReplicaSet/default/web-1"),
        ("ReplicaSet/default/web-1", "Pod/default/web-1-a"),
    ]
    assert "└─ ReplicaSet web-1  (0/1 ready)  <- this one" in answer.text


def test_custom_kinds_own_and_are_owned(fake, lab):
    widget = fake.add("example.com/v1alpha1/widgets", "w")
    fake.add("serving.knative.dev/v1/services", "s", owner=widget)
    fake.add("v1/services", "s", owner=widget)
    ids = [node.id for node in lab.ownership("widget", "w").graph.nodes]
    assert ids == ["Widget/default/w", "Service/default/s", "Service.serving.knative.dev/default/s"]


def test_what_has_no_namespace_may_own_everywhere(fake, lab):
    root = fake.add("example.com/v1alpha1/clusterwidgets", "c", "")
    fake.add("v1/pods", "a", "one", owner=root)
    fake.add("v1/pods", "b", "two", owner=reference(root, controller=False))
    answer = lab.ownership("clusterwidget/c")
    assert [node.id for node in answer.graph.nodes] == ["ClusterWidget/c", "Pod/one/a", "Pod/two/b"]
    assert [edge.label for edge in answer.graph.edges] == ["", "owns, does not control"]


def test_an_owner_that_is_gone_is_drawn_too(fake, lab):
    gone = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "old", "controller": True}
    fake.add("v1/pods", "a", owner=gone)
    assert lab.ownership("pod/a").graph.nodes[0].state == "gone"
    fake.add("apps/v1/replicasets", "web-1")
    assert lab.ownership("pod/a").graph.nodes[0].state == "gone: another one has its name"
    fake.refused["apps/v1/replicasets"] = 403
    assert lab.ownership("pod/a").graph.nodes[0].state == "not allowed to look"


def test_an_owner_of_an_unknown_kind_is_drawn_too(fake, lab):
    fake.add("v1/pods", "a", owner={"apiVersion": "gone.io/v1", "kind": "Thing", "name": "t", "uid": "t"})
    (thing, _) = lab.ownership("pod/a").graph.nodes
    assert (thing.kind, thing.lines, thing.state) == ("Thing", ("t",), "a kind that is not served")


def test_objects_that_own_each_other_are_cut_where_the_circle_closes(fake, lab):
    first = fake.add("example.com/v1alpha1/widgets", "a")
    second = fake.add("example.com/v1alpha1/widgets", "b", owner=first)
    first["metadata"]["ownerReferences"] = [reference(second)]
    answer = lab.ownership("widget/a")
    assert {node.id for node in answer.graph.nodes} == {"Widget/default/a", "Widget/default/b"}
    assert len(answer.graph.edges) == 2


def test_what_may_not_be_listed_is_named(fake, lab, web):
    fake.refused = {"v1/secrets": 403, "v1/services": 403, "example.com/v1alpha1/widgets": 503}
    notes = lab.ownership("deploy/web").notes
    assert notes == (
        "not allowed to list: secrets, services",
        "failed (it is broken): widgets.example.com",
        "no answer about their kinds: metrics.k8s.io/v1",
    )
    assert "(not allowed to list: secrets, services)" in lab.ownership("deploy/web").text


def test_lists_come_in_pages(fake, lab):
    root = fake.add("apps/v1/replicasets", "web")
    for name in "abc":
        fake.add("v1/pods", name, owner=root)
    fake.overlong = {"pods"}
    assert len(lab.ownership("rs/web").graph.nodes) == 4


def test_metadata_is_all_that_is_asked_of_most_kinds(fake, lab, web):
    lab.ownership("deploy/web")
    asked = {path.rpartition("/")[2]: accept for _, path, query, accept in fake.asked if "limit" in query}
    assert asked.pop("events", None) is None
    in_full = {plural for plural, accept in asked.items() if "PartialObjectMetadataList" not in accept}
    assert in_full == {"pods", "deployments", "replicasets"}


def test_some_lists_may_be_slow_and_if_many_are_it_is_the_server(fake, lab, web):
    lab._transport._carrier.timeout = 1.5
    fake.slow = {"secrets"}
    assert "no answer in time: secrets" in lab.ownership("deploy/web").notes
    fake.slow = {"secrets", "services", "widgets"}
    with pytest.raises(ConnectError, match="no answer in time"):
        lab.ownership("deploy/web")
