from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.lab.pictures.architecture import SERVER, architecture
from tests.lab.worlds import create

from .lives import parts


@pytest.fixture
def cluster():
    with Cluster(nodes=2, seed=1) as cluster:
        create(cluster, "web", 2)
        cluster.run_until_idle()
        yield cluster


def box(picture, name: str):
    return next(node for node in picture.model.nodes if node.id == name)


def arrow(picture, name: str):
    return next(edge for edge in picture.model.edges if name in (edge.source, edge.target))


def test_every_line_goes_to_the_api_server_or_from_it_but_for_the_runtimes(cluster):
    picture = architecture(*parts(cluster))
    others = [edge for edge in picture.model.edges if SERVER not in (edge.source, edge.target)]
    assert [edge.target for edge in others] == ["Node/node-1", "Node/node-2"]


def test_arrows_say_how_much_was_said(cluster):
    engine, trace = parts(cluster)
    label = arrow(architecture(engine, trace), "kube-scheduler").label
    asked = len(trace.select(kind="request", component="kube-scheduler"))
    heard = len(trace.select(kind="delivery", component="kube-scheduler"))
    assert label == f"{asked} asked \u00b7 {heard} heard"


def test_a_window_counts_only_what_was_said_in_it(cluster):
    cluster.run_for("3s")
    assert arrow(architecture(*parts(cluster), start=cluster.now - 1_767_225_600 - 0.5), "kube-scheduler").label == (
        "0 asked \u00b7 0 heard"
    )


def test_a_machine_names_the_pods_that_run_on_it(cluster):
    lines = [line for name in ("Node/node-1", "Node/node-2") for line in box(architecture(*parts(cluster)), name).lines]
    assert sum(line.startswith("web-") for line in lines) == 2


@pytest.mark.parametrize(
    ("fault", "arguments", "name", "told"),
    [
        ("crash", {"component": "kube-scheduler"}, "kube-scheduler", "stopped"),
        ("cut-off", {"component": "replicaset-controller"}, "replicaset-controller", "cut off"),
        ("api-latency", {"component": "deployment-controller"}, "deployment-controller", "each request takes 1s"),
        ("api-errors", {"component": "deployment-controller"}, "deployment-controller", "50% of requests fail (503)"),
        ("slow-watch", {"component": "deployment-controller"}, "deployment-controller", "hears late"),
        ("clock-skew", {"component": "kube-scheduler", "ahead": "7s"}, "kube-scheduler", "clock +7s"),
        ("node-lost", {"node": "node-2"}, "kubelet-node-2", "stopped"),
    ],
)
def test_what_is_broken_is_shown(cluster, fault, arguments, name, told):
    with cluster.fault(fault, **arguments):
        picture = architecture(*parts(cluster))
    assert (box(picture, name).state, box(picture, name).kind, box(picture, name).style) == (
        told,
        "component",
        "broken",
    )
    assert arrow(picture, name).kind == ("dashed" if told in ("stopped", "cut off") else "")


def test_nothing_runs_on_a_lost_machine(cluster):
    with cluster.fault("node-lost", node="node-2"):
        assert box(architecture(*parts(cluster)), "Node/node-2").state == "no Pods"


def test_parts_that_this_cluster_has_not_are_drawn_if_asked_for(cluster):
    assert "kube-proxy" not in architecture(*parts(cluster)).text
    picture = architecture(*parts(cluster), missing=True)
    assert "not here kube-proxy" in picture.text
    assert box(picture, "kube-proxy").style == "absent"


def test_every_component_asks_the_api_server_and_the_api_server_asks_only_etcd(cluster):
    edges = architecture(*parts(cluster), missing=True).model.edges
    assert [edge.target for edge in edges if edge.source == SERVER] == ["etcd"]
    assert {"kube-scheduler", "kubelet-node-1", "kubelet-node-2"} <= {e.source for e in edges if e.target == SERVER}


def test_controllers_stand_before_the_api_server_and_machines_behind_it(cluster):
    picture = architecture(*parts(cluster), missing=True)
    x = {node["id"]: node["x"] for node in picture.json()["nodes"]}
    assert x["kube-scheduler"] < x[SERVER] < x["kubelet-node-1"] < x["Node/node-1"]
    assert picture.json()["width"] <= 1300  # a notebook shows it at six tenths of its size, or more
    assert box(picture, "etcd").kind == "store"


def test_fifty_machines_are_few_boxes():
    with Cluster(nodes=50, seed=1) as cluster:
        picture = architecture(*parts(cluster))
    assert "50 Nodes: machines" in picture.text
