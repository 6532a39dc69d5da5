"""The judge of "The queue"."""

from __future__ import annotations

from collections import deque

import pytest

from k8slab.lab.checks import Fault
from k8slab.lab.checks import work_queue as check
from k8slab.mistake import Mistake

ORDER, ONCE, TWO, BACK, ANY, CLUSTER = (name for name, _ in check.CRITERIA)


class Solution:
    def __init__(self):
        self.waiting, self.news, self.working = [], set(), set()

    def add(self, key):
        if key in self.news:
            return
        self.news.add(key)
        if key not in self.working:
            self.waiting.append(key)

    def get(self):
        if not self.waiting:
            return None
        key = self.waiting.pop(0)
        self.news.discard(key)
        self.working.add(key)
        return key

    def done(self, key):
        self.working.discard(key)
        if key in self.news:
            self.waiting.append(key)


class Plain(Solution):
    """Every event is a reconcile."""

    def __init__(self):
        self.waiting = deque()

    def add(self, key):
        self.waiting.append(key)

    def get(self):
        return self.waiting.popleft() if self.waiting else None

    def done(self, key):
        pass


class Alphabetical(Solution):
    def get(self):
        self.waiting.sort()
        return super().get()


class Eager(Solution):
    """Gives a key to a second worker."""

    def add(self, key):
        if key not in self.news:
            self.news.add(key)
            self.waiting.append(key)

    def done(self, key):
        self.working.discard(key)


class Forgetful(Solution):
    """What comes during the work is lost."""

    def add(self, key):
        if key not in self.working:
            super().add(key)


class OnlyOnce(Solution):
    """A key that was done never comes again."""

    def __init__(self):
        super().__init__()
        self.over = set()

    def add(self, key):
        if key not in self.over:
            super().add(key)

    def done(self, key):
        super().done(key)
        self.over.add(key)


def failed(result):
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    result = check.check_queue(Solution)
    assert (result.points, result.of) == (6, 6), str(result)


class Starter:
    pass


@pytest.mark.parametrize("starter", [None, ..., Starter])
def test_the_starter_gets_none(starter):
    assert check.check_queue(starter).points == 0


@pytest.mark.parametrize(
    ("wrong", "criterion", "message"),
    [
        (
            Alphabetical,
            ORDER,
            "get() should give 'b', and gave 'a': keys come out in the order in which they were added",
        ),
        (Plain, ONCE, "a was added three times, and is in the queue once"),
        (Eager, TWO, "a is being worked on: nobody else may begin with it"),
        (Forgetful, BACK, "it was added while it was worked on: something has changed since, so it must come back"),
        (Forgetful, ANY, "so says a queue that keeps all the rules"),
        (OnlyOnce, CLUSTER, "keys were lost"),
    ],
)
def test_a_wrong_queue_fails_the_criterion_meant_for_it(wrong, criterion, message):
    assert message in failed(check.check_queue(wrong))[criterion]


def test_a_queue_that_raises_is_told_in_a_sentence():
    class Broken(Solution):
        def get(self):
            raise IndexError("pop from empty list")

    assert "your code raised IndexError: pop from empty list" in failed(check.check_queue(Broken))[ORDER]


def test_a_missing_method_is_named():
    class NoDone:
        add = get = Solution.add

    assert "the queue has no 'done'" in failed(check.check_queue(NoDone))[ORDER]


def test_there_are_three_hints():
    assert len(check.QUEUE.hints) == 3


def test_practice_tells_what_each_get_gives(capsys):
    check.practice(Solution, "add a", "add a", "get", "get", "done a")
    assert capsys.readouterr().out == "add a\nadd a\nget() gives 'a'\nget() gives None\ndone a\n"


@pytest.mark.parametrize(
    ("uses", "message"),
    [(("pop",), "'pop' is no use"), (("add",), "'add' is no use"), (("get a",), "'get a' is no use")],
)
def test_what_is_no_use_of_a_queue_is_said(uses, message):
    with pytest.raises(Mistake, match=message):
        check.practice(Solution, *uses)


def test_practice_with_the_starter_says_what_is_missing():
    with pytest.raises(Fault, match="the queue has no 'add'"):
        check.practice(Starter)
