"""Chaos: drawn by the seed, played, and shrunk to what cannot be left out."""

from __future__ import annotations

import pytest

from k8slab.api.apps import Deployment
from k8slab.controllers.replicaset import ReplicaSetController
from k8slab.engine.faults import FAULTS
from k8slab.lab.chaos import VALUES, Chaos, ChaosError
from k8slab.lab.scenario import ClusterSpec, Scenario
from k8slab.lab.shrink import DURATIONS, shrink
from tests.engine.harness import act, deployment, end_state


class Hasty(ReplicaSetController):
    """Believes its cache: it does not wait until it has seen what it did last."""

    def reconcile(self, key):
        self.expectations.forget(key)
        return super().reconcile(key)


def work(cluster):
    cluster.client.create(Deployment, deployment("web", 3), "default")


def no_more_pods_than_asked_for(cluster):
    made = [each for each in cluster.history().of("pods/web") if each.verb == "create" and "binding" not in each.what]
    assert len(made) <= 3, f"{len(made)} Pods were made for 3"


COMPONENTS = ("replicaset-controller", "deployment-controller", "kube-scheduler")
TROUBLES = {name: {"component": COMPONENTS} for name in ("slow-watch", "crash", "api-errors", "api-latency", "cut-off")}
TWO_NODES = ClusterSpec(nodes=2, seed=1)


def experiment(**more):
    given = {"workload": work, "holds": no_more_pods_than_asked_for, "faults": TROUBLES, "cluster": TWO_NODES}
    return Chaos(**(given | {"within": 10, "most": 6, "calm": 20} | more))


def faults_of(scenario):
    return [step for step in scenario.steps if step.fault]


def test_a_hasty_controller_fails_of_one_slow_watch_and_nothing_else(tmp_path):
    chaos = experiment(replace={"replicaset": Hasty})
    found = chaos.search(range(60))
    assert found is not None
    assert len(faults_of(found.scenario)) > 1
    small = chaos.shrink(found.scenario)
    [step] = small.scenario.steps
    assert step.fault == "slow-watch"
    assert step.arguments == {"component": "replicaset-controller", "delay": 1.0, "repeat": 0.0, "lose": 0.0}
    assert (small.complete, step.at % 1, "Pods were made for 3" in small.why) == (True, 0, True)
    again = Scenario.load(small.scenario.save(tmp_path / "it-breaks.yaml"))
    assert chaos.trial(again).why == small.why
    assert experiment().trial(again).held  # the one that waits


def test_ours_lives_through_the_same():
    assert experiment().search(range(30)) is None


def test_the_same_seed_has_the_same_schedule_and_the_same_end():
    chaos, again = experiment(replace={"replicaset": Hasty}), experiment(replace={"replicaset": Hasty})
    assert [chaos.draw(seed) for seed in range(20)] == [again.draw(seed) for seed in range(20)]
    first, second = chaos.hunt(range(60)), again.hunt(range(60))
    assert first == second
    assert str(first) == str(second)


def test_everything_that_can_be_drawn_can_be_played():
    chaos = Chaos(work, lambda cluster: None, cluster=TWO_NODES)
    schedules = [chaos.draw(seed) for seed in range(150)]
    drawn = {step.fault for schedule in schedules for step in faults_of(schedule)}
    assert drawn == set(FAULTS) - {"container-crash", "small-disk"}
    assert all(1 <= len(faults_of(schedule)) <= 4 for schedule in schedules)
    assert all(step.at <= 30 and step.lasts in (None, *DURATIONS) for each in schedules for step in each.steps)
    assert all(Scenario.load(schedule.yaml()) == schedule for schedule in schedules)


def test_faults_are_mixed_with_a_scenarios_steps_and_only_faults_are_left_out():
    expect = {"kind": "Deployment", "name": "web", "field": "status.readyReplicas", "equals": 3}
    steps = [{"at": 5, "fault": "dropped-watch", "with": {"component": "kube-scheduler"}}, {"at": 12, "expect": expect}]
    workload = Scenario.of({"cluster": {"nodes": 1, "seed": 2}, "steps": steps, "lasts": 12})
    chaos = Chaos(workload, lambda cluster: True, faults=["restart"])
    drawn = chaos.draw(1)
    assert drawn.cluster == workload.cluster
    assert [step.at for step in drawn.steps] == sorted(step.at for step in drawn.steps)
    with pytest.raises(ChaosError, match=r"it does not hold even without faults: expect Deployment web .*there is no"):
        chaos.search(range(3))
    small = shrink(drawn, lambda scenario: "it fails" if len(faults_of(scenario)) else "", {}, 99)
    assert [str(step.expect) for step in small.scenario.steps if step.expect] == [str(workload.steps[1].expect)]
    assert len(faults_of(small.scenario)) == 1


def test_a_workload_may_do_several_things_at_their_times():
    def grow(cluster):
        act(cluster, "scale", "web", 5)

    seen = []
    chaos = experiment(workload={"2s": work, 9: grow}, holds=lambda cluster: seen.append(end_state(cluster)))
    chaos.trial(Scenario(steps=[]))
    assert seen[0]["containers"] == ["web"] * 5


def test_a_predicate_holds_unless_it_says_or_raises_otherwise():
    def raises(cluster):
        raise TimeoutError("too long")

    quiet = Scenario(steps=[])
    whys = [experiment(holds=holds).trial(quiet).why for holds in (lambda c: None, lambda c: 1, lambda c: [], raises)]
    assert whys == ["", "", "the predicate is []", "TimeoutError: too long"]


def test_a_workload_that_cannot_go_on_is_a_failure_too():
    trial = experiment(workload=lambda cluster: 1 / 0).trial(Scenario(steps=[]))
    assert (trial.held, str(trial)) == (False, "steps: []\n\nZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("faults", "sentence"),
    [
        (["quake"], r"unknown fault 'quake'; there are: slow-watch"),
        ([], r"chaos needs at least one fault that may happen"),
        (["container-crash"], r"'container-crash' needs values for 'pod' to choose from: faults=\{'container-crash': "),
        ({"api-errors": {"share": [7]}}, r"a share is a number from 0 to 1"),
        (
            {"api-errors": {"shares": [1]}},
            r"the fault 'api-errors' takes no 'shares'; it takes: component, share, code",
        ),
    ],
)
def test_what_makes_no_sense_is_a_sentence(faults, sentence):
    with pytest.raises(ValueError, match=sentence):
        experiment(faults=faults)


def test_values_are_of_faults_and_arguments_that_there_are():
    for name, arguments in VALUES.items():
        assert set(arguments) <= {each.name for each in FAULTS[name].arguments}


# The shrinker, with a predicate that needs no cluster.


def crash(at, component="a", lasts=30.0):
    return {"at": at, "fault": "crash", "with": {"component": component}, "for": lasts}


def errors(at, share=1.0, code=429):
    arguments = {"component": "a", "share": share, "code": code}
    return {"at": at, "fault": "api-errors", "with": arguments, "for": 20}


def small(fails, *steps, plays=200, values=VALUES):
    return shrink(
        Scenario.of({"steps": list(steps)}), lambda each: "so" if fails(faults_of(each)) else "", values, plays
    )


def test_two_that_are_needed_stay():
    many = [crash(at, component) for at, component in enumerate("abcdefgh")]
    found = small(lambda faults: {"c", "g"} <= {each.arguments["component"] for each in faults}, *many)
    assert [each.arguments["component"] for each in found.scenario.steps] == ["c", "g"]


def test_durations_become_as_short_and_times_as_round_as_they_can():
    found = small(lambda faults: any(each.lasts >= 3 and each.at > 4 for each in faults), crash(17.3))
    assert [(each.at, each.lasts) for each in found.scenario.steps] == [(10.0, 5.0)]


def test_arguments_become_as_mild_as_they_can():
    found = small(lambda faults: any(each.arguments["share"] > 0.3 for each in faults), errors(3))
    [step] = found.scenario.steps
    assert (step.arguments["share"], step.arguments["code"], step.at, step.lasts) == (0.5, 503, 0.0, 0.5)


def test_one_fault_that_lasts_is_simpler_than_two():
    def fails(faults):
        alone = len(faults) == 1 and faults[0].lasts > 15
        return alone or len(faults) == 2

    [step] = small(fails, crash(3, "a", 5.0), crash(10, "b", 8.0)).scenario.steps
    assert (step.at, step.lasts) == (0.0, 18.0)


def test_another_component_is_not_a_milder_one():
    values = {"crash": {"component": ["0", "a"]}}
    assert small(bool, crash(0), values=values).scenario.steps[0].arguments == {"component": "a"}


def test_faults_are_never_moved_into_each_other():
    steps = [crash(0, lasts=5.0), crash(5.5, lasts=5.0)]
    found = small(lambda faults: len(faults) == 2 and all(each.lasts >= 5 for each in faults), *steps)
    assert [each.at for each in found.scenario.steps] == [0.0, 5.0]


def test_the_plays_are_bounded_and_none_is_played_twice():
    played = []

    def fails(scenario):
        played.append(scenario.yaml())
        return "so" if len(faults_of(scenario)) > 1 else ""

    steps = Scenario.of({"steps": [crash(at + 0.3, component) for at, component in enumerate("abcdefgh")]})
    found = shrink(steps, fails, VALUES, 3)
    assert (found.plays, found.complete, len(played)) == (3, False, 3)
    assert "the plays had run out" in str(found)
    played.clear()
    whole = shrink(steps, fails, VALUES, 500)
    assert whole.complete
    assert len(played) == len(set(played)) == whole.plays


def test_what_does_not_fail_cannot_be_shrunk():
    with pytest.raises(ValueError, match="this scenario does not fail: there is nothing to shrink"):
        small(lambda faults: False, crash(1))
