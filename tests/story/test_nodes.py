"""What people do about nodes, by the real kubectl."""

from __future__ import annotations

import pytest

from k8slab import Cluster


@pytest.fixture
def cluster():
    with Cluster(nodes=3, seed=1) as cluster:
        cluster.kubectl("create deployment web --image=nginx --replicas=6").check()
        cluster.run_until_idle()
        yield cluster


def told(cluster, command):
    return cluster.kubectl(command).check().stdout


def nodes_of(cluster, more=""):
    path = "-o jsonpath={.items[*].spec.nodeName}"
    return sorted(set(told(cluster, f"get pods {more} {path}").split()))


def status(cluster, node="node-1"):
    return told(cluster, f"get node {node} --no-headers").split()[1]


def taints(cluster, node="node-1"):
    path = '-o jsonpath={range.spec.taints[*]}{.key}:{.effect}{"\\n"}{end}'
    return told(cluster, ["get", "node", node, *path.split(" ", 1)]).split()


def test_a_cordoned_node_keeps_its_pods_and_gets_no_more(cluster):
    assert told(cluster, "cordon node-1") == "node/node-1 cordoned\n"
    assert status(cluster) == "Ready,SchedulingDisabled"
    assert taints(cluster) == ["node.kubernetes.io/unschedulable:NoSchedule"]
    before = told(cluster, "get pods --field-selector=spec.nodeName=node-1 -o name").split()
    told(cluster, "scale deployment web --replicas=12")
    cluster.run_until_idle()
    assert told(cluster, "get pods --field-selector=spec.nodeName=node-1 -o name").split() == before
    assert told(cluster, "uncordon node-1") == "node/node-1 uncordoned\n"
    assert (status(cluster), taints(cluster)) == ("Ready", [])


def test_a_taint_by_hand_drives_pods_out_at_once(cluster):
    assert told(cluster, "taint node node-1 disk=broken:NoExecute") == "node/node-1 tainted\n"
    cluster.run_for("40s")
    assert nodes_of(cluster) == ["node-2", "node-3"]
    assert "Marking for deletion Pod default/web-" in told(cluster, "get events")
    assert told(cluster, "taint node node-1 disk-") == "node/node-1 untainted\n"
    assert taints(cluster) == []


def test_a_lost_nodes_pods_move_on_after_five_minutes(cluster):
    with cluster.fault("node-lost", node="node-1"):
        cluster.run_for("60s")
        assert status(cluster) == "NotReady"
        assert nodes_of(cluster) == ["node-1", "node-2", "node-3"]
        cluster.run_for("5m")
        pods = told(cluster, "get pods -o wide").splitlines()[1:]
        assert {line.split()[2] for line in pods if "node-1" in line} == {"Terminating"}
        assert sum(" Running " in line for line in pods) == 6
    cluster.run_for("30s")
    assert status(cluster) == "Ready"
    assert nodes_of(cluster) == ["node-2", "node-3"]


def test_a_partitioned_nodes_containers_run_on_until_it_hears_again(cluster):
    with cluster.fault("node-partitioned", node="node-1"):
        cluster.run_for("6m")
        assert "Terminating" in told(cluster, "get pods")
        assert cluster.engine.runtimes["node-1"].list_containers()
    cluster.run_for("60s")
    assert "Terminating" not in told(cluster, "get pods")
    assert cluster.engine.runtimes["node-1"].list_containers() == []


def test_a_node_that_was_gone_for_a_minute_only_keeps_its_pods(cluster):
    before = told(cluster, "get pods -o name")
    with cluster.fault("node-partitioned", node="node-1"):
        cluster.run_for("90s")
        assert "NotReady" in status(cluster)
        ready = told(cluster, "get deployment web --no-headers").split()[1]
        assert ready == "4/6"
    cluster.run_for("15s")
    assert told(cluster, "get deployment web --no-headers").split()[1] == "6/6"
    cluster.run_for("10m")
    assert told(cluster, "get pods -o name") == before
    assert "Cancelling deletion of Pod default/web-" in told(cluster, "get events")


def test_a_deleted_nodes_pods_are_removed_and_it_comes_back_with_another_range(cluster):
    before = told(cluster, "get node node-1 -o jsonpath={.spec.podCIDR}")
    assert told(cluster, "delete node node-1") == 'node "node-1" deleted\n'
    cluster.run_for("2m")
    assert nodes_of(cluster) == ["node-2", "node-3"]
    assert told(cluster, "get leases -n kube-node-lease -o name").count("lease") == 2
    assert cluster.engine.runtimes["node-1"].list_containers() == []
    cluster.fault("restart", component="kubelet-node-1").start()
    cluster.run_for("10s")
    assert status(cluster) == "Ready"
    assert told(cluster, "get node node-1 -o jsonpath={.spec.podCIDR}") != before


def test_an_administrator_who_says_out_of_service_need_not_wait(cluster):
    with cluster.fault("node-lost", node="node-1"):
        cluster.run_for("60s")
        told(cluster, "taint node node-1 node.kubernetes.io/out-of-service=nodeshutdown:NoExecute")
        cluster.run_for("30s")
        assert nodes_of(cluster) == ["node-2", "node-3"]


def test_endpoints_follow(cluster):
    told(cluster, "expose deployment web --port=80")
    cluster.run_until_idle()

    def ready():
        path = "-o jsonpath={.items[0].endpoints[?(@.conditions.ready==true)].nodeName}"
        return sorted(set(told(cluster, ["get", "endpointslices", *path.split(" ", 1)]).split()))

    assert ready() == ["node-1", "node-2", "node-3"]
    with cluster.fault("node-lost", node="node-1"):
        cluster.run_for("60s")
        assert ready() == ["node-2", "node-3"]
    assert "Endpoints:" in told(cluster, "describe service web")
