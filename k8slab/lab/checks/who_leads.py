"""The judge of "Who leads?".

Seven things happen to three schedulers, and the learner says how many of them work as the leader some seconds later: none, one
or two. The judge lets each thing happen in clusters of several seeds, and counts. Then two reasons are to be chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from k8slab.engine.candidates import names_of
from k8slab.lab.checks import Check, Criterion, Fault, Result, shown
from k8slab.lab.checks.leases import leaders
from k8slab.lab.cluster import Cluster

CANDIDATES = {"kube-scheduler": 3}
SEED, JUDGES_SEEDS = 1, (61, 62, 63)
CALM = 20.0
"""Seconds before anything happens."""


@dataclass(frozen=True, slots=True)
class Case:
    """A thing that happens, and when the leaders are counted."""

    fault: str
    seconds: float
    to_leader: bool = True
    """Whether it happens to the leader; else to one who waits."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    says: Mapping[int, str] = field(default_factory=dict)
    """What to say to a wrong number."""


CASES: Mapping[str, Case] = {
    "the leader crashes; 14 seconds later": Case(
        "crash", 14,
        says={
            1: "nobody is told that it has crashed. The others see a record that does not change, and have to wait for its "
            "whole 15 seconds",
        },
    ),
    "the leader restarts; 5 seconds later": Case(
        "restart", 5,
        says={
            1: "it is another process now, with another identity. For it the lease is somebody else's, though that was itself",
        },
    ),
    "the leader ends in good order; 5 seconds later": Case(
        "stop", 5,
        says={0: "who ends in good order gives the lease back. Then nobody has to wait until it runs out"},
    ),
    "a waiting one's clock is an hour ahead; 60 seconds later": Case(
        "clock-skew", 60, to_leader=False, arguments={"ahead": 3600.0},
        says={
            2: "by that clock every `renewTime` is long over, but it is never compared with it. It only has to change, and it "
            "does",
            0: "the leader goes on to renew: nothing is wrong with it",
        },
    ),
    "the leader is cut off from the API server; 13 seconds later": Case(
        "cut-off", 13,
        says={
            1: "it could not renew any more, and has given up by its own clock 12 seconds after its last success. The others "
            "still wait",
            2: "the others wait for 15 seconds, and the leader gives up after 12. That gap is made on purpose",
        },
    ),
    "the leader stands still; 25 seconds later": Case(
        "freeze", 25, arguments={"before": "now"},
        says={
            1: "the others have taken the lease, that is one. And the frozen one? It cannot look at its clock, so it has not "
            "given up: when it wakes up, it goes on with what it had in hand",
            0: "the others see a record that has not changed for 15 seconds, and one of them takes it",
        },
    ),
    "a waiting one's clock runs ten times as fast; 8 seconds later": Case(
        "clock-rate", 8, to_leader=False, arguments={"rate": 10.0},
        says={
            1: "its 15 seconds are over in one and a half. The leader renews every two: it has done nothing wrong, and still "
            "believes in its lease",
            0: "the fast one has taken the lease, and the other one has not given up yet",
        },
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """A reason to choose."""

    asks: str
    options: Mapping[str, str]
    right: str
    says: Mapping[str, str]
    """What to say to each wrong choice."""


QUESTIONS: Mapping[str, Question] = {
    "how a candidate knows": Question(
        "How does a candidate know that another one's lease is over?",
        {
            "a": "etcd ends it: the Lease is bound to an etcd lease, and goes by itself.",
            "b": "`renewTime` and `leaseDurationSeconds` together are earlier than its own clock.",
            "c": "The record has not changed for `leaseDurationSeconds`, by its own clock.",
            "d": "The leader does not answer any more.",
        },
        "c",
        {
            "a": "a Lease is an object like any other: it stays when nobody renews it. In etcd there is no lease behind it",
            "b": "then a clock that is wrong by a minute could take the lease from a leader that is well",
            "d": "no component calls another: candidates do not even know where the leader runs",
        },
    ),
    "the write of a sleeper": Question(
        "A leader has slept for a minute, wakes up, and writes what it had in hand. What about that write?",
        {
            "a": "The API server refuses it: it knows who holds the lease.",
            "b": "It is refused if it carries an old resourceVersion; else it is done, and the new leader puts it right.",
            "c": "It cannot happen: a leader looks at its lease before each write.",
            "d": "It is done, and stays: two leaders are the end of a cluster.",
        },
        "b",
        {
            "a": "the API server does not know that a write has to do with a lease. If it did, that would be fencing",
            "c": "between the look and the write it may fall asleep just as well. And no component asks before each write",
            "d": "what is written is a state that the new leader sees, and compares with what should be: it is level-triggered",
        },
    ),
}


def show_questions() -> None:
    """Print the questions and what there is to choose from."""
    for name, question in QUESTIONS.items():
        print(f"{name}: {question.asks}")
        for letter, text in question.options.items():
            print(f"    {letter}  {text}")


def new_cluster(seed: int = SEED) -> Cluster:
    """Three schedulers, one of which has led for a while."""
    cluster = Cluster(nodes=0, seed=seed, candidates=CANDIDATES)
    cluster.run_for(CALM)
    return cluster


def check_prediction(prediction: Any) -> Result:
    """Compare numbers of leaders with what happens. 7 points."""
    return PREDICTION(prediction)


def check_reasons(reasons: Any) -> Result:
    """Judge the chosen reasons. 2 points."""
    return REASONS(reasons)


@cache
def _lived(name: str, seed: int) -> int:
    """How many leaders there are, in a cluster of the judge's own."""
    case = CASES[name]
    with new_cluster(seed) as cluster:
        (leader,) = leaders(cluster)
        other = next(each for each in names_of(CANDIDATES) if each != leader)
        cluster.fault(case.fault, component=leader if case.to_leader else other, **case.arguments).start()
        cluster.run_for(case.seconds)
        return len(leaders(cluster))


def _answer(given: Any, name: str, what: str) -> Any:
    if not isinstance(given, Mapping):
        raise Fault(f"`{what}` should be a dictionary, but it is {shown(given)}")
    value = given.get(name)
    if value is None or value is ...:
        raise Fault(f"`{what}[{name!r}]` has no answer yet")
    return value


def _judge_case(name: str, prediction: Any) -> None:
    said = _answer(prediction, name, "prediction")
    if isinstance(said, bool) or not isinstance(said, int):
        raise Fault(f"`prediction[{name!r}]` should be a number, but it is {shown(said)}")
    for seed in JUDGES_SEEDS:
        if said != _lived(name, seed):
            raise Fault(f"{said} is not what the judge has counted: {_say(CASES[name], said)}")


def _say(case: Case, said: int) -> str:
    return case.says.get(said, "of three candidates none, one or two work as the leader; let it happen, and look")


def _judge_reason(name: str, reasons: Any) -> None:
    said, question = _answer(reasons, name, "reasons"), QUESTIONS[name]
    if not isinstance(said, str) or said.strip().lower() not in question.options:
        raise Fault(f"`reasons[{name!r}]` should be one of {', '.join(question.options)}, but it is {shown(said)}")
    if (letter := said.strip().lower()) != question.right:
        raise Fault(question.says[letter])


PREDICTION = Check(
    [Criterion(name, 1, partial(_judge_case, name)) for name in CASES],
    hints=[
        "Ask two things each time. Does the leader know that it should stop, and when does it stop by its own clock (12 s "
        "after its last renewal)? And when have the others waited long enough, by theirs (15 s without a change)?",
        "Who crashes tells nobody; who ends in good order does. Who is cut off has a clock; who stands still has none. What a "
        "clock shows does not matter, how fast it runs does.",
        "Twice nobody has taken over yet. Once more nobody leads, because the leader was careful. Twice two lead: one of them "
        "has no clock, or the other one has a fast one.",
    ],
)

REASONS = Check(
    [Criterion(name, 1, partial(_judge_reason, name)) for name in QUESTIONS],
    hints=[
        "Look at `next_record` in the chapter: which of its arguments are compared with `now`?",
        "Look at the sleeper in the chapter: who created six Pods, and who deleted three?",
        "What is compared is of one clock only. What protects objects is what each write carries.",
    ],
)
