from __future__ import annotations

import pytest

from tests.lab.observed.fake_cluster import HOLD
from tests.lab.observed.test_events import AT, told
from tests.lab.observed.test_following import event


def wrote(manager, fields, second=0, subresource="", operation="Update"):
    entry = {"manager": manager, "operation": operation, "time": AT.format(second), "fieldsV1": fields}
    return entry | ({"subresource": subresource} if subresource else {})


@pytest.fixture
def written(web):
    deployment, replicas, pod = web
    deployment["metadata"]["managedFields"] = [
        wrote("kubectl-create", {"f:spec": {"f:template": {}}}),
        wrote("kubectl", {"f:spec": {"f:replicas": {}}}, 3, "scale"),
        wrote("kube-controller-manager", {"f:status": {"f:readyReplicas": {}}}, 5, "status"),
    ]
    replicas["metadata"]["managedFields"] = [wrote("kube-controller-manager", {"f:spec": {"f:replicas": {}}}, 4)]
    pod["metadata"]["managedFields"] = [wrote("kubelet", {"f:status": {"f:phase": {}}}, 6, "status")]
    return web


def lines(answer):
    return [(link.certainty, link.who, link.does) for link in answer.links if link.certainty != "unknown"]


def unknown(answer):
    return [link.does for link in answer.links if link.certainty == "unknown"]


def test_a_field_is_known_by_its_manager(lab, written):
    answer = lab.why("deploy/web", "spec.replicas")
    assert answer.now == "1"
    assert lines(answer) == [("known", "kubectl", "wrote it, one of 1 field (Update of scale)")]
    assert any("users stand in the audit log only" in text for text in unknown(answer))


def test_an_object_is_known_by_its_owners_and_writers(fake, lab, written):
    deployment, replicas, pod = written
    told(
        fake, deployment, "a", message="Scaled up replica set web-1 to 1", firstTimestamp=AT.format(0), reason="Scaling"
    )
    told(fake, deployment, "b", message="Scaled up replica set web-1 to 5", firstTimestamp=AT.format(9), reason="Later")
    told(fake, replicas, "c", message="Created pod: web-1-a", firstTimestamp=AT.format(0), reason="Created")
    told(fake, replicas, "d", message="Created pod: web-1-ab", firstTimestamp=AT.format(0), reason="Other")
    told(fake, pod, "e", message="Assigned", firstTimestamp=AT.format(1), reason="Scheduled", count=1)
    answer = lab.why("pod/web-1-a")
    assert [(certainty, who, does.partition(":")[0]) for certainty, who, does in lines(answer)] == [
        ("known", "Deployment web", "owns ReplicaSet web-1, as its controller"),
        ("known", "kubectl-create", "wrote Deployment web (Update)"),
        ("known", "ReplicaSet web-1", "owns Pod web-1-a, as its controller"),
        ("likely", "kubelet node-1", "Scaling"),
        ("likely", "kubelet node-1", "Created"),
        ("likely", "kubelet node-1", "Scheduled"),
        ("known", "kubelet", "wrote 1 field (Update of status)"),
    ]
    assert unknown(answer)[-1] == (
        "which watch event made the controller of ReplicaSet web-1 act is not recorded by a real cluster; "
        "run this on k8slab to see it: Cluster().why(...)"
    )


def test_every_arrow_says_how_it_is_known(fake, lab, written):
    told(fake, written[2])
    graph = lab.why("pod/web-1-a").graph
    kinds = {node.id: node.kind for node in graph.nodes}
    assert {(kinds[edge.source], edge.label, edge.kind) for edge in graph.edges} == {
        ("Deployment", "known: ownerReferences", ""),
        ("ReplicaSet", "known: ownerReferences", ""),
        ("component", "known: managedFields", ""),
        ("Event", "likely: event", "dashed"),
        ("unknown", "unknown: not recorded", "dashed"),
    }
    assert [node.id for node in graph.nodes if node.lit] == ["Pod/default/web-1-a"]


def test_what_changed_just_before_is_likely_and_a_version_that_was_in_hand_is_known(fake, lab, written):
    deployment, replicas, _ = written
    fake.watches["deployments"] = [[event("MODIFIED", deployment, "d2", spec={"replicas": 2})]]
    fake.watches["replicasets"] = [[HOLD, event("MODIFIED", replicas, "r2", spec={"replicas": 2})]]

    def enough(changes):
        fake.go = bool(changes)
        return len(changes) == 2

    first, second = lab.record("20s", ["deploy", "rs"], until=enough)
    made = told(fake, deployment, message="Scaled up replica set web-1", reason="Scaling")
    made["involvedObject"]["resourceVersion"] = "d2"
    answer = lab.why("rs/web-1", "spec.replicas")
    assert ("known", "kubelet", f"had seen {first} when it said Scaling") in lines(answer)
    assert ("likely", "", f"just before, in its owner: {first}") in lines(answer)
    assert ("known", "", f"#{second.number} spec.replicas changed from 1 to 2") in lines(answer)
    assert not any("nothing was recorded" in text for text in unknown(answer))


def test_what_cannot_be_known_is_said(fake, lab, web):
    fake.refused = {"v1/events": 403, "events.k8s.io/v1/events": 403}
    answer = lab.why("pod/web-1-a", "status.phase")
    assert [text.partition(":")[0] for text in unknown(answer)] == [
        "who wrote it",
        "what was said about it",
        "what changed just before",
        "which watch event made the controller of ReplicaSet web-1 act is not recorded by a real cluster; "
        "run this on k8slab to see it",
    ]
    assert "not allowed to list: events" in answer.notes


def test_writers_that_were_merged_are_forgotten(fake, lab, web):
    web[2]["metadata"]["managedFields"] = [wrote("ancient-changes", {"f:status": {"f:phase": {}}})]
    found = [link for link in lab.why("pod/web-1-a", "status.phase").links if link.who == "ancient-changes"]
    assert [link.certainty for link in found] == ["unknown"]


def test_a_field_that_nobody_claims_is_the_servers(lab, written):
    assert any("no manager claims it" in text for text in unknown(lab.why("pod/web-1-a", "metadata.uid")))


def test_a_field_that_is_not_there_is_answered_by_those_that_are(lab, written):
    with pytest.raises(ValueError, match=r"Deployment web has no field 'spec.replica'; there is: replicas"):
        lab.why("deploy/web", "spec.replica")


def test_a_secret_keeps_its_content(fake, lab):
    copy = {"kubectl.kubernetes.io/last-applied-configuration": "aHVudGVyMg==", "example.com/note": "aHVudGVyMg=="}
    fake.add("v1/secrets", "s", data={"password": "aHVudGVyMg=="}, metadata={"annotations": copy})
    with pytest.raises(ValueError, match="no more of a Secret than its metadata"):
        lab.why("secret/s", "data.password")
    for answer in (lab.why("secret/s"), lab.why("secret/s", "metadata.annotations"), lab.timeline("secret/s")):
        assert "aHVudGVyMg" not in f"{answer.text} {answer.json()}"


def test_of_many_events_the_last_are_shown_and_the_table_has_all(fake, lab, web):
    for number in range(15):
        told(fake, web[2], f"e{number}", message=f"said-{number}-", firstTimestamp=f"2026-01-01T00:00:{number + 10}Z")
    answer = lab.why("pod/web-1-a")
    assert "... 5 earlier events, in the table ..." in answer.text
    assert "said-4-" not in answer.text
    assert "said-5-" in answer.text
    assert "said-4-" in str(answer.table)


def test_a_notebook_gets_text_and_picture(lab, written):
    answer = lab.why("deploy/web", "spec.replicas")
    bundle = answer._repr_mimebundle_()
    assert bundle["text/plain"] == str(answer) == answer.text
    assert bundle["text/plain"].startswith("Deployment web: spec.replicas = 1, as far as this cluster tells:\nknown ")
    assert answer.svg.startswith("<svg")
    assert answer.json()["table"]["columns"] == ["Certainty", "Time", "Who", "Does", "How it is known"]
