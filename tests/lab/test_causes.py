from __future__ import annotations

import pytest
from hypothesis import given, settings

from k8slab import Cluster
from k8slab.lab import records
from k8slab.lab.causes import CARRIERS, ROOTS, ancestors, causes_of, chain_to, effects, orphans
from tests.lab.worlds import DEEDS, a_day, create, live


@pytest.fixture(scope="module")
def day():
    with Cluster(nodes=3, seed=5) as cluster:
        a_day(cluster)
        cluster.run_for("2h")  # events end after an hour: etcd's own work has causes too
        yield cluster


def test_nothing_in_a_day_is_without_a_cause_outside_or_in_time(day):
    assert len(day.trace) > 5_000
    assert orphans(day.trace) == []


def test_every_writes_own_chain_begins_outside_or_in_time(day):
    commits = day.trace.select(kind=records.COMMIT)
    chains = [chain_to(day.trace, commit) for commit in commits]
    assert {chain[0].kind for chain in chains} <= set(ROOTS)
    assert any(each.kind == records.CLOCK for chain in chains for each in chain)


@settings(max_examples=15)
@given(deeds=DEEDS)
def test_nothing_in_any_life_is_an_orphan(deeds):
    with Cluster(nodes=2, seed=1) as cluster:
        live(cluster, deeds)
        assert orphans(cluster.trace) == []
        assert cluster.trace.broken == ""


def test_news_and_queues_are_passed_through(day):
    for record in day.trace.select(kind=records.WORK)[:500]:
        assert all(cause.kind not in CARRIERS for cause in causes_of(day.trace, record))


def test_a_pod_goes_back_to_the_command_that_wanted_it():
    with Cluster(nodes=1, seed=1) as cluster:
        cluster.kubectl("create deployment web --image=nginx")
        cluster.run_until_idle()
        commit = cluster.trace.select(kind=records.COMMIT, what="pods/default/web")[-1]
        chain = chain_to(cluster.trace, commit)
        assert chain[0].text == "kubectl create deployment web --image=nginx"
        wrote = [each.what.split("/")[0] for each in chain if each.kind == records.COMMIT]
        assert wrote == ["deployments", "replicasets", "pods", "pods", "pods"]


def test_the_effects_of_a_command_are_what_it_is_an_ancestor_of():
    with Cluster(nodes=1, seed=1) as cluster:
        cluster.kubectl("create deployment web --image=nginx")
        command = cluster.trace.select(kind=records.COMMAND)[-1]
        cluster.run_until_idle()
        followed = [effect for _, effect in effects(cluster.trace, command)]
        assert followed
        for effect in followed[::5]:
            assert command in [cause for cause, _ in ancestors(cluster.trace, effect)]


def test_a_chain_whose_beginning_is_forgotten_begins_where_the_trace_does():
    with Cluster(nodes=1, seed=1) as cluster:
        create(cluster, "web", 1)
        cluster.run_until_idle()
        for _ in range(len(cluster.trace) // 2):
            cluster.trace.records.popleft()
        last = cluster.trace.select(kind=records.COMMIT)[-1]
        assert chain_to(cluster.trace, last)[-1] == last
        assert orphans(cluster.trace) == []
