"""What every judge does with whatever a learner hands in."""

from __future__ import annotations

import threading

import pytest

from k8slab.lab import checks
from k8slab.lab.checks import Aloud, Check, Criterion, Endless, Fault, limited, patient, shown
from k8slab.loop.interrupts import deferred_interrupts


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


def test_a_loop_is_ended_in_the_middle_of_a_step_and_on_any_thread():
    """There a cluster puts interrupts off: nobody else could end it."""
    found = []

    def elsewhere():
        with pytest.raises(Endless) as error, patient(0.2), deferred_interrupts():
            for_ever(None)
        found.append(str(error.value))

    elsewhere()
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(60)
    assert found == 2 * ["after 0.2 s your code had not come back: does a loop in it never end?"]


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


def test_a_function_that_does_not_end_is_not_tried_again(monkeypatch):
    monkeypatch.setattr(checks, "PATIENCE_ONCE", 0.5)
    tried = []

    def loops(answer):
        tried.append(answer)
        for_ever(answer)

    guarded = limited(loops)
    for _ in range(2):
        with pytest.raises(Endless, match=r"after 0\.5 s your code had not come back"):
            guarded("x")
    assert tried == ["x"]


@pytest.mark.parametrize("what", [None, ..., 3])
def test_what_is_no_function_is_left_as_it_is(what):
    assert limited(what) is what
