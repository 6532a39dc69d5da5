"""What every judge does with whatever a learner hands in."""

from __future__ import annotations

import threading

import pytest

from k8slab.lab import checks
from k8slab.lab.checks import Aloud, Check, Criterion, Endless, Fault, patient, shown


def for_ever(answer):
    while True:
        pass


def fine(answer):
    pass


def test_code_that_does_not_end_is_told_in_a_sentence_and_nothing_else_is_tried(monkeypatch):
    monkeypatch.setattr(checks, "PATIENCE", 2)
    check = Check([Criterion("before", 1, fine), Criterion("loops", 1, for_ever), Criterion("after", 1, fine)])
    before, loops, after = check(None).verdicts
    assert (before.outcome, loops.outcome, after.outcome) == ("passed", "not yet", "skipped")
    assert loops.message == "after 2 s your code had not come back: does a loop in it never end?"
    assert after.message == "first: loops"


def test_a_learners_own_interrupt_stays_one():
    def interrupts(answer):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Check([Criterion("one", 1, interrupts)])(None)


def test_who_is_quick_is_not_interrupted():
    before = threading.active_count()
    with patient(600):
        pass
    assert threading.active_count() <= before + 1


def test_a_loop_in_another_thread_is_left_alone():
    found = []

    def elsewhere():
        with patient(0.01):
            found.append(sum(range(100_000)))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(10)
    assert len(found) == 1


def test_a_notebook_shows_a_fault_as_one_sentence():
    assert Fault("it is still empty")._render_traceback_() == ["it is still empty"]
    assert isinstance(Endless("x"), Fault)


def test_what_went_wrong_is_said_once_when_it_happens(capsys):
    faults = Aloud()
    for fault in ("a", "a", "b"):
        faults.append(fault)
    assert (faults, capsys.readouterr().out) == (["a", "b"], "a\nb\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "still empty"),
        (..., "still empty"),
        (3, "int: 3"),
        (object(), "object: <object object>"),
        ("x" * 1000, f"str: '{'x' * 299}..."),
    ],
)
def test_an_answer_is_shown_with_its_type_and_not_too_long(value, text):
    assert shown(value) == text
