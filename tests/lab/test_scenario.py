"""Scenarios: read with care, played in order, reported line by line."""

from __future__ import annotations

import pytest

from k8slab.api.core import ConfigMap
from k8slab.cluster import Cluster
from k8slab.lab.cluster import Cluster as LabCluster
from k8slab.lab.expectation import MISSING, walk
from k8slab.lab.played import ScenarioFailed, events
from k8slab.lab.scenario import Scenario, ScenarioError
from k8slab.loop.kubectl import Kubectl
from tests.engine.harness import act

ROLLOUT = """\
name: a node is lost during a rollout
cluster: {nodes: 3, seed: 7}
steps:
  - at: 0s
    kubectl: create deployment web --image=nginx --replicas=3
  - at: 10s
    fault: node-lost
    with: {node: node-1}
    for: 30s
  - at: 20s
    kubectl: apply -f -
    stdin: |
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: settings}
  - at: 60s
    expect: {kind: Deployment, name: web, field: status.readyReplicas, equals: 3}
"""


@pytest.fixture
def cluster():
    with Cluster(nodes=1) as cluster:
        yield cluster


def scenario(*steps, **more):
    return Scenario.of({"steps": list(steps), **more})


def expect(at=0, **what):
    return {"at": at, "expect": what}


def crash(at, component="kube-scheduler", **more):
    return {"at": at, "fault": "crash", "with": {"component": component}, **more}


def rows(played):
    return [(each.time, each.what, each.said, each.ok) for each in played.happenings]


# Reading.


def test_the_readmes_scenario_is_played():
    with Scenario.load(ROLLOUT).play() as played:
        assert str(played.check()) == (
            "a node is lost during a rollout\n"
            "TIME   WHAT                                                       RESULT   SAID\n"
            "+0s    kubectl create deployment web --image=nginx --replicas=3   ok       deployment.apps/web created\n"
            "+10s   node-lost node=node-1                                      ok       begins\n"
            "+20s   kubectl apply -f -                                         ok       configmap/settings created\n"
            "+40s   node-lost node=node-1                                      ok       ends\n"
            "+60s   expect Deployment web status.readyReplicas: 3              ok       holds: 3\n"
            "all as it should be"
        )
        assert "<table>" in played._repr_html_()
        assert (len(played.cluster.nodes), played.cluster.seed) == (3, 7)


def test_it_can_be_written_and_read_again(tmp_path):
    first = Scenario.load(ROLLOUT)
    assert Scenario.load(first.save(tmp_path / "rollout.yaml")) == first
    assert Scenario.load(str(tmp_path / "rollout.yaml")) == first
    assert "    stdin: |\n" in first.yaml().replace("  stdin", "    stdin")
    assert "for: 30s" in str(first)


def test_what_was_left_out_stays_out_and_null_stays_in():
    given = scenario(expect(kind="Pod", name="web", field="status.podIP", equals=None))
    assert Scenario.load(given.yaml()) == given
    assert given.yaml() == (
        "steps:\n- at: 0s\n  expect:\n    kind: Pod\n    name: web\n    field: status.podIP\n    equals: null\n"
    )


STEP = "  - {at: 1s, kubectl: get pods}\n"
MISTAKES = {
    "steps: 3\nname: x\n": r"^scenario, line 1: steps: input should be a valid list, and this is 3$",
    "name: x\nlasts: 3s\n": r"^scenario, line 1: steps: 'steps' has to be given$",
    "- 1\n- 2\n": r"^scenario: a scenario is a mapping, with 'steps:'; this has a list$",
    "\n\n": r"this has nothing in it$",
    "steps:\n  - [1\n": r"^scenario, line 3: this is not YAML: ",
    "steps:\n  - {at: \x00}\n": r"^scenario: this is not YAML: ",
    "name: a\nsteps: []\nname: b\n": r"^scenario, line 3: 'name' is given twice$",
    f"steps:\n{STEP}  - at: 2s\n    kubectl: a\n    at: 3s\n": r"^scenario, line 5: 'at' is given twice$",
    "steps:\n  - {at: 1s, fautl: crash}\n": (
        r"^scenario, line 2: steps\[0\]\.fautl: there is no 'fautl' here; there are: name, at, .*with, for, until"
    ),
    "cluster: {size: 3}\nsteps: []\n": r"line 1: cluster\.size: there is no 'size' here; there are: nodes, seed, candidates$",
    "cluster: {nodes: true}\nsteps: []\n": r"line 1: cluster\.nodes: nodes are a number, or a list of names, not True$",
    "cluster: {seed: x}\nsteps: []\n": r"line 1: cluster\.seed: input should be a valid integer.* and this is 'x'$",
    f"steps:\n{STEP}  - kubectl: get pods\n": r"^scenario, line 3: steps\[1\]\.at: 'at' has to be given$",
    "steps:\n  - {at: later, kubectl: x}\n": r"line 2: steps\[0\]\.at: not a duration: 'later'; write for example",
    "steps:\n  - {at: -1, kubectl: x}\n": r"steps\[0\]\.at: a time is 0 or more, and -1 is not$",
    "steps:\n  - {at: true, kubectl: x}\n": r"steps\[0\]\.at: a time is written for example '60s'.*, not True$",
    "steps:\n  - {at: .inf, kubectl: x}\n": r"steps\[0\]\.at: a time is 0 or more",
    "steps:\n  - at: 1s\n": r"line 2: steps\[0\]: a step has one of: kubectl, fault, expect; this has none$",
    "steps:\n  - {at: 1s, kubectl: x, fault: crash}\n": r"this has kubectl and fault$",
    "steps:\n  - {at: 1s, kubectl: 'a \" b'}\n": r"steps\[0\]\.kubectl: cannot read the command .*check its quotes$",
    "steps:\n  - {at: 1s, kubectl: kubectl}\n": r"steps\[0\]\.kubectl: the command is empty",
    "steps:\n  - {at: 1s, kubectl: {a: b}}\n": r"steps\[0\]\.kubectl: a command is a text, or a list of texts",
    "steps:\n  - {at: 1s, kubectl: x, for: 3s}\n": r"steps\[0\]: 'for' goes with a 'fault', and this is a 'kubectl'$",
    "steps:\n  - {at: 1s, fault: crash, stdin: x, with: {component: a}}\n": r"'stdin' goes with a 'kubectl'",
    "steps:\n  - {at: 1s, fault: quake}\n": r"line 2: steps\[0\]: unknown fault 'quake'; there are: slow-watch",
    "steps:\n  - {at: 1s, fault: crash}\n": r"steps\[0\]: the fault 'crash' needs component=",
    "steps:\n  - {at: 1s, fault: crash, with: {node: a}}\n": r"the fault 'crash' takes no 'node'; it takes: component",
    "steps:\n  - {at: 1s, fault: restart, with: {component: a}, for: 3s}\n": r"'restart' happens once: it takes no 'for'",
    "steps:\n  - {at: 1s, fault: crash, with: {component: a}, for: 0}\n": r"a fault lasts for more than 0s$",
    "steps:\n  - {at: 1s, fault: crash, with: {component: a}, for: 1, until: end}\n": r"'for' a time or 'until' a step",
    f"steps:\n{STEP}  - {{at: 1s, fault: crash, with: {{component: a}}, until: x}}\n": (
        r"line 3: steps\[1\]\.until: no later step is called 'x'; there are: end$"
    ),
    "steps:\n  - {at: 1s, name: a, kubectl: x}\n  - {at: 1s, name: a, kubectl: x}\n": r"line 3: steps\[1\]\.name: .*taken",
    "steps:\n  - {at: 1s, name: end, kubectl: x}\n": r"a step cannot be called 'end': that is taken$",
    "steps:\n  - {at: 1s, fault: crash, with: {component: a}}\n  - {at: 2s, fault: crash, with: {component: a}}\n": (
        r"line 3: steps\[1\]: crash of a begins at 2s, and that of steps\[0\] has not ended$"
    ),
    "steps:\n  - {at: 1s, expect: {kind: Pood, name: x, exists: true}}\n": r"no kind 'Pood' is served; did you mean pod",
    "steps:\n  - {at: 1s, expect: {kind: Pod, name: x}}\n": r"expect one of: equals, at_least, .*; this has none$",
    "steps:\n  - {at: 1s, expect: {kind: Pod, name: x, equals: 1}}\n": r"'equals' is about a field: give its path",
    "steps:\n  - {at: 1s, expect: {kind: Pod, field: a, equals: 1}}\n": r"'equals' is about one object: give its 'name'",
    "steps:\n  - {at: 1s, expect: {kind: Pod, name: x, count: 1}}\n": r"'count' counts objects: it goes with 'labels'",
    "steps:\n  - {at: 1s, expect: {kind: Pod, name: x, field: 'a[', equals: 1}}\n": r"cannot read the path 'a\['; write",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_a_sentence_with_its_line(text):
    with pytest.raises(ScenarioError, match=MISTAKES[text]):
        Scenario.load(text)


def test_all_mistakes_are_told_together_and_a_notebook_shows_no_traceback():
    with pytest.raises(ScenarioError) as caught:
        Scenario.load("steps:\n  - {kubectl: get pods}\n  - {at: 1s, fault: quake}\n")
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [
        "scenario, line 2",
        "scenario, line 3",
    ]
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_a_file_that_is_none_is_named(tmp_path):
    with pytest.raises(ScenarioError, match=r"there is no file '.*nowhere.yaml'"):
        Scenario.load(tmp_path / "nowhere.yaml")
    with pytest.raises(ScenarioError, match=f"cannot read '{tmp_path}'"):
        Scenario.load(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ScenarioError, match="cannot read"):
        Scenario.load(tmp_path / "bytes.yaml")
    (tmp_path / "bad.yaml").write_text("steps: 3\n")
    with pytest.raises(ScenarioError, match=r"bad\.yaml, line 1: steps"):
        Scenario.load(tmp_path / "bad.yaml")


def test_a_mapping_has_no_lines():
    with pytest.raises(ScenarioError, match=r"^scenario: steps\[0\]\.at: 'at' has to be given$"):
        Scenario.of({"steps": [{"kubectl": "get pods"}]})


# The order.


def order(*steps, **more):
    return [(each.at, str(each.step), each.ends) for each in events(scenario(*steps, **more))]


def test_what_ends_at_a_moment_ends_before_what_comes_then_in_the_files_order():
    later, first = {"at": 5, "kubectl": "b"}, {"at": 5, "kubectl": "a"}
    assert order(later, crash(0, **{"for": 5}), first) == [
        (0, "crash component=kube-scheduler", False),
        (5, "crash component=kube-scheduler", True),
        (5, "kubectl b", False),
        (5, "kubectl a", False),
    ]


def test_a_fault_lasts_until_a_step_or_the_end():
    back = {"at": 7, "name": "back", "kubectl": "x"}
    last = {"at": 9, "kubectl": "y"}
    ends = [
        (at, what) for at, what, ends in order(crash(1, until="back"), crash(1, "kubelet-node-1"), back, last) if ends
    ]
    assert ends == [(7, "crash component=kube-scheduler"), (9, "crash component=kubelet-node-1")]
    assert order(crash(1, until="end"), last, lasts="1m")[-1] == (60, "crash component=kube-scheduler", True)


def test_a_fault_may_begin_again_when_it_has_ended():
    assert len(order(crash(0, **{"for": 5}), crash(5, **{"for": 5}))) == 4


# Playing.


def test_it_plays_on_a_given_cluster_from_now_on(cluster):
    cluster.run_for(100)
    act(cluster, "create", "web", 2)
    played = scenario(
        expect(5, kind="Deployment", name="web", field="status.readyReplicas", at_least=2), lasts=30
    ).play(cluster)
    assert (played.ok, played.cluster, cluster.now - cluster.clock.now()) == (True, cluster, 0)
    assert rows(played) == [(5.0, "expect Deployment web status.readyReplicas: at least 2", "holds: 2", True)]
    assert cluster.history()[-1].time <= cluster.now


def test_it_lasts_as_long_as_it_says(cluster):
    before = cluster.now
    scenario(lasts="2m").play(cluster)
    assert cluster.now == before + 120


def test_faults_begin_and_end(cluster):
    seen = []
    steps = [crash(1, **{"for": 5}), {"at": 2, "fault": "restart", "with": {"component": "kubelet-node-1"}}]
    played = scenario(*steps).play(cluster)
    seen = [(time, said) for time, _, said, _ in rows(played)]
    assert seen == [(1.0, "begins"), (2.0, "happens"), (6.0, "ends")]
    assert "kube-scheduler" in cluster.components


def test_a_fault_that_cannot_begin_is_reported_and_need_not_end(cluster):
    played = scenario({"at": 0, "fault": "container-crash", "with": {"pod": "nobody"}}).play(cluster)
    assert [(said.startswith("no node runs a Pod 'nobody'"), ok) for _, _, said, ok in rows(played)] == [(True, False)]


def test_a_scenario_that_does_not_fit_the_cluster_is_not_begun(cluster):
    before = cluster.store.revision
    with pytest.raises(ScenarioError, match=r"steps\[0\] \(node-lost\): unknown node 'node-7'; there are: node-1"):
        scenario({"at": 0, "fault": "node-lost", "with": {"node": "node-7"}}).play(cluster)
    assert cluster.store.revision == before
    with pytest.raises(ScenarioError, match=r"cluster: nodes=9999: a cluster has 0 to"):
        scenario(cluster={"nodes": 9999}).play()


def test_what_failed_is_reported_and_raised_only_on_demand(cluster):
    played = scenario(
        expect(kind="Node", name="node-1", field="spec.podCIDR", equals="10.0.0.0/8"),
        expect(kind="Node", count=1),
    ).play(cluster)
    assert [ok for *_, ok in rows(played)] == [False, True]
    with pytest.raises(ScenarioFailed, match=r"expected '10\.0\.0\.0/8', found '10\.244\.0\.0/24'") as caught:
        played.check()
    assert str(caught.value).endswith("1 of 2 not as it should be")
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_kubectl_succeeds_or_is_expected_to_fail(cluster):
    played = scenario(
        {"at": 0, "kubectl": ["get", "pod", "nobody"], "fails": True},
        {"at": 0, "kubectl": "get nodes", "fails": True},
        {"at": 0, "kubectl": "get pod nobody"},
    ).play(cluster)
    assert [each.ok for each in played.happenings] == [True, False, False]
    assert "(and should have failed)" in played.happenings[1].said
    assert played.happenings[2].kubectl.returncode == 1


def test_a_command_that_takes_its_time_makes_the_next_step_late(cluster):
    act(cluster, "create", "web", 1)
    wait = {"at": 0, "kubectl": "wait --for=condition=Available deployment/web"}
    played = scenario(wait, expect(0.5, kind="Pod", count=1)).play(cluster)
    assert played.happenings[1].time > 1
    assert "s late)" in str(played)


def test_a_breakpoint_ends_it_there_and_leaves_all_as_it_is():
    with LabCluster(nodes=1) as cluster:
        cluster.break_on(kind="Pod")
        create = {"at": 2, "kubectl": "create deployment web --image=nginx"}
        played = scenario(crash(1), create, expect(9, kind="Pod", count=1)).play(cluster)
        assert (played.happenings[-1].kind, played.ok) == ("halt", False)
        assert "kube-scheduler" not in cluster.components


def test_whoever_interrupts_it_finds_no_fault_left(cluster, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Cluster, "kubectl", interrupt)
    with pytest.raises(KeyboardInterrupt):
        scenario(crash(0), {"at": 1, "kubectl": "get pods"}).play(cluster)
    assert "kube-scheduler" in cluster.components


def test_a_cluster_of_its_own_is_closed_if_the_play_fails(monkeypatch):
    def fail(*_):
        raise RuntimeError("no kubectl")

    def close(cluster):
        closed.append(cluster)
        really_close(cluster)

    closed, really_close = [], LabCluster.close
    monkeypatch.setattr(Kubectl, "__init__", fail)
    monkeypatch.setattr(LabCluster, "close", close)
    with pytest.raises(RuntimeError, match="no kubectl"):
        scenario({"at": 0, "kubectl": "get pods"}).play()
    assert len(closed) == 1


# Expecting.


@pytest.mark.parametrize(
    ("what", "holds", "said"),
    [
        ({"kind": "cm", "name": "c", "field": "data.a", "equals": "1"}, True, "holds: '1'"),
        ({"kind": "cm", "name": "c", "field": "data.a", "equals": 1}, False, "expected 1, found '1'"),
        ({"kind": "cm", "name": "c", "field": "data.b", "equals": 0}, True, "holds: nothing"),
        ({"kind": "cm", "name": "c", "field": "data.b", "equals": 1}, False, "expected 1, found nothing"),
        ({"kind": "cm", "name": "c", "field": "data.a", "at_least": 1}, False, "expected at least 1, found '1'"),
        ({"kind": "cm", "name": "c", "field": "data.b", "at_most": 0}, True, "holds: nothing"),
        ({"kind": "cm", "name": "c", "field": "data.b", "exists": False}, True, "holds: nothing"),
        ({"kind": "cm", "name": "c", "field": "data.a", "exists": True}, True, "holds: '1'"),
        ({"kind": "cm", "name": "c", "exists": True}, True, "holds: it is there"),
        ({"kind": "cm", "name": "c", "exists": False}, False, "expected it not to exist, found it is there"),
        ({"kind": "cm", "name": "d", "exists": False}, True, "holds: there is no ConfigMap 'd'"),
        ({"kind": "cm", "name": "d", "exists": True}, False, "expected it to exist, but there is no ConfigMap 'd'"),
        (
            {"kind": "cm", "name": "d", "field": "data.b", "equals": 0},
            False,
            "expected 0, but there is no ConfigMap 'd'",
        ),
        ({"kind": "cm", "labels": "app=web", "count": 1}, True, "holds: 1"),
        ({"kind": "cm", "labels": "app=db", "count": 1}, False, "expected 1, found 0"),
        ({"kind": "cm", "labels": "!!", "count": 1}, False, "unable to parse requirement"),
    ],
)
def test_what_holds_and_what_is_said(cluster, what, holds, said):
    body = {"metadata": {"name": "c", "labels": {"app": "web"}}, "data": {"a": "1"}}
    cluster.client.create(ConfigMap, body, "default")
    [(_, _, found, ok)] = rows(scenario(expect(**what)).play(cluster))
    assert (ok, found[: len(said)]) == (holds, said)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b[0].c", 1), ("a.b[-1].c", 2), ("a.b[name=y].c", 2), (".a.b[1].name", "y"), ("a.b[7].c", MISSING),
        ("a.b[name=z].c", MISSING), ("a.b.c", MISSING), ("a.x[0]", MISSING), ("a.b[x]", MISSING), ("s.t", MISSING),
    ],
)  # fmt: skip
def test_a_path_leads_to_a_value(path, value):
    obj = {"a": {"b": [{"name": "x", "c": 1}, {"name": "y", "c": 2}]}, "s": "text"}
    assert walk(obj, path) == value
