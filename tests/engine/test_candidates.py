"""Several processes for one office: one works, and when it is lost another one does."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.api.apps import ReplicaSet
from k8slab.api.coordination import Lease
from k8slab.api.core import Event, Pod
from k8slab.apimachinery.errors import NotFound
from k8slab.engine.candidates import names_of, process_of, role_of
from k8slab.lab.causes import orphans
from tests.engine.harness import deployment, pod

SCHEDULERS = {"kube-scheduler": 3}
MANAGERS = {"kube-controller-manager": 3}


@pytest.fixture
def make():
    made = []

    def make(**options):
        made.append(Cluster(**{"nodes": 1, "seed": 1, **options}))
        return made[-1]

    yield make
    for cluster in made:
        cluster.close()


def leaders(cluster):
    """The processes that work as the leader does."""
    return sorted({process_of(name) for name in cluster.components if name != process_of(name)})


def leader(cluster):
    (found,) = leaders(cluster)
    return found


def lease(cluster, name="kube-scheduler"):
    return cluster.client.get(Lease, name, "kube-system").spec


def phases(cluster):
    return {each.name: each.status.phase for each in cluster.client.list(Pod, "default")}


def test_by_default_nobody_is_elected(make):
    cluster = make()
    assert "kube-scheduler" in cluster.components
    assert cluster.client.list(Lease, "kube-system") == []


def test_names_say_what_a_component_is_and_whose():
    assert names_of({"kube-scheduler": 2}) == ["kube-scheduler-0", "kube-scheduler-1"]
    name = "kube-controller-manager-1/replicaset-controller"
    assert (process_of(name), role_of(name)) == ("kube-controller-manager-1", "replicaset-controller")
    assert (process_of("kubelet-node-1"), role_of("kubelet-node-1")) == ("kubelet-node-1",) * 2


@pytest.mark.parametrize(
    ("candidates", "sentence"),
    [
        ({"etcd": 3}, "unknown role 'etcd'; there are: kube-controller-manager, kube-scheduler"),
        ({"kube-scheduler": 0}, "write a number from 1 to 9"),
        ({"kube-scheduler": True}, "write a number from 1 to 9"),
        ({"kube-scheduler": "two"}, "write a number from 1 to 9"),
    ],
)
def test_what_makes_no_sense_is_answered_by_what_there_is(make, candidates, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(candidates=candidates)


def test_one_of_three_works_and_pods_come_up(make):
    cluster = make(candidates={**SCHEDULERS, **MANAGERS})
    assert len(leaders(cluster)) == 2
    cluster.client.create(ReplicaSet, deployment("web", 3), "default")
    cluster.run_until_idle()
    assert sorted(phases(cluster).values()) == ["Running"] * 3
    assert lease(cluster).holder_identity.startswith(f"{leaders(cluster)[1]}_")


def test_a_cluster_that_only_renews_its_leases_is_idle(make):
    cluster = make(candidates={**SCHEDULERS, **MANAGERS})
    before = cluster.now
    cluster.run_until_idle()
    assert cluster.now == before


def test_when_the_leader_crashes_another_one_goes_on(make):
    cluster = make(candidates=SCHEDULERS)
    first = leader(cluster)
    cluster.crash(first)
    assert leaders(cluster) == []
    cluster.client.create(Pod, pod("web"), "default")
    cluster.run_for("14s")
    assert phases(cluster) == {"web": "Pending"}
    cluster.run_for("10s")
    assert leader(cluster) != first
    assert (phases(cluster), lease(cluster).lease_transitions) == ({"web": "Running"}, 1)


def test_a_leader_that_is_started_again_waits_for_its_own_old_lease(make):
    cluster = make(candidates={"kube-scheduler": 1})
    cluster.fault("restart", component="kube-scheduler-0").start()
    before = lease(cluster).holder_identity
    cluster.run_for("14s")
    assert leaders(cluster) == []
    cluster.run_for("6s")
    assert leader(cluster) == "kube-scheduler-0"
    assert lease(cluster).holder_identity != before


def test_who_ends_in_good_order_gives_the_lease_back(make):
    cluster = make(candidates=SCHEDULERS)
    first = leader(cluster)
    with cluster.fault("stop", component=first):
        assert lease(cluster).holder_identity == ""
        cluster.run_for("4.4s")
        assert leader(cluster) != first
    assert first in cluster.components


def test_a_leader_that_is_cut_off_stops_before_another_one_begins(make):
    cluster = make(candidates=MANAGERS)
    first = leader(cluster)
    with cluster.fault("cut-off", component=first):
        cluster.run_for("12s")
        assert leaders(cluster) == []
        cluster.run_for("8s")
        assert leader(cluster) != first
    cluster.run_for("60s")
    assert len(leaders(cluster)) == 1


def test_parts_share_the_fate_the_line_and_the_clock_of_their_process(make):
    cluster = make(candidates=SCHEDULERS)
    name = leader(cluster)
    cluster.fault("clock-skew", component=name, ahead="1h").start()
    cluster.fault("cut-off", component=name).start()
    cluster.run_for("20s")
    assert leader(cluster) != name
    with pytest.raises(ValueError, match="unknown component"):
        cluster.crash(f"{leader(cluster)}/kube-scheduler")


def test_a_leader_that_stood_still_and_woke_up_writes_what_it_had_in_hand(make):
    cluster = make(candidates=MANAGERS)
    first = leader(cluster)
    still = cluster.fault("freeze", component=first, before="write").start()
    cluster.client.create(ReplicaSet, deployment("web", 2), "default")
    cluster.run_for("30s")
    assert len(leaders(cluster)) == 2, "the frozen one does not know that it has lost"
    assert len(phases(cluster)) == 2
    before = cluster.store.revision
    still.stop()
    cluster.run_for("0s")
    late = [each for each in cluster.history().by(first) if each.revision > before and each.what.startswith("pods/")]
    assert [each.verb for each in late] == ["create", "create"], "nothing fences it off"
    assert leader(cluster) != first
    cluster.run_for("40s")
    assert len(phases(cluster)) == 2, "the new leader has put it right"


def test_a_leader_that_stood_still_with_nothing_in_hand_does_no_harm(make):
    cluster = make(candidates=SCHEDULERS)
    first = leader(cluster)
    still = cluster.fault("freeze", component=first).start()
    cluster.client.create(Pod, pod("web"), "default")
    cluster.run_for("30s")
    assert phases(cluster) == {"web": "Running"}
    still.stop()
    cluster.run_for("30s")
    assert leader(cluster) != first
    assert [each for each in cluster.server.audit if each.code == 409 and each.plural == "pods"] == []


def test_a_short_stillness_is_nothing(make):
    cluster = make(candidates=SCHEDULERS)
    first = leader(cluster)
    with cluster.fault("freeze", component=first):
        cluster.run_for("9s")
    cluster.run_for("30s")
    assert (leader(cluster), lease(cluster).lease_transitions) == (first, 0)


def test_who_crashes_while_standing_still_starts_afresh(make):
    cluster = make(candidates=SCHEDULERS)
    first = leader(cluster)
    cluster.fault("freeze", component=first).start()
    cluster.crash(first)
    cluster.start(first)
    cluster.run_for("60s")
    assert len(leaders(cluster)) == 1
    assert not cluster._engine.processes.lines[first].frozen


def test_every_step_of_an_election_can_be_gone_back_to(make):
    cluster = make(candidates={**SCHEDULERS, "kube-controller-manager": 2})
    states = {}
    cluster.crash(leaders(cluster)[1])
    cluster.fault("freeze", component=leaders(cluster)[0], before="write").start()
    cluster.client.create(ReplicaSet, deployment("web", 2), "default")
    for _ in range(12):
        states[cluster.steps] = cluster.fingerprint()
        cluster.run_for("3s")
    for step in sorted(states, reverse=True)[::3]:
        assert cluster.goto(step).fingerprint() == states[step]
    assert cluster.fork().fingerprint() == cluster.fingerprint()


def test_a_saved_story_has_its_candidates(make, tmp_path):
    cluster = make(candidates=SCHEDULERS)
    cluster.run_for("30s")
    with Cluster.load(cluster.save(tmp_path / "story")) as again:
        assert again.fingerprint() == cluster.fingerprint()


def test_all_that_leaders_do_has_a_cause(make):
    cluster = make(candidates={**SCHEDULERS, **MANAGERS})
    cluster.crash(leaders(cluster)[0])
    cluster.client.create(ReplicaSet, deployment("web", 2), "default")
    cluster.run_for("30s")
    assert orphans(cluster.trace) == []
    (name, *_) = phases(cluster)
    who = [link.who for link in cluster.why(f"pod/{name}", field="spec.nodeName").links]
    assert who[-1].endswith("/kube-scheduler")
    assert any("became leader" in each.message for each in _events(cluster))


def _events(cluster):
    return cluster.client.list(Event, "kube-system")


def test_a_live_cluster_elects_too(make):
    cluster = make(mode="live", candidates=SCHEDULERS)
    cluster.run_until(lambda: len(leaders(cluster)) == 1, "20s")
    first = leader(cluster)
    with cluster.fault("stop", component=first):
        cluster.client.create(Pod, pod("web"), "default")
        cluster.run_until(lambda: phases(cluster) == {"web": "Running"}, "30s")
        assert leader(cluster) != first


# Laws.


class Watched:
    """A cluster of three schedulers, and who believes to lead at each moment."""

    def __init__(self, seed: int) -> None:
        self.cluster = Cluster(nodes=0, seed=seed, candidates=SCHEDULERS)
        self.names = names_of(SCHEDULERS)
        self.overlaps: list[float] = []
        self._since: float | None = None

    def believing(self) -> list[str]:
        engine = self.cluster._engine
        found = []
        for name in self.names:
            elector = engine.processes.candidates[name].elector
            if (
                engine.processes.runs(name)
                and elector.leading
                and engine.processes.clock(name).now() < elector.deadline
            ):
                found.append(name)
        return found

    def look(self) -> None:
        two, now = len(self.believing()) > 1, self.cluster.now
        if two and self._since is None:
            self._since = now
        elif not two and self._since is not None:
            self.overlaps.append(now - self._since)
            self._since = None

    def run(self, seconds: float) -> None:
        loop = self.cluster._engine.loop
        end = self.cluster.now + seconds
        while True:
            while loop.turn():
                self.look()
            self.look()
            if loop.next_deadline() > end:
                break
            loop.advance_to(loop.next_deadline())
            self.look()
        loop.advance_to(end)
        self.look()

    def fault(self, name: str, number: int, **arguments):
        with suppress(ValueError):  # who does not run cannot crash
            return self.cluster.fault(name, component=self.names[number], **arguments).start()


BAD = st.one_of(
    st.tuples(st.just("crash"), st.just({})),
    st.tuples(st.just("restart"), st.just({})),
    st.tuples(st.just("stop"), st.just({})),
    st.tuples(st.just("cut-off"), st.just({})),
    st.tuples(st.just("api-errors"), st.sampled_from([{"share": 0.3}, {"share": 0.7}, {"share": 1.0}])),
    st.tuples(st.just("api-latency"), st.sampled_from([{"seconds": 0.5}, {"seconds": 3}, {"seconds": 14}])),
    st.tuples(st.just("clock-skew"), st.sampled_from([{"ahead": 3600}, {"ahead": -3600}, {"ahead": 13}])),
)
SCHEDULE = st.lists(st.tuples(BAD, st.integers(0, 2), st.floats(0.1, 25).map(lambda s: round(s, 1)), st.booleans()))


@settings(max_examples=40)
@given(schedule=SCHEDULE, seed=st.integers(0, 5))
def test_there_are_never_two_leaders_while_clocks_run_alike(schedule, seed):
    world = Watched(seed)
    with world.cluster:
        begun = []
        for (name, arguments), number, seconds, mend in schedule:
            begun.append(world.fault(name, number, **arguments))
            world.run(seconds)
            if mend and begun[-1] is not None:
                begun.pop().stop()
        assert (world.overlaps, world._since) == ([], None)
        for each in begun:
            if each is not None:
                each.stop()
        world.run(60)
        assert len(leaders(world.cluster)) == 1, "and in the end there is one"


@settings(max_examples=40)
@given(
    rates=st.lists(st.sampled_from([0.5, 0.8, 0.9, 1.0, 1.1, 1.25, 2.0, 5.0]), min_size=3, max_size=3),
    schedule=st.lists(
        st.tuples(st.sampled_from(["cut-off", "crash"]), st.integers(0, 2), st.integers(1, 20)), max_size=5
    ),
)
def test_where_clocks_run_unlike_two_lead_no_longer_than_the_margin_that_is_missing(rates, schedule):
    world = Watched(1)
    with world.cluster:
        for number, rate in enumerate(rates):
            world.fault("clock-rate", number, rate=rate)
        for name, number, seconds in schedule:
            fault = world.fault(name, number)
            world.run(seconds)
            if fault is not None:
                fault.stop()
        world.run(60)
    bound = max(12 / leads - 15 / takes for leads in rates for takes in rates)
    if bound <= 0:
        assert world.overlaps == []
    assert max(world.overlaps, default=0.0) <= max(bound, 0.0) + 1e-6


def test_the_bound_is_near_what_happens(make):
    world = Watched(1)
    with world.cluster:
        world.run(20)
        (first,) = world.believing()
        others = [number for number, name in enumerate(world.names) if name != first]
        for number in others:
            world.fault("clock-rate", number, rate=5.0)
        world.fault("cut-off", world.names.index(first))
        world.run(20)
    assert max(world.overlaps) > 0.7 * (12 - 15 / 5)


def test_a_lease_nobody_has_is_nobodys(make):
    cluster = make(candidates=SCHEDULERS)
    with pytest.raises(NotFound):
        lease(cluster, "kube-controller-manager")


def test_the_official_client_and_a_candidate_respect_each_other(make):
    kubernetes = pytest.importorskip("kubernetes")
    from kubernetes.leaderelection.electionconfig import Config
    from kubernetes.leaderelection.leaderelection import LeaderElection
    from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

    cluster = make(mode="live", nodes=0, candidates={"kube-scheduler": 1})
    cluster.run_until(lambda: leaders(cluster) == ["kube-scheduler-0"], "20s")
    kubernetes.config.load_kube_config(str(cluster.kubeconfig))
    lock = LeaseLock("kube-scheduler", "kube-system", "visitor")
    visitor = LeaderElection(Config(lock, 15, 10, 2, lambda: None, lambda: None))
    assert not visitor.try_acquire_or_renew(), "the lease is held"
    stopped = cluster.fault("stop", component="kube-scheduler-0").start()
    assert visitor.try_acquire_or_renew(), "it was given back"
    stopped.stop()
    cluster.run_for("1s")
    assert (leaders(cluster), lease(cluster).holder_identity) == ([], "visitor")
    lock.api_instance.api_client.close()
