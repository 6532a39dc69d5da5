"""Leader election: of several candidates one works, and the others wait until it is silent.

All candidates know one Lease. The leader writes its name and the time into it every two seconds; a write with the
resourceVersion that was read last, so of two that write at once one is refused. A candidate reads it, and notes by *its own*
clock when it last saw the record change. What times the record names is never compared with any clock: it only has to change.
Who has seen no change for as long as the lease lasts (15 s) takes it.

A leader that cannot renew gives up by its own clock: ten seconds after it began to try, which is two seconds after its last
success. So it has stopped after 12 s where the others have waited for 15, and there are never two, as long as their clocks
*run* alike. That they show different times does no harm. If a candidate's clock runs `c` and the leader's `l` times as fast as
time does, there is no overlap while

    lease_duration / c  >=  (renew_deadline + retry_period) / l,    that is    c / l <= 15 / 12

and else it lasts as long as the one side is smaller than the other. (An answer that takes long eats into the same margin.)

Not promised: that a leader which has lost does nothing more. A process that stood still (a long garbage collection, a laptop
that slept) believes in its lease until it looks at a clock again, and what it had in hand may be written first. Nothing here
stops that write; this is no *fencing*. What saves the cluster is that each write carries what was read.

Models: k8s.io/client-go/tools/leaderelection (leaderelection.go, resourcelock/leaselock.go), without its coordinated elections.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from k8slab.api.coordination import Lease
from k8slab.apimachinery.errors import ApiError, NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import Client
from k8slab.client.recorder import EventRecorder
from k8slab.clock import NEVER, Clock, to_rfc3339_micro
from k8slab.names import Chance

LEFT_OUT = (
    "After it has acquired a lease a candidate renews it two seconds later; upstream renews once more at once.",
    "Coordinated leader election (LeaseCandidates) is left out.",
)

log = logging.getLogger(__name__)

NAMESPACE = "kube-system"
JITTER = 1.2


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. Raises ValueError, in upstream's words, for what could not work."""

    lease_duration: float = 15.0
    """Who has seen no change for so long may take the lease."""
    renew_deadline: float = 10.0
    """So long a leader tries to renew before it gives up."""
    retry_period: float = 2.0
    """Between two tries; candidates wait up to 2.2 times as long, by chance, so that they do not all ask at once."""

    def __post_init__(self) -> None:
        if self.lease_duration <= self.renew_deadline:
            raise ValueError("leaseDuration must be greater than renewDeadline")
        if self.renew_deadline <= JITTER * self.retry_period:
            raise ValueError("renewDeadline must be greater than retryPeriod*JitterFactor")
        for name, seconds in (("leaseDuration", self.lease_duration), ("retryPeriod", self.retry_period)):
            if seconds < 1:
                raise ValueError(f"{name} must be greater than zero")


@dataclass(frozen=True, slots=True)
class Record:
    """What a Lease says, as candidates compare it."""

    holder: str
    """Empty: it was released."""
    lease_duration: int
    acquire_time: str
    renew_time: str
    transitions: int = 0
    """How often it went from one to another."""

    @classmethod
    def of(cls, lease: JsonObject) -> Record:
        """The record in a Lease."""
        spec = Lease.of(lease).spec
        return cls(
            spec.holder_identity, spec.lease_duration_seconds or 0, spec.acquire_time or "", spec.renew_time or "",
            spec.lease_transitions or 0,
        )  # fmt: skip

    def spec(self) -> JsonObject:
        """As the Lease holds it."""
        return {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": self.lease_duration,
            "acquireTime": self.acquire_time,
            "renewTime": self.renew_time,
            "leaseTransitions": self.transitions,
        }


Decide = Callable[[Record | None, float, str, float], Record | None]


def next_record(seen: Record | None, seen_at: float, me: str, now: float) -> Record | None:
    """What `me` should write into the lease now; None: it is another's, who may still be there.

    `seen` is the record as last read, None if there is no Lease; `seen_at` is when `me` first saw it so, by the same clock as
    `now`. The new record's `lease_duration` is 0: the elector knows it.
    """
    time = to_rfc3339_micro(now)
    mine = Record(me, 0, time, time)
    if seen is None:
        return mine
    if seen.holder == me:
        return replace(mine, acquire_time=seen.acquire_time, transitions=seen.transitions)
    if seen.holder and seen_at + seen.lease_duration > now:
        return None
    return replace(mine, transitions=seen.transitions + 1)


class LeaderElector:
    """One candidate for one lease. Its owner calls `step` whenever `next_deadline` has come."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        chance: Chance,
        *,
        lock: str,
        identity: str,
        timing: Timing | None = None,
        decide: Decide = next_record,
        on_started_leading: Callable[[], None] = lambda: None,
        on_stopped_leading: Callable[[], None] = lambda: None,
    ) -> None:
        self.lock, self.identity, self.timing = lock, identity, timing or Timing()
        """The name of the Lease; who this is, unlike any other process that ever was; seconds."""
        self.leading = False
        """Whether it works as the leader does: from when it got the lease until it gives up."""
        self.observed: Record | None = None
        """What the lease said when it was last read, or written."""
        self.observed_time = clock.now()
        """When that was first seen, by the own clock."""
        self.deadline = NEVER
        """While it leads: when it gives up, unless it has renewed."""
        self._client, self._clock, self._chance, self._decide = client, clock, chance, decide
        self._started_leading, self._stopped_leading = on_started_leading, on_stopped_leading
        self._recorder = EventRecorder(client, clock, lock)
        self._lease: JsonObject | None = None
        self._tries = 0
        self._next_try = clock.now()

    @property
    def is_leader(self) -> bool:
        """Whether the lease named this candidate when it was last read. It may have gone to another since."""
        return self.observed is not None and self.observed.holder == self.identity

    def check(self, tolerance: float) -> str:
        """What a health check says: that it holds a lease which it should have given up `tolerance` seconds ago; or nothing."""
        expired = self._clock.now() - self.observed_time > self.timing.lease_duration + tolerance
        return f"failed election to renew leadership on lease {self.lock}" if self.is_leader and expired else ""

    def step(self) -> bool:
        """Try to get or to renew the lease, if it is time. True if this candidate began or ceased to lead."""
        if self._too_late:
            self._stop()
            return True
        if self._clock.now() < self._next_try:
            return False
        done = self._try_acquire_or_renew()
        if self._too_late:  # the answer took too long: others may not have waited for it
            self._stop()
            return True
        self._next_try = self._clock.now() + self._pause()
        if not done:
            return False
        self.deadline = self._next_try + self.timing.renew_deadline
        started, self.leading = not self.leading, True
        if started:
            self._tell("became leader")
            self._started_leading()
        return started

    def next_deadline(self) -> float:
        """When it wants to try next, or has to give up."""
        return min(self._next_try, self.deadline)

    def release(self) -> None:
        """Give the lease back, so that the next one need not wait. Only when the leader's work is over."""
        if self.is_leader and self._lease is not None and self.observed is not None:
            time = to_rfc3339_micro(self._clock.now())
            self._write(Record("", 1, time, time, self.observed.transitions))
        self.leading, self.deadline = False, NEVER

    @property
    def _too_late(self) -> bool:
        return self.leading and self._clock.now() >= self.deadline

    def _stop(self) -> None:
        self.leading, self.deadline = False, NEVER
        self._tell("stopped leading")
        self._stopped_leading()

    def _pause(self) -> float:
        """Until the next try. A leader's is exact; who waits is early or late by chance, in whole tenths of a second."""
        if self.leading or self.is_leader:
            return self.timing.retry_period
        self._tries += 1
        share = self._chance.fraction("leader-election", f"{self.identity}/{self._tries}")
        return round(self.timing.retry_period * (1 + JITTER * share), 1)

    def _try_acquire_or_renew(self) -> bool:
        """Whether the lease is this candidate's now."""
        now = self._clock.now()
        # The fast way: as long as nobody else can have written, what was last seen is what there is.
        if self.is_leader and self.observed_time + self.timing.lease_duration > now and self._write_next(now):
            return True
        try:
            lease: JsonObject | None = self._client.raw("GET", Lease.resource.path(NAMESPACE, self.lock))
        except NotFound:
            lease = None
        except ApiError as error:
            log.debug("%s: cannot read the lease %s: %s", self.identity, self.lock, error.message)
            return False
        self._lease = lease
        self._observe(Record.of(lease) if lease is not None else None)
        return self._write_next(now)

    def _write_next(self, now: float) -> bool:
        record = self._decide(self.observed, self.observed_time, self.identity, now)
        return record is not None and self._write(replace(record, lease_duration=int(self.timing.lease_duration)))

    def _write(self, record: Record) -> bool:
        """Put a record into the lease; False if somebody else was faster, or nobody answers."""
        try:
            if self._lease is None:
                body = {"metadata": {"name": self.lock, "namespace": NAMESPACE}, "spec": record.spec()}
                self._lease = self._client.create(Lease, body, NAMESPACE)
            else:
                self._lease = self._client.update(Lease, {**self._lease, "spec": record.spec()})
        except ApiError as error:
            log.debug("%s: cannot write the lease %s: %s", self.identity, self.lock, error.message)
            return False
        self._observe(record)
        return True

    def _observe(self, record: Record | None) -> None:
        if record != self.observed:
            self.observed, self.observed_time = record, self._clock.now()

    def _tell(self, what: str) -> None:
        if self._lease is not None:
            self._recorder.event(Lease.of(self._lease), "Normal", "LeaderElection", f"{self.identity} {what}")
