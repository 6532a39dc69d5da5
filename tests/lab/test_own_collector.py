"""The judge of "Your own collector": a collector in a real cluster, and the mistakes that many make."""

from __future__ import annotations

import pytest

from k8slab.lab.checks import own_collector as check

BEHIND, ENOUGH, FOREGROUND, DOWN, BLOCKS, LATE = [criterion.name for criterion in check.COLLECTOR.criteria]


def collector(
    *,
    lonely=False,
    asks=True,
    waits=True,
    blocking=True,
    onward=True,
    all_owners=False,
    disowns=True,
    waiting_keeps=False,
    releases=True,
):
    """The solution, with its mistakes to choose."""

    def collect(things, ask):
        deeds, dependents = [], {}
        for thing in things.values():
            for owner in thing.owners:
                dependents.setdefault(owner.uid, []).append(owner.blocks or not blocking)
        for thing in things.values():
            mine = dependents.get(thing.uid, [])
            if thing.deleting:
                if "foregroundDeletion" in thing.finalizers and releases and not (waits and any(mine)):
                    deeds.append(("release", thing))
                continue
            if not thing.owners and not lonely:
                continue
            there, waiting, gone = [], [], []
            for owner in thing.owners:
                found = ask(owner) if asks else things.get(owner.uid)
                if found is None:
                    gone.append(owner)
                elif found.deleting and "foregroundDeletion" in found.finalizers and not waiting_keeps:
                    waiting.append(owner)
                else:
                    there.append(owner)
            if there and not (all_owners and gone):
                deeds += [("disown", thing, owner) for owner in gone + waiting if disowns]
            else:
                deeds.append(("delete in the foreground" if waiting and mine and onward else "delete", thing))
        return deeds

    return collect


def failed(result) -> dict[str, str]:
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    assert check.check_collector(collector()).points == 8


@pytest.mark.parametrize("starter", [None, ..., lambda things, ask: [], lambda things, ask: None, []])
def test_the_starter_gets_none(starter):
    assert check.check_collector(starter).points == 0


@pytest.mark.parametrize("seed", range(40, 42))
def test_late_news_is_no_problem_for_any_seed(seed, monkeypatch):
    monkeypatch.setattr(check, "SEEDS", (seed,))
    check._judge_late(collector())


@pytest.mark.parametrize(
    ("wrong", "criteria", "message"),
    [
        ({"lonely": True}, [BEHIND], "`parent` names no owner, and was deleted"),
        (
            {"all_owners": True},
            [ENOUGH],
            "`child` named two owners, `one` and `two`. `one` was deleted, `two` is there",
        ),
        ({"disowns": False}, [ENOUGH], "`child` still names `one`, which is gone"),
        ({"waits": False}, [FOREGROUND, DOWN], "went before its dependent `child`, which blocks it"),
        ({"waiting_keeps": True}, [FOREGROUND, DOWN, LATE], "nobody has deleted `child`"),
        ({"releases": False}, [FOREGROUND, DOWN, BLOCKS, LATE], "`parent` waits for ever: its last dependent is gone"),
        ({"onward": False}, [DOWN], "`child` went before its own dependent `grandchild`"),
        ({"blocking": False}, [BLOCKS], "`parent` waits for `child`, which does not block it"),
        ({"asks": False}, [LATE], "was deleted, and its owner is there, only new"),
    ],
)
def test_a_wrong_collector_fails_the_criteria_meant_for_it(wrong, criteria, message):
    found = failed(check.check_collector(collector(**wrong)))
    assert list(found) == criteria
    assert message in found[criteria[0]]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda things, ask: [("destroy", None)], "a deed should be one of ('delete', thing)"),
        (lambda things, ask: [("delete", "web")], "the second part of a deed should be a thing"),
        (lambda things, ask: [("disown", thing) for thing in things.values()], "('disown', thing, owner)"),
        (lambda things, ask: 1 / 0, "your code raised ZeroDivisionError"),
        (lambda things: [], "your code raised TypeError"),
        (lambda things, ask: "delete", "should return a list of deeds, but what it returned is str"),
    ],
)
def test_what_makes_no_sense_is_said(wrong, message):
    result = check.check_collector(wrong)
    assert result.points == 0
    assert message in failed(result)[BEHIND]


def test_there_are_three_hints():
    assert len(check.COLLECTOR.hints) == 3
