"""The judge of "Clean up once": a controller behind a finalizer, and the mistakes that many make."""

from __future__ import annotations

import contextlib

import pytest

from k8slab.lab.checks import clean_up as check

MAKES, CLEANS, ONCE, MADE, FOREIGN, REST = [criterion.name for criterion in check.CLEAN_UP.criteria]
MINE = check.FINALIZER


def reconciler(
    *, disk_first=False, release_first=False, looks=True, foreign=True, quiet=True, releases=True, removes=True
):
    """The solution, with its mistakes to choose."""

    def reconcile(claim, disks, api):
        meta = claim["metadata"]
        name, finalizers = meta["name"], meta.get("finalizers", [])
        others = [each for each in finalizers if each != MINE] if foreign else []
        if "deletionTimestamp" in meta:
            if MINE not in finalizers:
                return
            if release_first:
                api.set_finalizers(claim, others)
            if removes and (disks.exists(name) or not looks):
                disks.remove(name)
            if releases and not release_first:
                api.set_finalizers(claim, others)
            return
        if disk_first and not disks.exists(name):
            disks.create(name)
        if MINE not in finalizers or not quiet:
            api.set_finalizers(claim, [*others, MINE])
        if not disks.exists(name):
            disks.create(name)

    return reconcile


def failed(result) -> dict[str, str]:
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    assert check.check_clean_up(reconciler()).points == 6


@pytest.mark.parametrize("starter", [None, ..., lambda claim, disks, api: None, 7])
def test_the_starter_gets_none(starter):
    assert check.check_clean_up(starter).points == 0


@pytest.mark.parametrize("seed", range(50, 54))
def test_a_crash_is_no_problem_for_any_seed(seed, monkeypatch):
    monkeypatch.setattr(check, "CLUSTERS", ((seed, seed % 2 * 2.0),))
    check._judge_crash_in_cleaning(reconciler())


@pytest.mark.parametrize(
    ("wrong", "criteria", "message"),
    [
        ({"disk_first": True}, [MAKES], "the claim did not have the finalizer example.com/disk yet"),
        ({"removes": False}, [CLEANS], "the claim `photos` is gone, and its disk is left"),
        ({"releases": False}, [CLEANS], "nobody has taken the finalizer off"),
        ({"release_first": True}, [CLEANS], "the claim was released before its disk was removed"),
        ({"looks": False}, [ONCE], "your code raised NoSuchDisk: there is no disk 'films'"),
        ({"foreign": False}, [FOREIGN], "It is somebody else's: keep it"),
        ({"quiet": False}, [REST], "nothing was to be done, and you did `finalizers` for the claim 'photos'"),
    ],
)
def test_a_wrong_controller_fails_the_criteria_meant_for_it(wrong, criteria, message):
    found = failed(check.check_clean_up(reconciler(**wrong)))
    assert list(found) == criteria
    assert message in found[criteria[0]]


def remembering():
    """Who remembers what was done forgets it in a crash, for the disk may be gone and the note not yet made."""
    removed = set()

    def reconcile(claim, disks, api):
        meta = claim["metadata"]
        if "deletionTimestamp" not in meta:
            return reconciler()(claim, disks, api)
        if meta["name"] not in removed:
            try:
                disks.remove(meta["name"])
            except check.NoSuchDisk:
                return None
            removed.add(meta["name"])
        return api.set_finalizers(claim, [each for each in meta["finalizers"] if each != MINE])

    return reconcile


def test_to_remember_is_not_enough():
    found = failed(check.check_clean_up(remembering()))
    assert "rather than remember whether you have removed it" in found[ONCE]


def test_a_crash_cannot_be_caught():
    def careful(claim, disks, api):
        with contextlib.suppress(Exception):
            reconciler()(claim, disks, api)

    assert check.check_clean_up(careful).points == 6


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda claim, disks, api: api.set_finalizers(claim, MINE), "should be given a list of texts"),
        (lambda claim, disks, api: 1 / 0, "your code raised ZeroDivisionError"),
        (lambda claim: None, "your code raised TypeError"),
    ],
)
def test_what_makes_no_sense_is_said(wrong, message):
    result = check.check_clean_up(wrong)
    assert result.points == 0
    assert message in failed(result)[MAKES]


def test_there_are_three_hints():
    assert len(check.CLEAN_UP.hints) == 3
