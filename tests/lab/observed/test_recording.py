from __future__ import annotations

import pytest

from k8slab.lab.connect import Lab
from tests.lab.observed.test_following import event


@pytest.fixture
def eventful(fake, web):
    deployment, _, pod = web
    fake.watches["deployments"] = [[event("MODIFIED", deployment, "d2", spec={"replicas": 2})]]
    fake.watches["pods"] = [[event("DELETED", pod, "p2")]]
    return fake


def test_a_recording_says_what_came_and_which_order_is_known(eventful, lab):
    found = lab.record("20s", ["deploy", "po"], until=lambda changes: len(changes) == 2)
    assert sorted(str(change)[3:] for change in found) == [
        "Deployment web changed: spec.replicas",
        "Pod web-1-a deleted",
    ]
    assert [change.number for change in found.changes] == [1, 2]
    assert found.notes == ("within one kind this is the server's order; between kinds only the order of arrival here",)
    assert sorted(row[2:] for row in found.table.rows) == [
        ("Deployment/default/web", "changed", "spec.replicas"),
        ("Pod/default/web-1-a", "deleted", ""),
    ]
    assert found.timeline.lanes == ("Deployment", "Pod")
    assert lab.recordings == [found]


def test_a_watch_brings_changes_as_they_come_and_is_a_recording_in_the_end(eventful, lab):
    for change in lab.watch("20s", ["pods"]):
        assert change.type == "DELETED"
        break
    assert len(lab.recordings[0]) == 1


def test_by_default_pods_and_what_makes_pods_are_followed(fake, lab):
    assert [kind.name for kind in lab.record(0).kinds] == ["pods", "deployments.apps", "replicasets.apps"]


def test_it_ends_in_time_or_when_nothing_is_left_to_follow(fake, lab):
    assert len(lab.record(0.01, ["pods"])) == 0
    fake.refused = {"v1/pods": 403}
    assert lab.record("60s", ["pods"]).notes[0] == "pods: not allowed to list"


def test_interrupting_keeps_what_came(eventful, lab):
    def interrupted(changes):
        if changes:
            raise KeyboardInterrupt
        return False

    assert len(lab.record("20s", ["pods"], until=interrupted)) == 1


def test_a_kind_that_cannot_be_watched_is_refused(fake, tmp_path, monkeypatch):
    monkeypatch.setattr("tests.lab.observed.fake_cluster.ALL", ["get", "list"])
    with (
        Lab.connect(fake.kubeconfig(tmp_path)) as lab,
        pytest.raises(ValueError, match="this cluster cannot watch pods"),
    ):
        lab.record("1s", ["pods"])
