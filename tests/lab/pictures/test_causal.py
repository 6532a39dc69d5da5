from __future__ import annotations

from k8slab import Cluster
from k8slab.lab.pictures.causal import causal_graph, deals
from k8slab.lab.pictures.scope import command_of, effects_of, scope_of
from tests.lab.worlds import create, scale

from .lives import parts


def test_from_a_command_to_the_last_report(young):
    lines = causal_graph(*parts(young), command="POST").text.splitlines()
    assert lines[0].startswith("input you: POST /apis/apps/v1/namespaces/default/deployments")
    assert "deployment-controller: Deployment web, creates ReplicaSet" in lines[1]
    assert "replicaset-controller: ReplicaSet web-" in lines[2]
    assert "kube-scheduler: Pod web-" in lines[3]
    assert any("PullImage nginx, RunPodSandbox, CreateContainer, StartContainer" in line for line in lines)
    assert any("reports it as 2/2 ready" in line for line in lines)


def test_time_runs_along_the_arrows_and_never_in_a_circle(old):
    engine, trace = parts(old)
    for deal in deals(engine, trace, list(trace), scope_of(engine, trace)):
        assert deal.id not in deal.causes
    model = causal_graph(engine, trace, start=0, limit=10_000).model
    place = {node.id: number for number, node in enumerate(model.nodes)}
    assert all(place[edge.source] < place[edge.target] for edge in model.edges)


def test_that_a_cluster_was_made_is_not_why_it_was_asked_for_something(young):
    roots = [node.lines[1] for node in causal_graph(*parts(young), start=0).model.nodes if node.kind == "input"]
    assert [each.split(" ")[0] for each in roots] == ["POST", "PATCH"]


def test_of_a_command_everything_goes_back_to_it(young):
    engine, trace = parts(young)
    found = deals(engine, trace, effects_of(trace, command_of(trace, "POST")), scope_of(engine, trace))
    assert [deal.id for deal in found if not deal.causes] == [found[0].id]


def test_a_thousand_records_are_few_boxes_that_can_be_opened(old):
    engine, trace = parts(old)
    assert len(trace) > 1000
    picture = causal_graph(engine, trace, start=0)
    assert len(picture.text.splitlines()) < 100
    assert "reconciles: kube-scheduler" in picture.text
    opened = causal_graph(engine, trace, start=0, expand=["kube-scheduler"])
    assert "binds it to node-" in opened.text


def test_it_can_be_about_one_component_or_one_object(old):
    engine, trace = parts(old)
    who = {node.lines[0] for node in causal_graph(engine, trace, component="kubelet", start=0).model.nodes}
    assert who == {"you", "kubelet-node-1", "kubelet-node-2", "kubelet-node-3"}
    about = causal_graph(engine, trace, "deploy/web", start=0).model.nodes
    assert not [node for node in about if "its node" in node.lines]


def test_a_window_holds_what_happened_in_it(old):
    text = causal_graph(*parts(old), start="20s", end="25s").text
    assert text.startswith("input you: PATCH")
    assert text.splitlines()[0].endswith("(+2.5s)")
    assert "PullImage nginx:1.27" in text


def test_the_same_life_has_the_same_text():
    texts = []
    for _ in range(2):
        with Cluster(nodes=2, seed=3) as cluster:
            create(cluster, "web", 2)
            cluster.run_until_idle()
            scale(cluster, "web", 1)
            cluster.run_until_idle()
            texts.append(str(causal_graph(*parts(cluster))))
    assert texts[0] == texts[1]
