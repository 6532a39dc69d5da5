"""The judge of "Who takes the lease?".

The learner writes the decision at the heart of leader election: what a candidate writes into the Lease, if anything. The rest is
the engine's own, so the decision is put into real candidates, and has to stand what they stand: a crash, clocks that show other
times, a lease that is given back, lines that are cut. Seeds are the judge's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from k8slab.api.coordination import Lease
from k8slab.client.leader_election import Record
from k8slab.clock import EPOCH, from_rfc3339
from k8slab.lab.checks import Check, Criterion, Fault, Result, check_callable, shown
from k8slab.lab.checks.guarded import Guarded, practising
from k8slab.lab.checks.leases import leaders, lease
from k8slab.lab.cluster import Cluster

ROLE = "kube-scheduler"
CANDIDATES = 3
LOOK = 0.5
"""Between two looks of the judge, in seconds."""
SEEDS = (51, 52, 53)
SKEWS = (3600.0, -3600.0, 20.0)

Decide = Callable[[Record | None, float, str, float], Record | None]


@contextmanager
def practice(next_record: Decide, seed: int = 7) -> Iterator[Cluster]:
    """A cluster with three schedulers that decide so: `with check.practice(next_record) as cluster: ...`.

    What goes wrong with it is printed at the end.
    """
    race = _Race(next_record, seed)
    with practising(race.cluster, race.guarded) as cluster:
        yield cluster


def check_election(next_record: Any) -> Result:
    """Let three candidates decide by `next_record`. 6 points."""
    return ELECTION(next_record)


class _Race:
    """One cluster with three candidates that decide as the learner has it."""

    def __init__(self, next_record: Any, seed: int) -> None:
        check_callable("next_record", next_record)
        self._decide = next_record
        self.guarded = Guarded()
        self.left_alone = 0
        """How often a lease that nobody held was left alone."""
        self.cluster = Cluster(
            nodes=0, seed=seed, candidates={ROLE: CANDIDATES}, replace={"leader-election": self.decide}
        )
        self.guarded.check()

    def decide(self, seen: Record | None, seen_at: float, me: str, now: float) -> Any:
        """What the learner's function says, if it can be used."""
        said = self.guarded.call(self._decide, seen, seen_at, me, now)
        if said is ...:
            said = None
        if said is not None and not isinstance(said, Record):
            self.guarded.note(f"`next_record` should return a Record or None, but what it returned is {shown(said)}")
            return None
        if said is None and seen is not None and not seen.holder:
            self.left_alone += 1
        return said

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> float:
        """Let time pass, at most so long, and look all the time; how long it was. Raises Fault where two lead."""
        for number in range(round(seconds / LOOK)):
            self._look()
            if until():
                return number * LOOK
            self.cluster.run_for(LOOK)
        self._look()
        return seconds

    def _look(self) -> None:
        self.guarded.check()
        found, at = leaders(self.cluster), self.cluster.now - EPOCH
        if len(found) > 1:
            raise Fault(
                f"{at:.1f}s after the beginning, two led at the same moment: {' and '.join(found)}. {TOO_EARLY}"
            )

    def start(self) -> str:
        """Let somebody become the leader; who. Raises Fault if nobody does."""
        if self.run(30, lambda: bool(leaders(self.cluster))) >= 30:
            raise Fault("half a minute after the beginning, nobody leads")
        return self.leader

    @property
    def leader(self) -> str:
        """Who leads. Raises Fault for nobody."""
        found = leaders(self.cluster)
        if not found:
            raise Fault("nobody leads, though all could reach the lease for 40s")
        return found[0]

    @property
    def lease(self) -> Lease:
        """The Lease."""
        return lease(self.cluster, ROLE)


TOO_EARLY = (
    "A leader that cannot renew goes on for 12 s. Who may take a lease that was not given back, and when? The record says how "
    "long it lasts, and `seen_at` when you first saw it so"
)


@contextmanager
def _race(next_record: Any, seed: int) -> Iterator[_Race]:
    race = _Race(next_record, seed)
    with race.cluster:
        race.start()
        yield race


def _judge_quiet(next_record: Any) -> None:
    with _race(next_record, 51) as race:
        first = race.leader
        race.run(90)
        if race.leader != first:
            raise Fault(f"{first} led, and nothing was wrong with it; a minute later {race.leader} leads")


def _judge_record(next_record: Any) -> None:
    with _race(next_record, 52) as race:
        began, first = race.lease.spec.acquire_time, race.leader
        race.run(60)
        spec = race.lease.spec
        if not spec.renew_time or race.cluster.now - from_rfc3339(spec.renew_time) > 3:
            raise Fault(f"a leader that renews writes the time into `renew_time`; there stands {spec.renew_time}")
        if spec.acquire_time != began:
            raise Fault(
                f"`acquire_time` says since when the holder has had the lease. It was {began}, and after renewals by the same "
                f"one it is {spec.acquire_time}"
            )
        if spec.lease_transitions:
            raise Fault(
                f"`transitions` counts how often the lease went to another one. Only {first} had it, and it is "
                f"{spec.lease_transitions}"
            )
        race.cluster.crash(first)
        if race.run(40, lambda: bool(leaders(race.cluster))) < 40:
            spec = race.lease.spec
            if spec.lease_transitions != 1 or spec.acquire_time == began:
                raise Fault(
                    "the lease went to another one: then `transitions` is one more than before, and `acquire_time` is now. "
                    f"They are {spec.lease_transitions} and {spec.acquire_time}"
                )


def _judge_crash(next_record: Any) -> None:
    with _race(next_record, 53) as race:
        _hands_over(race, "")


def _hands_over(race: _Race, where: str) -> None:
    first = race.leader
    race.cluster.crash(first)
    if race.run(40, lambda: bool(leaders(race.cluster))) >= 40:
        raise Fault(
            f"{where}{first} crashed, and 40s later nobody else leads. Nobody has renewed the lease all that time: each "
            "candidate could see that the record does not change"
        )


def _judge_clocks(next_record: Any) -> None:
    for ahead in SKEWS:
        with _race(next_record, 54) as race:
            where = f"the clocks of all but the leader show {ahead:+g}s: "
            first = race.leader
            for number in range(CANDIDATES):
                if (name := f"{ROLE}-{number}") != first:
                    race.cluster.fault("clock-skew", component=name, ahead=ahead).start()
            try:
                race.run(60)
            except Fault:
                race.guarded.check()
                raise Fault(
                    f"{where}two led at the same moment. What the record names is the *other's* time, and cannot be compared "
                    "with `now`. It only has to change"
                ) from None
            if race.leader != first:
                raise Fault(f"{where}another one has taken the lease, though {first} was renewing it")
            _hands_over(race, where)


def _judge_released(next_record: Any) -> None:
    with _race(next_record, 55) as race:
        race.left_alone = 0
        with race.cluster.fault("stop", component=race.leader):
            race.run(20, lambda: bool(leaders(race.cluster)))
            if race.left_alone or not leaders(race.cluster):
                raise Fault(
                    "the leader ended in good order, and gave the lease back: `holder` is empty. A candidate saw that, and "
                    "did not take it"
                )


def _judge_cut(next_record: Any) -> None:
    for seed in SEEDS:
        with _race(next_record, seed) as race:
            for seconds in (25, 40, 13):
                with race.cluster.fault("cut-off", component=race.leader):
                    race.run(seconds)
                race.run(40)
                race.leader  # noqa: B018 - raises Fault if there is none


QUIET, TAKES_OVER = "one leads, and goes on to lead", "a crash is noticed"

ELECTION = Check(
    [
        Criterion(QUIET, 1, _judge_quiet),
        Criterion("the record says since when, and how often it changed", 1, _judge_record, needs=QUIET),
        Criterion(TAKES_OVER, 1, _judge_crash, needs=QUIET),
        Criterion("clocks that show other times do no harm", 1, _judge_clocks, needs=TAKES_OVER),
        Criterion("a lease that was given back is taken at once", 1, _judge_released, needs=QUIET),
        Criterion("never two, though lines are cut", 1, _judge_cut, needs=TAKES_OVER),
    ],
    hints=[
        "There are four cases: there is no lease; it is mine; nobody holds it; another one holds it. Only in the last one does "
        "time matter.",
        "Another one's lease is over if it has not changed for `seen.lease_duration` seconds, as you saw it: `seen_at + "
        "seen.lease_duration <= now`. Both are of your own clock. `seen.renew_time` is never looked at.",
        "If it is mine: Record(me, 0, seen.acquire_time, time, seen.transitions). If I take it: Record(me, 0, time, time, "
        "seen.transitions + 1). If there is none: the same with 0 transitions.",
    ],
)
