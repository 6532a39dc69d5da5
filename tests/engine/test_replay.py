"""A life, lived again: at every step the state is what it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.core import ConfigMap, Pod
from k8slab.cluster import Cluster
from k8slab.controllers.replicaset import ReplicaSetController
from k8slab.engine.faults import FAULTS
from k8slab.engine.fingerprint import describe, fingerprint
from k8slab.engine.instrument import Instrument
from k8slab.engine.replay import Diverged, replay
from k8slab.engine.spec import Spec
from tests.engine.faults.test_ends import faults
from tests.engine.harness import act

NAMES = st.sampled_from(["web", "shop"])
commands = st.one_of(
    st.tuples(st.just("create"), NAMES, st.integers(0, 4)),
    st.tuples(st.just("scale"), NAMES, st.integers(0, 4)),
    st.tuples(st.just("image"), NAMES, st.sampled_from(["nginx:1.27", "nginx:1.29", "nginx:none"])),
    st.tuples(st.just("delete"), NAMES),
    st.tuples(st.just("delete_pod"), st.integers(0, 9)),
    st.tuples(st.just("run"), st.sampled_from([0, 0.25, 3, 30])),
    st.tuples(st.just("step"), st.integers(1, 20)),
    st.tuples(st.just("begin"), faults),
    st.tuples(st.just("end"), st.integers(0, 9)),
)
lives = st.lists(commands, min_size=3, max_size=20).map(lambda life: [("create", "web", 3), ("step", 5), *life])


def live(cluster, life):
    """Live a life; the fingerprint after each command, by its step."""
    seen, begun = {}, []
    for what, *details in life:
        if what == "begin":
            name, arguments = details[0]
            begun.append(cluster.fault(name, **arguments).start())
        elif what == "end":
            if begun:
                begun.pop(details[0] % len(begun)).stop()
        else:
            act(cluster, what, *details)
        seen[cluster._engine.steps] = fingerprint(cluster._engine), describe(cluster._engine)
    return seen


@settings(max_examples=25)
@given(lives, st.integers(0, 1000))
def test_at_every_step_the_state_is_what_it_was(life, seed):
    with Cluster(nodes=2, seed=seed) as cluster:
        seen = live(cluster, [each for each in life if each[0] != "begin" or FAULTS[each[1][0]].end] + [("run", 20)])
        spec, journal = cluster._engine.spec, cluster._engine.journal
    places = sorted(seen)
    for step in {places[-1], places[seed % len(places)], places[seed // 7 % len(places)]}:
        again = replay(spec, journal, step)
        try:
            assert (again.steps, fingerprint(again), describe(again)) == (step, *seen[step])
        finally:
            again.close()


@pytest.fixture
def cluster():
    with Cluster(nodes=1, seed=3) as cluster:
        act(cluster, "create", "web", 2)
        cluster.run_for(30)
        yield cluster


def again(cluster, step=None, **more):
    engine = cluster._engine
    return replay(engine.spec, engine.journal, engine.steps if step is None else step, **more)


def test_between_two_inputs_too_a_step_is_a_place(cluster):
    act(cluster, "scale", "web", 4)
    seen = {}
    for _ in range(12):
        cluster.step()
        seen[cluster._engine.steps] = fingerprint(cluster._engine)
    assert {step: of(again(cluster, step)) for step in seen} == seen


def of(engine):
    try:
        return fingerprint(engine)
    finally:
        engine.close()


def test_the_replayed_goes_on_as_the_first_did(cluster):
    act(cluster, "scale", "web", 4)
    engine = again(cluster)
    engine.loop.run_for(60)
    cluster.run_for(60)
    assert of(engine) == fingerprint(cluster._engine)


def test_a_fault_that_could_not_begin_cannot_begin_again(cluster):
    with pytest.raises(ValueError, match="no node runs a Pod"):
        cluster.fault("container-crash", pod="nobody").start()
    cluster.run_for(20)
    assert of(again(cluster)) == fingerprint(cluster._engine)


def test_a_fault_that_is_on_is_on_again(cluster):
    cluster.fault("clock-skew", component="kubelet-node-1", ahead=-0.3).start()
    cluster.fault("api-errors", component="kubelet-node-1").start()
    cluster.run_for(20)
    assert of(again(cluster)) == fingerprint(cluster._engine)


def test_a_replay_can_be_watched_and_hears_what_was_said(cluster):
    class Hears(Instrument):
        def __init__(self):
            self.heard = []

        def said(self, command):
            self.heard.append(command.said)

    hears = Hears()
    again(cluster, instrument=hears).close()
    assert [said for said in hears.heard if said] == ["run_for(30)"]
    assert hears.heard[-1] == ""


def test_who_changed_the_cluster_by_another_way_is_told(cluster):
    first = cluster._engine
    first.client.create(ConfigMap, {"metadata": {"name": "smuggled"}}, "default")
    cluster.run_for(20)
    with pytest.raises(Diverged, match=r"the replay went another way before step \d+ .*by another way than kubectl"):
        again(cluster)


def test_another_controller_goes_another_way(cluster):
    class Lazy(ReplicaSetController):
        def reconcile(self, key):
            return None

    act(cluster, "scale", "web", 4)
    cluster.run_for(20)
    spec = cluster._engine.spec
    lazy = Spec(spec.nodes, spec.seed, replace={"replicaset": Lazy})
    with pytest.raises(Diverged, match="its controllers are not the same any more"):
        replay(lazy, cluster._engine.journal, cluster._engine.steps)


def test_the_beginning_is_a_place(cluster):
    engine = again(cluster, 0)
    assert (engine.steps, engine.client.list(Pod)) == (0, [])
    engine.close()
