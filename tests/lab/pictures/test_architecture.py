from __future__ import annotations

from collections import Counter

import pytest

from k8slab import Cluster
from k8slab.lab.pictures.architecture import MANAGED, MANAGER, SERVER, architecture
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


def test_a_box_says_how_much_was_said(cluster):
    engine, trace = parts(cluster)
    said = box(architecture(engine, trace), "kube-scheduler").lines[1]
    asked = len(trace.select(kind="request", component="kube-scheduler"))
    heard = len(trace.select(kind="delivery", component="kube-scheduler"))
    assert said == f"{asked} asked \u00b7 {heard} heard"


def test_a_window_counts_only_what_was_said_in_it(cluster):
    cluster.run_for("3s")
    picture = architecture(*parts(cluster), start=cluster.now - 1_767_225_600 - 0.5)
    assert box(picture, "kube-scheduler").lines[1] == "0 asked \u00b7 0 heard"


def test_controllers_that_are_well_share_a_box_and_each_has_its_numbers(cluster):
    engine, trace = parts(cluster)
    manager = box(architecture(engine, trace), MANAGER)
    asked = Counter(record.component for record in trace.select(kind="request"))
    heard = Counter(record.component for record in trace.select(kind="delivery"))
    names = [name for name in engine.processes.lines if name in MANAGED]
    assert len(names) > 10
    assert manager.lines[2:] == tuple(f"{name}: {asked[name]} \u00b7 {heard[name]}" for name in names)
    assert manager.lines[1] == f"{sum(asked[n] for n in names)} asked \u00b7 {sum(heard[n] for n in names)} heard"


def test_a_controller_that_is_broken_leaves_the_box(cluster):
    with cluster.fault("crash", component="replicaset-controller"):
        picture = architecture(*parts(cluster))
    assert box(picture, "replicaset-controller").state == "stopped"
    assert "replicaset-controller" not in " ".join(box(picture, MANAGER).lines)


def test_many_with_the_same_trouble_share_a_box_which_says_so(cluster):
    for name in MANAGED:
        cluster.fault("cut-off", component=name).start()
    picture = architecture(*parts(cluster))
    shared = box(picture, f"{len(MANAGED)} controllers, cut off")
    assert (shared.lines[0], shared.state, shared.style) == (f"{len(MANAGED)} controllers", "cut off", "broken")
    assert arrow(picture, shared.id).kind == "dashed"
    assert MANAGER not in [node.id for node in picture.model.nodes]


def test_candidates_stand_for_their_controllers():
    with Cluster(nodes=1, seed=1, candidates={"kube-controller-manager": 2}) as cluster:
        names = [node.id for node in architecture(*parts(cluster)).model.nodes]
    assert [name for name in names if "controller" in name] == [
        "kube-controller-manager-0",
        "kube-controller-manager-1",
    ]


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
    assert picture.json()["width"] <= 1050  # a notebook shows it at eight tenths of its size, or more
    assert box(picture, "etcd").kind == "store"


def test_fifty_machines_are_few_boxes():
    with Cluster(nodes=50, seed=1) as cluster:
        picture = architecture(*parts(cluster))
    assert "50 Nodes: machines" in picture.text
