from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.api.apps import Deployment
from k8slab.clock import EPOCH
from k8slab.engine.fingerprint import describe
from k8slab.engine.inputs import Passed
from k8slab.lab.story import StoryError
from tests.lab.worlds import DEEDS, a_day, create, deployment, live, phases, scale


@pytest.fixture
def cluster():
    with Cluster(nodes=2, seed=1) as cluster:
        yield cluster


def log_of(cluster: Cluster) -> list:
    return [(entry.key, entry.revision, entry.value) for entry in cluster.store.entries()]


@settings(max_examples=25)
@given(deeds=DEEDS, back=st.integers(1, 200), seed=st.integers(0, 3))
def test_n_steps_back_and_n_forward_lead_to_the_same_state(deeds, back, seed):
    with Cluster(nodes=2, seed=seed) as cluster:
        live(cluster, deeds)
        after, log, steps = cluster.fingerprint(), log_of(cluster), cluster.steps
        n = min(back, steps - cluster.first_step)
        cluster.back(n)
        assert cluster.steps == steps - n
        cluster.forward(n)
        assert (cluster.fingerprint(), log_of(cluster)) == (after, log)


@settings(max_examples=15)
@given(deeds=DEEDS, n=st.integers(1, 60))
def test_a_step_back_undoes_a_step(deeds, n):
    with Cluster(nodes=2, seed=1) as cluster:
        live(cluster, deeds)
        cluster.step()
        before, steps = cluster.fingerprint(), cluster.steps
        cluster.step(n)
        cluster.goto(steps)
        assert cluster.fingerprint() == before


@settings(max_examples=10)
@given(deeds=DEEDS, more=DEEDS)
def test_a_fork_that_does_the_same_has_the_same_history_and_one_that_does_not_leaves_its_parent_alone(deeds, more):
    with Cluster(nodes=2, seed=2) as parent:
        live(parent, deeds)
        before, log = parent.fingerprint(), log_of(parent)
        with parent.fork() as same, parent.fork() as other:
            live(other, more)
            assert (parent.fingerprint(), log_of(parent)) == (before, log)
            other_log = log_of(other)
            live(same, more)
            assert log_of(same) == other_log
        live(parent, more)
        assert log_of(parent) == other_log


@settings(max_examples=10)
@given(deeds=DEEDS, at=st.integers(0, 500))
def test_a_fork_of_any_step_is_its_parent_as_it_was_then_and_lives_on_alike(deeds, at):
    with Cluster(nodes=2, seed=3) as parent:
        live(parent, deeds)
        end = parent.steps
        step = parent.first_step + at % (end - parent.first_step + 1)
        with parent.fork(step) as fork:
            assert fork.steps == step
            before = fork.fingerprint()
            later = [entry for entry in parent.engine.lived if entry.step >= step]
            for entry in later:
                fork.engine.live_on(entry.step)
                if isinstance(entry.input, Passed):
                    entry.input.apply(fork.engine)
                else:
                    fork.engine.take(entry.input)
            fork.engine.live_on(end)
            assert (fork.fingerprint(), log_of(fork)) == (parent.fingerprint(), log_of(parent))
        parent.goto(step)
        assert parent.fingerprint() == before


def test_one_can_go_back_and_go_another_way(cluster):
    create(cluster, "web", 3)
    fork_in_the_road = cluster.steps
    cluster.run_until_idle()
    assert phases(cluster) == ["Running"] * 3
    cluster.goto(fork_in_the_road)
    scale(cluster, "web", 1)
    cluster.run_until_idle()
    assert phases(cluster) == ["Running"]
    with pytest.raises(ValueError, match="there is no step"):
        cluster.forward()


def test_looking_around_in_the_past_does_not_close_the_way_forward(cluster):
    cluster.kubectl("create deployment web --image=nginx")
    cluster.run_until_idle()
    end = cluster.steps
    cluster.back(5)
    cluster.kubectl("get pods")
    cluster.goto(end - 1)
    cluster.kubectl("logs deployment/web")
    cluster.forward()
    assert cluster.steps == end


def test_the_client_the_kubeconfig_and_kubectl_stay_usable_after_going_back(cluster):
    client, kubeconfig = cluster.client, cluster.kubeconfig
    cluster.kubectl("create deployment web --image=nginx")
    cluster.run_until_idle()
    cluster.goto(cluster.first_step)
    assert client.list(Deployment) == []
    assert cluster.kubeconfig == kubeconfig
    assert "No resources found" in cluster.kubectl("get deployments").stderr
    assert cluster.now == EPOCH


def test_a_watch_that_is_open_ends_when_its_cluster_goes_back(cluster):
    create(cluster, "web", 1)
    watch = cluster.client.watch(Deployment, resource_version="1")
    cluster.goto(cluster.first_step)
    assert watch.closed


def test_the_story_says_where_to_go_back_to(cluster):
    cluster.kubectl("create deployment web --image=nginx")
    cluster.run_for("60s")
    said = [row[3] for row in cluster.story().rows]
    assert said == ["kubectl create deployment web --image=nginx", "run_for('60s')"]


def test_an_exec_and_what_was_typed_into_it_are_lived_again(cluster):
    create(cluster, "web", 1)
    cluster.run_until_idle()
    cluster.kubectl("exec -i deployment/web -- sh -c 'cat > /tmp/note'", stdin="remember me")
    there = cluster.fingerprint()
    cluster.back(3)
    cluster.forward(3)
    assert cluster.fingerprint() == there
    assert cluster.kubectl("exec deployment/web -- cat /tmp/note").stdout == "remember me"


@pytest.mark.parametrize("step", [-1, 0, 10_000])
def test_a_step_that_there_is_not_is_answered_by_those_that_there_are(cluster, step):
    with pytest.raises(ValueError, match=rf"there is no step {step}; this story has steps \d+ to \d+"):
        cluster.goto(step)
    assert cluster.kubectl("get nodes").ok


def test_a_live_cluster_says_why_it_cannot_go_back():
    with Cluster(nodes=1, mode="live") as cluster, pytest.raises(StoryError, match="clock, which nobody can turn back"):
        cluster.back()


def test_a_change_behind_the_journals_back_is_noticed(cluster):
    create(cluster, "web", 1)
    store = cluster.store
    entry = store.get("/registry/deployments/default/web")
    from k8slab.etcd.store import Put

    store.transact([], [Put("/registry/deployments/default/web", entry.value + b" ")])
    cluster.run_until_idle()
    with pytest.raises(RuntimeError, match="the replay went another way before step"):
        cluster.back()
    assert cluster.kubectl("get nodes").ok


def test_a_controller_that_keeps_a_secret_from_its_cluster_is_noticed():
    from k8slab.controllers.replicaset import ReplicaSetController

    lives = []

    class Forgetful(ReplicaSetController):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            lives.append(self)
            self.number = len(lives)

    with Cluster(nodes=1, replace={"replicaset": Forgetful}) as cluster:
        create(cluster, "web", 1)
        cluster.run_until_idle()
        cluster.back(1)
        with pytest.raises(StoryError, match=r"the state at step \d+ is not what it was"):
            cluster.forward(1)


def test_a_whole_day_goes_back_to_its_beginning_and_forward_again():
    with Cluster(nodes=3, seed=5) as cluster:
        a_day(cluster)
        there, log, end = cluster.fingerprint(), log_of(cluster), cluster.steps
        cluster.goto(cluster.first_step)
        assert cluster.last_step == end
        cluster.goto(end)
        assert (cluster.fingerprint(), log_of(cluster)) == (there, log)


def test_history_and_state_are_byte_equal_with_and_without_the_instruments():
    from k8slab.cluster import Cluster as Unwatched

    logs, states = [], []
    for kind in (Cluster, Unwatched):
        with kind(nodes=3, seed=5) as cluster:
            a_day(cluster)
            logs.append(log_of(cluster))
            states.append(describe(cluster.engine))
    assert logs[0] == logs[1]
    assert len(logs[0]) > 300
    assert states[0] == states[1]
    assert len(states[0]) > 300


def test_the_request_that_was_sent_is_kept_as_it_was_sent(cluster):
    body = deployment("web", 1)
    cluster.client.create(Deployment, body, "default")
    cluster.run_until_idle()
    end = cluster.fingerprint()
    cluster.goto(cluster.first_step)
    cluster.goto(cluster.last_step)
    assert cluster.fingerprint() == end
