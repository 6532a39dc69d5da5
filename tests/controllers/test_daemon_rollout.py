from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.core import Pod
from k8slab.controllers.daemon_placement import Verdict
from k8slab.controllers.daemon_rollout import Changes, Limits, Version, limits, manage, roll

VERSION = Version(new=lambda pod: pod.metadata.labels["v"] == "new", available=lambda pod: pod.ready)
FITS, LEAVES, STAYS = Verdict(True, True), Verdict(False, False), Verdict(False, True)


def pod(version="new", state="ready", name="", node="node-1"):
    meta = {"name": name or f"{node}-{version}", "labels": {"v": version}}
    if state == "going":
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    ready = [{"type": "Ready", "status": "True" if state == "ready" else "False"}]
    phase = {"failed": "Failed", "succeeded": "Succeeded"}.get(state, "Running")
    return Pod.of({"metadata": meta, "spec": {"nodeName": node}, "status": {"phase": phase, "conditions": ready}})


def managed(verdict, *pods, surge=False):
    changes = Changes()
    manage(changes, verdict, "node-1", pods, VERSION, surge)
    return changes.create, [each.name for each in changes.delete], [each.name for each in changes.ended]


@pytest.mark.parametrize(
    ("verdict", "pods", "expected"),
    [
        (FITS, [], (["node-1"], [], [])),
        (FITS, [pod()], ([], [], [])),
        (FITS, [pod(state="going")], ([], [], [])),
        (FITS, [pod(state="failed", name="a")], ([], [], ["a"])),
        (FITS, [pod(name="a"), pod(name="b")], ([], ["b"], [])),
        (STAYS, [], ([], [], [])),
        (STAYS, [pod()], ([], [], [])),
        (LEAVES, [pod(name="a")], ([], ["a"], [])),
        (LEAVES, [pod(state="going")], ([], [], [])),
    ],
)
def test_one_pod_on_each_node(verdict, pods, expected):
    assert managed(verdict, *pods) == expected


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        ([pod(state="going")], (["node-1"], [], [])),
        ([pod("old"), pod("new", "coming")], ([], [], [])),
        ([pod("old", "coming"), pod("new", "coming")], ([], ["node-1-old"], [])),
        ([pod("old"), pod("new")], ([], ["node-1-old"], [])),
        ([pod("old", name="a"), pod("old", name="b")], ([], ["b"], [])),
    ],
)
def test_with_a_surge_two_while_the_new_one_comes_up(pods, expected):
    assert managed(FITS, *pods, surge=True) == expected


def rolled(states, allowed, leaving=()):
    """The changes for nodes with Pods of these versions and states."""
    pods, verdicts = {}, {}
    for number, state in enumerate(states):
        node = f"n{number}"
        verdicts[node] = STAYS if number in leaving else FITS
        pods[node] = [pod(*each.split(), node=node) for each in state]
    changes = roll(verdicts, {node: those for node, those in pods.items() if those}, VERSION, allowed)
    return changes.create, [each.name for each in changes.delete]


@pytest.mark.parametrize(
    ("states", "unavailable", "deleted"),
    [
        ([["old ready"]] * 3, 1, ["n0-old"]),
        ([["old ready"]] * 3, 2, ["n0-old", "n1-old"]),
        ([["new coming"], ["old ready"], ["old ready"]], 1, []),
        ([[], ["old ready"], ["old ready"]], 1, []),
        ([["new ready"], ["old coming"], ["old ready"]], 1, ["n1-old"]),
        ([["old coming"], ["old coming"], ["old ready"]], 1, ["n0-old", "n1-old"]),
        ([["new ready"], ["new ready"], ["old ready"]], 1, ["n2-old"]),
    ],
)
def test_old_pods_go_as_far_as_some_may_be_unavailable(states, unavailable, deleted):
    assert rolled(states, Limits(0, unavailable)) == ([], deleted)


@pytest.mark.parametrize(
    ("states", "created", "deleted"),
    [
        ([["old ready"]] * 3, ["n0"], []),
        ([["old ready", "new coming"], ["old ready"]], [], []),
        ([["old ready", "new ready"], ["old ready"]], ["n1"], ["n0-old"]),
        ([["old coming"], ["old ready"]], ["n0", "n1"], []),
    ],
)
def test_with_a_surge_new_pods_come_first(states, created, deleted):
    assert rolled(states, Limits(1, 0)) == (created, deleted)


def test_with_a_surge_a_pod_that_must_leave_waits_until_enough_others_are_available():
    assert rolled([["old ready"], ["new coming"]], Limits(1, 0), leaving=[0]) == ([], [])
    assert rolled([["old ready"], ["new ready"]], Limits(1, 0), leaving=[0]) == ([], ["n0-old"])


NODE = st.sampled_from([[], ["old ready"], ["old coming"], ["new ready"], ["new coming"], ["old going"]])


@given(st.lists(NODE, max_size=8), st.integers(1, 4))
def test_never_more_are_taken_away_than_may_be_unavailable(states, unavailable):
    _, deleted = rolled(states, Limits(0, unavailable))
    away = sum(1 for state in states if state not in (["old ready"], ["new ready"]))
    taken = sum(1 for number, state in enumerate(states) if state == ["old ready"] and f"n{number}-old" in deleted)
    assert taken <= max(0, unavailable - away)


@pytest.mark.parametrize(
    ("rolling", "expected"),
    [
        (None, Limits(0, 1)),
        ({"maxUnavailable": "34%", "maxSurge": 0}, Limits(0, 2)),
        ({"maxUnavailable": 0, "maxSurge": "10%"}, Limits(1, 0)),
        ({"maxUnavailable": "0%", "maxSurge": "0%"}, Limits(0, 1)),
    ],
)
def test_percentages_round_up(rolling, expected):
    assert limits(rolling, 5) == expected
