"""The judge of "Who is lost, and how fast to act": a learner's rules in a real cluster's controller."""

from __future__ import annotations

from dataclasses import replace

import pytest

from k8slab.controllers import node_health, node_zones
from k8slab.lab.checks import node_health as check

LOST, HAND, NORMAL, SMALL, FULL, LARGE = [criterion.name for criterion in check.RULES.criteria]


def rules(**wrong):
    right = {
        "is_lost": node_health.is_lost,
        "zone_state": node_zones.zone_state,
        "eviction_rate": node_zones.eviction_rate,
    }
    return right | wrong


def failed(result) -> dict[str, str]:
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    assert check.check_rules(rules()).points == 6


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_silent_node_is_judged_rightly_for_every_seed(seed, monkeypatch):
    worlds = tuple(replace(check.ONE_OF_THREE[0], seed=seed, slow=slow) for slow in (False, True))
    monkeypatch.setattr(check, "ONE_OF_THREE", worlds)
    check._judge_lost(rules())


@pytest.mark.parametrize("starter", [None, ..., {}, dict.fromkeys(check.NAMES, lambda *arguments: ...)])
def test_the_starter_gets_none(starter):
    assert check.check_rules(starter).points == 0


def ratio_only(ready, not_ready):
    if not ready and not_ready:
        return "FullDisruption"
    return "PartialDisruption" if not_ready / (ready + not_ready) >= 0.55 else "Normal"


def count_only(ready, not_ready):
    if not ready and not_ready:
        return "FullDisruption"
    return "PartialDisruption" if not_ready > 2 else "Normal"


def never_full(ready, not_ready):
    return "PartialDisruption" if not_ready > 2 and not_ready / (ready + not_ready) >= 0.55 else "Normal"


def stops_when_full(state, size):
    return 0 if state == "FullDisruption" else node_zones.eviction_rate(state, size)


def small_as_large(state, size):
    return 0.01 if state == "PartialDisruption" else 0.1


def large_as_small(state, size):
    return 0 if state == "PartialDisruption" else 0.1


def seconds_a_node(state, size):
    return 10 * node_zones.eviction_rate(state, size) * 10


@pytest.mark.parametrize(
    ("wrong", "criteria", "message"),
    [
        ({"is_lost": lambda silent, posted: silent >= 40}, [LOST], "49 s after its last sign it was taken for lost"),
        ({"is_lost": lambda silent, posted: silent >= 60}, [LOST], "56 s after its last sign nobody had noticed"),
        ({"is_lost": lambda silent, posted: silent >= 50}, [HAND], "58 s later it was taken for lost"),
        (
            {"is_lost": lambda silent, posted: silent >= (50 if posted else 300)},
            [HAND],
            "66 s later nobody had noticed",
        ),
        ({"zone_state": ratio_only}, [NORMAL], "two of three nodes were lost: two minutes later no node has NoExecute"),
        ({"zone_state": count_only}, [NORMAL], "three of six nodes were lost: two minutes later no node has NoExecute"),
        ({"zone_state": never_full}, [FULL], "Zone a is in FullDisruption, and zone b is well: so zone a is emptied"),
        ({"eviction_rate": stops_when_full}, [FULL], "two minutes later no node has NoExecute"),
        ({"eviction_rate": small_as_large}, [SMALL], "ten minutes later 3 nodes have NoExecute"),
        ({"eviction_rate": large_as_small}, [LARGE], "after 500 s 0 nodes have NoExecute, and about 5 should"),
        ({"eviction_rate": seconds_a_node}, [NORMAL, FULL, LARGE], "a rate is in nodes a second, 0.1"),
        ({"eviction_rate": lambda state, size: None}, [LOST], "should return a number"),
        ({"zone_state": lambda ready, not_ready: "Broken"}, [LOST], "`zone_state` should return one of Normal"),
        ({"is_lost": lambda silent: False}, [LOST], "in `is_lost`, your code raised TypeError"),
        ({"zone_state": None}, [LOST], "`zone_state` should be a function, but it is still empty"),
    ],
)
def test_wrong_rules_fail_the_criteria_meant_for_them(wrong, criteria, message):
    found = failed(check.check_rules(rules(**wrong)))
    assert list(found) == criteria
    assert message in found[criteria[0]]


def test_the_learner_can_try():
    with check.practice(rules()) as cluster:
        assert cluster.kubectl("get nodes --no-headers").stdout.count(" Ready ") == 5


def test_there_are_three_hints():
    assert len(check.RULES.hints) == 3
