"""The judge of "Who takes the lease?": the solution passes, and each known wrong decision fails where it should."""

from __future__ import annotations

from dataclasses import replace

import pytest

from k8slab.client.leader_election import Record
from k8slab.client.leader_election import next_record as upstreams
from k8slab.clock import from_rfc3339, to_rfc3339_micro
from k8slab.lab.checks import election as check


def mine(me, now, transitions=0):
    return Record(me, 0, to_rfc3339_micro(now), to_rfc3339_micro(now), transitions)


def nobody(seen, seen_at, me, now): ...


def everybody(seen, seen_at, me, now):
    return upstreams(seen, -1e9, me, now)


def by_the_others_clock(seen, seen_at, me, now):
    return upstreams(seen, from_rfc3339(seen.renew_time) if seen else 0, me, now)


def too_early(seen, seen_at, me, now):
    return upstreams(seen and replace(seen, lease_duration=6), seen_at, me, now)


def never(seen, seen_at, me, now):
    return None if seen and seen.holder not in ("", me) else upstreams(seen, seen_at, me, now)


def counts_renewals(seen, seen_at, me, now):
    found = upstreams(seen, seen_at, me, now)
    return found and replace(found, transitions=seen.transitions + 1 if seen else 0)


def forgets_since_when(seen, seen_at, me, now):
    found = upstreams(seen, seen_at, me, now)
    return found and replace(found, acquire_time=to_rfc3339_micro(now))


def begins_to_count_anew(seen, seen_at, me, now):
    found = upstreams(seen, seen_at, me, now)
    return found and replace(found, transitions=0)


def waits_for_nobody(seen, seen_at, me, now):
    if seen and seen.holder != me and seen_at + 15 > now:
        return None
    return upstreams(seen, -1e9, me, now)


def failed(result) -> dict[str, str]:
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    result = check.check_election(upstreams)
    assert result.points == 6, str(result)


def test_the_starter_gets_none():
    assert check.check_election(nobody).points == 0
    assert check.check_election(...).points == 0


QUIET, RECORD, CRASH, CLOCKS, RELEASED, CUT = (each.name for each in check.ELECTION.criteria)


@pytest.mark.parametrize(
    ("wrong", "criterion", "message"),
    [
        (nobody, QUIET, "half a minute after the beginning, nobody leads"),
        (everybody, QUIET, "two led at the same moment"),
        (None, QUIET, "should be a function, but it is still empty"),
        (lambda seen, seen_at, me, now: me, QUIET, "should return a Record or None, but what it returned is str: 'kube-"),
        (lambda seen, seen_at, me, now: seen.holder, QUIET, "your code raised AttributeError"),
        (counts_renewals, RECORD, "`transitions` counts how often"),
        (forgets_since_when, RECORD, "`acquire_time` says since when"),
        (begins_to_count_anew, RECORD, "is one more than before"),
        (never, CRASH, "40s later nobody else leads"),
        (by_the_others_clock, CLOCKS, "is the *other's* time"),
        (waits_for_nobody, RELEASED, "did not take it"),
        (too_early, CUT, "goes on for 12 s"),
    ],
)  # fmt: skip
def test_a_wrong_decision_fails_the_criterion_meant_for_it(wrong, criterion, message):
    found = failed(check.check_election(wrong))
    assert list(found) == [criterion]
    assert message in found[criterion]


def test_there_are_three_hints():
    assert len(check.ELECTION.hints) == 3
