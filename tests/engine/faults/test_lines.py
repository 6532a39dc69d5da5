"""A slow watch, a line that is cut, a server that answers with errors: what is seen of it, and that nothing but time is lost."""

from __future__ import annotations

import pytest

from k8slab.api.apps import Deployment
from k8slab.api.core import Pod
from k8slab.apimachinery.errors import ApiError
from k8slab.cluster import Cluster
from tests.engine.faults.harness import KUBELET, SCHEDULER, create, node_of, running
from tests.engine.harness import deployment, end_state, phase, restarts


def test_a_slow_watch_tells_late(cluster):
    with cluster.fault("slow-watch", component=SCHEDULER, delay=10, repeat=0, lose=0):
        create(cluster)
        cluster.run_for(0)
        assert node_of(cluster) == ""
        cluster.run_for(10)
        assert node_of(cluster) == "node-1"


def test_when_the_bad_day_is_over_all_is_told_at_once(cluster):
    with cluster.fault("slow-watch", component=SCHEDULER, delay=100, repeat=0, lose=0):
        create(cluster)
        cluster.run_for(0)
    cluster.run_for(0)
    assert node_of(cluster) == "node-1"


def test_a_kubelet_is_not_idle_while_its_watch_holds_news_back(cluster):
    with cluster.fault("slow-watch", component=KUBELET, delay=9, repeat=0, lose=0):
        create(cluster)
        cluster.run_until_idle()
        assert phase(cluster) == "Running"


def test_a_worse_day_follows_a_bad_one(cluster):
    cluster.fault("slow-watch", component=SCHEDULER, delay=1, repeat=0, lose=0).start()
    cluster.fault("slow-watch", component=SCHEDULER, delay=1000, repeat=0, lose=0).start()
    create(cluster)
    cluster.run_for(1)
    assert node_of(cluster) == ""


def test_who_has_lost_its_watches_lists_anew(cluster):
    cluster.fault("dropped-watch", component=SCHEDULER).start()
    create(cluster)
    cluster.run_for(0)
    assert node_of(cluster) == "node-1"


def test_who_is_cut_off_does_nothing_and_catches_up(cluster):
    with cluster.fault("cut-off", component=SCHEDULER):
        create(cluster)
        cluster.run_for(60)
        assert node_of(cluster) == ""
    cluster.run_for(1)
    assert node_of(cluster) == "node-1"


def test_a_line_that_is_cut_twice_is_mended_twice(cluster):
    with cluster.fault("cut-off", component=KUBELET):
        with cluster.fault("node-partitioned", node="node-1"):
            create(cluster)
        cluster.run_for(30)
        assert phase(cluster) == "Pending"
    cluster.run_until_idle()
    assert phase(cluster) == "Running"


def test_news_that_is_held_back_behind_a_cut_stops_no_clock(cluster):
    with cluster.fault("slow-watch", component=SCHEDULER, delay=5, repeat=0, lose=0):
        create(cluster)
        cluster.run_for(0)
        with cluster.fault("cut-off", component=SCHEDULER):
            cluster.run_for(60)
    cluster.run_for(1)
    assert node_of(cluster) == "node-1"


def test_each_request_takes_its_time(cluster):
    with cluster.fault("api-latency", component=SCHEDULER, seconds=3):
        create(cluster)
        cluster.run_for(0)
        assert node_of(cluster) == "node-1"  # what it asked for is done at once, and it waits for the answer
        create(cluster, "other")
        cluster.run_for(2.9)
        assert node_of(cluster, "other") == ""
        cluster.run_for(10)
        assert node_of(cluster, "other") == "node-1"


@pytest.mark.parametrize("code", [429, 503])
def test_requests_fail_and_are_tried_again(cluster, code):
    with cluster.fault("api-errors", component=SCHEDULER, share=1, code=code):
        create(cluster)
        cluster.run_for(30)
        assert node_of(cluster) == ""
    cluster.run_until_idle()
    assert node_of(cluster) == "node-1"


def test_a_share_of_requests_fails_by_the_seed():
    ends = []
    for _ in range(2):
        with Cluster(nodes=1, seed=3) as cluster, cluster.fault("api-errors", component=KUBELET, share=0.7):
            cluster.client.create(Deployment, deployment("web", 3), "default")
            cluster.run_until_idle("1h")
            ends.append(cluster._engine.log_digest())
            assert end_state(cluster)["containers"] == ["web"] * 3
    assert ends[0] == ends[1]


def test_a_partitioned_node_runs_on_and_hears_of_a_deletion_later(cluster):
    create(cluster)
    cluster.run_until_idle()
    with cluster.fault("node-partitioned", node="node-1"):
        cluster.client.delete(Pod, "web", "default")
        cluster.run_for(60)
        assert len(running(cluster)) == 1
    cluster.run_until_idle()
    assert (running(cluster), cluster.client.list(Pod)) == ([], [])


def test_a_partitioned_node_starts_a_crashed_container_again_and_tells_later(cluster):
    create(cluster)
    cluster.run_until_idle()
    with cluster.fault("node-partitioned", node="node-1"):
        cluster.fault("dropped-watch", component=KUBELET).start()
        cluster.fault("container-crash", pod="web").start()
        cluster.run_for(30)
        assert ([each.attempt for each in running(cluster)], restarts(cluster)) == ([1], 0)
    cluster.run_until_idle()
    assert restarts(cluster) == 1


def test_nobody_gets_into_a_container_of_a_partitioned_node(cluster):
    create(cluster)
    cluster.run_until_idle()
    with cluster.fault("node-partitioned", node="node-1"), pytest.raises(ApiError, match="connection refused"):
        cluster.client.raw("GET", "/api/v1/namespaces/default/pods/web/log")
