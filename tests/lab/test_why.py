from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from k8slab import Cluster
from tests.lab.worlds import create, delete, scale, update

CREATE = "kubectl create deployment web --image=nginx --replicas=3"


@pytest.fixture(scope="module")
def cluster():
    with Cluster(nodes=3, seed=1) as cluster:
        cluster.kubectl(CREATE)
        cluster.run_until_idle()
        yield cluster


def does(why) -> list[str]:
    return [f"{link.who} {link.says}" for link in why.links]


def test_a_field_is_traced_from_the_learners_own_command(cluster):
    why = cluster.why("deployment/web", field="status.readyReplicas")
    assert why.now == "3"
    first, *_, last = does(why)
    assert first == f"you {CREATE}"
    assert last.startswith("deployment-controller works on web: changes Deployment web (status.readyReplicas: 3")
    assert any(each.startswith("kube-scheduler works on web-") and "spec.nodeName: node-" in each for each in does(why))


def test_what_a_kubelet_asked_of_its_runtime_is_told(cluster):
    pod = cluster.kubectl("get pods -o name").stdout.split()[0]
    calls = [call.split()[0] for link in cluster.why(pod).links for call in link.calls]
    assert calls[-3:] == ["RunPodSandbox", "CreateContainer", "StartContainer"]


def test_the_answer_can_be_read_as_text_as_a_table_and_as_a_picture(cluster):
    why = cluster.why("deploy/web")
    lines = str(why).splitlines()
    assert lines[0] == "Deployment web, because:"
    assert len(lines) == len(why.links) + 1 == len(why.table.rows) + 1
    assert ET.fromstring(why.svg).tag.endswith("svg")
    assert set(why._repr_mimebundle_()) == {"text/plain", "image/svg+xml"}
    assert "stopped" not in why.graph.svg


def test_of_a_long_chain_the_middle_is_left_out_and_can_be_had():
    with Cluster(nodes=2, seed=1) as cluster:
        create(cluster, "web", 4)
        cluster.run_until_idle()
        update(cluster, "web", "nginx:1.27")
        cluster.run_until_idle()
        why = cluster.why("deployment/web", field="status.updatedReplicas")
        assert len(str(why).splitlines()) == 14
        assert " links with " in str(why)
        assert len(why.full.splitlines()) == len(why.links) + 1
        assert len(why.picture.model.nodes) == 13


def test_a_value_of_the_past_has_its_own_reason():
    with Cluster(nodes=2, seed=1) as cluster:
        create(cluster, "web", 2)
        cluster.run_until_idle()
        then = cluster.store.revision
        scale(cluster, "web", 1)
        cluster.run_until_idle()
        assert cluster.why("deployment/web", field="spec.replicas", revision=then).now == "2"
        assert cluster.why("deployment/web", field="spec.replicas").now == "1"


def test_a_deletion_has_a_reason():
    with Cluster(nodes=1, seed=1) as cluster:
        create(cluster, "web", 1)
        cluster.run_until_idle()
        pod = cluster.kubectl("get pods -o name").stdout.split()[0]
        delete(cluster, "web")
        cluster.run_for("60s")
        assert ": deletes Pod web-" in does(cluster.why(pod))[-1]
        assert any("garbage-collector" in each for each in does(cluster.why(pod)))


def test_a_heartbeat_is_nobodys_wish_but_times(cluster):
    cluster.run_for("30s")
    why = cluster.why("lease/node-1", namespace="kube-node-lease")
    assert does(why)[:2] == ["you run_for('30s')", "you lets time pass"]
    assert does(why)[2].startswith("kubelet-node-1 changes Lease kube-node-lease/node-1 (spec.renewTime: ")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("pod/nothing", r"there is no Pod 'nothing' in 'default'; there are: web-"),
        ("pot/web", r"no kind 'pot' is served; did you mean pod"),
        ("web", r"cannot tell which object 'web' is; write kind/name"),
        ("job/web", r"there is no Job 'web' in 'default'; there is no Job at all"),
    ],
)
def test_what_there_is_not_is_answered_by_what_there_is(cluster, asked, says):
    with pytest.raises(ValueError, match=says):
        cluster.why(asked)


def test_a_field_that_never_was_is_named(cluster):
    with pytest.raises(ValueError, match=r"has no field 'status.nothing'"):
        cluster.why("deployment/web", field="status.nothing")


def test_a_revision_has_a_reason_and_one_that_is_not_kept_a_range(cluster):
    commit = cluster.trace.last_commit("deployments/default/web")
    assert cluster.why(revision=commit.revision).links[-1].record == commit
    with pytest.raises(ValueError, match=r"revision 100000 is not in the trace; it holds: 1 to \d+"):
        cluster.why(revision=100_000)
