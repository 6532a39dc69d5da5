from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.coordination import Lease
from k8slab.api.core import Namespace
from k8slab.apimachinery.errors import ServiceUnavailable
from k8slab.client.leader_election import LeaderElector, Record, Timing, next_record
from k8slab.clock import SkewedClock, to_rfc3339_micro
from tests.client.fake_server import World

LOCK = "kube-scheduler"


class Elections(World):
    """A server, and candidates that are stepped by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.client.create(Namespace, {"metadata": {"name": "kube-system"}})
        self.said: list[str] = []
        self.down = False
        self.cut_off: set[str] = set()
        """Who does not reach the server."""
        self.answer_takes: dict[str, float] = {}
        """Seconds that each one's answers take."""

    def send(self, name):
        world = self

        class Line:
            def __init__(self, transport):
                self.transport = transport

            def send(self, request):
                if world.down or name in world.cut_off:
                    raise ServiceUnavailable("down")
                answer = self.transport.send(request)
                if name in world.answer_takes:
                    world.clock.advance_to(world.clock.now() + world.answer_takes[name])
                return answer

        return Line

    def candidate(self, name: str, clock=None, **options) -> LeaderElector:
        return LeaderElector(
            self.connect(self.send(name)), clock or self.clock, self.chance, lock=LOCK, identity=name,
            on_started_leading=lambda: self.said.append(f"{name} leads"),
            on_stopped_leading=lambda: self.said.append(f"{name} has lost"), **options,
        )  # fmt: skip

    def after(self, seconds: float, *who: LeaderElector) -> None:
        end = self.clock.now() + seconds
        while (when := min(each.next_deadline() for each in who)) <= end:
            self.clock.advance_to(when)
            for each in who:
                each.step()
        self.clock.advance_to(end)

    @property
    def lease(self) -> Lease:
        return self.client.get(Lease, LOCK, "kube-system")


@pytest.fixture
def world():
    return Elections()


def record(holder="a", transitions=0, acquired=0.0, renewed=0.0):
    return Record(holder, 15, to_rfc3339_micro(acquired), to_rfc3339_micro(renewed), transitions)


# What to write.


def test_a_lease_that_is_not_there_is_made():
    assert next_record(None, 0, "b", 100) == Record("b", 0, *(to_rfc3339_micro(100),) * 2)


def test_the_holder_renews_and_stays_what_it_is():
    found = next_record(record("a", 3, acquired=50), 90, "a", 100)
    assert found == Record("a", 0, to_rfc3339_micro(50), to_rfc3339_micro(100), 3)


def test_another_ones_lease_is_left_alone_until_it_was_unchanged_for_its_duration():
    assert next_record(record("a"), 90, "b", 104.9) is None
    assert next_record(record("a"), 90, "b", 105).transitions == 1


def test_what_time_the_record_names_does_not_matter():
    for renewed in (0.0, 100.0, 10_000.0):
        assert next_record(record("a", renewed=renewed), 90, "b", 104) is None
        assert next_record(record("a", renewed=renewed), 90, "b", 106) is not None


def test_a_released_lease_is_taken_at_once():
    assert next_record(record(""), 100, "b", 100).holder == "b"


@pytest.mark.parametrize(
    ("timing", "sentence"),
    [
        ((10, 10, 2), "leaseDuration must be greater than renewDeadline"),
        ((15, 2, 2), "renewDeadline must be greater than retryPeriod*JitterFactor"),
        ((15, 10, 0.5), "retryPeriod must be greater than zero"),
    ],
)
def test_timings_that_cannot_work_are_refused(timing, sentence):
    with pytest.raises(ValueError, match=sentence.replace("*", r"\*")):
        Timing(*timing)


# One candidate.


def test_the_first_one_creates_the_lease_and_leads(world):
    a = world.candidate("a")
    assert a.step()
    assert (a.leading, a.is_leader, world.said) == (True, True, ["a leads"])
    assert (world.lease.spec.holder_identity, world.lease.spec.lease_duration_seconds) == ("a", 15)
    assert (world.lease.spec.lease_transitions, world.events("LeaderElection")) == (0, ["a became leader"])


def test_a_leader_renews_every_two_seconds_with_one_request(world):
    a = world.candidate("a")
    a.step()
    acquired, asked = world.lease.spec.acquire_time, []
    world.server.observers["test"] = lambda audit: asked.append(audit.verb)
    world.after(10, a)
    assert asked == ["update"] * 5
    assert world.lease.spec.renew_time == to_rfc3339_micro(world.clock.now())
    assert world.lease.spec.acquire_time == acquired


def test_a_leader_that_cannot_renew_gives_up_twelve_seconds_after_it_last_could(world):
    a = world.candidate("a")
    a.step()
    world.down = True
    world.after(11.9, a)
    assert a.leading
    world.after(0.1, a)
    assert (a.leading, world.said) == (False, ["a leads", "a has lost"])


def test_one_success_is_enough_to_go_on(world):
    a = world.candidate("a")
    a.step()
    for _ in range(3):
        world.down = True
        world.after(11, a)
        world.down = False
        world.after(2, a)
    assert a.leading


def test_a_leader_whose_lease_was_changed_by_somebody_looks_at_it_and_goes_on(world):
    a = world.candidate("a")
    a.step()
    world.client.patch(Lease, LOCK, "kube-system", {"metadata": {"labels": {"touched": "yes"}}})
    world.after(2, a)
    assert (a.leading, world.lease.metadata.labels) == (True, {"touched": "yes"})
    assert world.lease.spec.renew_time == to_rfc3339_micro(world.clock.now())


def test_a_lease_that_was_deleted_is_made_anew(world):
    a = world.candidate("a")
    a.step()
    world.client.delete(Lease, LOCK, "kube-system")
    world.after(2, a)
    assert world.lease.spec.holder_identity == "a"


def test_an_answer_that_comes_after_the_deadline_is_no_success(world):
    a = world.candidate("a")
    a.step()
    world.down = True
    world.after(11, a)
    world.down = False
    world.server.observers["late"] = lambda audit: world.clock.advance_to(world.clock.now() + 5)
    world.clock.advance_to(a.next_deadline() - 0.1)
    a._next_try = world.clock.now()
    a.step()
    assert not a.leading


def test_a_leader_that_was_not_asked_for_long_is_unhealthy(world):
    a = world.candidate("a")
    a.step()
    assert a.check(20) == ""
    world.clock.advance_to(world.clock.now() + 36)
    assert a.check(20) == "failed election to renew leadership on lease kube-scheduler"


# Two.


def test_the_second_one_waits_as_long_as_the_first_one_renews(world):
    a, b = world.candidate("a"), world.candidate("b")
    world.after(300, a, b)
    assert (a.leading, b.leading, world.said) == (True, False, ["a leads"])


def test_when_the_first_one_is_silent_the_second_one_takes_over(world):
    a, b = world.candidate("a"), world.candidate("b")
    world.after(10, a, b)
    world.after(15, b)
    assert not b.leading
    world.after(2 * 4.4, b)  # until it saw the last change, and until it looks again
    assert (b.leading, world.lease.spec.lease_transitions) == (True, 1)


def test_a_new_process_waits_even_if_the_lease_is_long_over(world):
    world.candidate("a").step()
    world.clock.advance_to(world.clock.now() + 1000)
    b = world.candidate("b")
    b.step()
    assert not b.leading
    world.after(20, b)
    assert b.leading


def test_a_lease_that_was_given_back_is_taken_at_the_next_look(world):
    a, b = world.candidate("a"), world.candidate("b")
    world.after(10, a, b)
    a.release()
    assert (world.lease.spec.holder_identity, world.lease.spec.lease_duration_seconds) == ("", 1)
    world.after(4.4, b)
    assert (b.leading, world.lease.spec.lease_transitions) == (True, 1)


def test_who_does_not_lead_gives_nothing_back(world):
    a, b = world.candidate("a"), world.candidate("b")
    world.after(10, a, b)
    b.release()
    assert world.lease.spec.holder_identity == "a"


def test_of_two_that_take_it_at_once_one_is_refused(world):
    a, b, c = (world.candidate(name) for name in "abc")
    world.after(10, a, b, c)
    world.clock.advance_to(world.clock.now() + 15)
    for each in (b, c):
        each._lease = world.client.raw("GET", Lease.resource.path("kube-system", LOCK))
    won = [each._write_next(world.clock.now()) for each in (b, c)]
    assert won == [True, False]


@pytest.mark.parametrize("ahead", [-3600.0, -14.0, 14.0, 3600.0])
def test_a_clock_that_is_wrong_by_a_constant_does_no_harm(world, ahead):
    a, b = world.candidate("a"), world.candidate("b", SkewedClock(world.clock, ahead))
    for _ in range(600):
        world.clock.advance_to(world.clock.now() + 0.5)
        a.step()
        b.step()
    assert (a.leading, b.leading) == (True, False)


def test_a_clock_that_runs_fast_takes_the_lease_from_a_living_leader(world):
    a, b = world.candidate("a"), world.candidate("b", SkewedClock(world.clock, rate=10.0))
    both = 0
    for _ in range(200):
        world.clock.advance_to(world.clock.now() + 0.1)
        a.step()
        b.step()
        both += a.leading and b.leading
    assert 0 < both * 0.1 <= 12 - 15 / 10 + 0.1


# Many, and nothing that they do is at a time of their own choosing.


class Contest(Elections):
    """Candidates that are looked at whenever the clock moves: who believes to lead, and how long several do."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.candidates = [self.candidate(f"c{number}") for number in range(size)]
        self.together = 0.0
        self._before = self.clock.now()

    def run(self, seconds: float) -> None:
        end = self.clock.now() + seconds
        while (now := self.clock.now()) < end:
            for each in self.candidates:
                # Before it acts, for only then can it be late; time may have passed while another one waited.
                self._look()
                each.step()
                self._look()
            self.clock.advance_to(max(self.clock.now(), now + 0.1))

    def _look(self) -> None:
        now = self.clock.now()
        if sum(each.leading and now < each.deadline for each in self.candidates) > 1:
            self.together += now - self._before
        self._before = now


TROUBLE = st.one_of(
    st.tuples(st.just("cut"), st.integers(0, 5), st.integers(1, 60)),
    st.tuples(st.just("mend"), st.integers(0, 5), st.integers(1, 200)),
    st.tuples(st.just("cut leader"), st.just(0), st.integers(100, 250)),
    st.tuples(st.just("slow"), st.integers(0, 5), st.integers(1, 60)),
)


def live(contest, trouble):
    """A life with troubles, as (what, whose, for how many tenths of a second until the next)."""
    for what, number, tenths in trouble:
        name = f"c{number}"
        if what == "cut leader":
            contest.cut_off |= {each.identity for each in contest.candidates if each.leading}
        elif what == "cut":
            contest.cut_off.add(name)
        elif what == "mend":
            contest.cut_off.discard(name)
        else:
            contest.answer_takes = {name: 0.7}
        contest.run(tenths / 10)


@settings(max_examples=60)
@given(st.lists(TROUBLE, min_size=3, max_size=10))
def test_of_many_with_clocks_that_run_alike_no_two_lead_at_once(trouble):
    contest = Contest(6)
    live(contest, trouble)
    assert contest.together == 0
    contest.cut_off, contest.answer_takes = set(), {}
    contest.run(60)
    assert sum(each.leading for each in contest.candidates) == 1
