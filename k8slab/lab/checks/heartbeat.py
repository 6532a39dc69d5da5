"""The judge of "Keep a node alive".

The learner writes the part of a kubelet that renews its node's Lease, and it beats in real kubelets of the judge's own
clusters. What counts is what the Leases say afterwards: how far the renewals are apart, while requests fail, while somebody else
writes to the Lease or deletes it, after a restart, and when the line is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from k8slab.api.coordination import Lease
from k8slab.api.core import Event, Node
from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.rest import Request, Response, Transport
from k8slab.client.client import Client
from k8slab.clock import Clock, from_rfc3339
from k8slab.lab.checks import Check, Criterion, Fault, Result, check_callable
from k8slab.lab.checks.guarded import Enough, Guarded, practising
from k8slab.lab.checks.leases import lease, renewals
from k8slab.lab.cluster import Cluster
from k8slab.names import Chance

NAMESPACE = "kube-node-lease"
NODE, KUBELET, WHAT = "node-1", "kubelet-node-1", f"{NAMESPACE}/node-1"
DURATION = 40.0
SHORTEST, LONGEST = 8.0, 12.0
"""Ten seconds, more or less."""
MOST_REQUESTS = 10
"""Of one renewal. Five tries are upstream's."""
ENDLESS = 100

MakeHeartbeat = Callable[[str, Client, Clock, Chance], Any]


@contextmanager
def practice(heartbeat: MakeHeartbeat, seed: int = 4) -> Iterator[Cluster]:
    """A cluster of two nodes whose kubelets have this heart: `with check.practice(Heartbeat) as cluster: ...`.

    What goes wrong with it is printed at the end.
    """
    ward = _Ward(heartbeat, seed)
    with practising(ward.cluster, ward.guarded) as cluster:
        yield cluster


def check_heartbeat(heartbeat: Any) -> Result:
    """Let `heartbeat` beat in the kubelets of six clusters. 6 points."""
    return HEARTBEAT(heartbeat)


class _Counting:
    """A transport that counts what goes over it, and ends what has no end."""

    def __init__(self, inner: Transport) -> None:
        self._inner, self.sent = inner, 0

    def send(self, request: Request) -> Response:
        """The answer."""
        self.sent += 1
        if self.sent > ENDLESS:
            raise Enough(f"one `renew` has sent {ENDLESS} requests, and would not end. Try a few times, then let it be")
        return self._inner.send(request)

    def close(self) -> None:
        """Close connections."""


class _Judged:
    """The learner's heart, in a kubelet."""

    def __init__(
        self, make: MakeHeartbeat, ward: _Ward, node: str, client: Client, clock: Clock, chance: Chance
    ) -> None:
        self._ward, self._clock, self.next_renewal = ward, clock, clock.now()
        self._counting = _Counting(client.transport)
        client = Client(self._counting, client.user, client.user_agent)
        self._heart = ward.guarded.call(make, node, client, clock, chance)

    def renew(self, node_uid: str) -> None:
        """Let it beat."""
        guarded, now = self._ward.guarded, self._clock.now()
        self.next_renewal, self._counting.sent = now + DURATION, 0
        guarded.call(lambda: self._heart.renew(node_uid))
        self._ward.requests.append(self._counting.sent)
        when = guarded.call(lambda: float(self._heart.next_renewal))
        if when is not None and when <= now:
            guarded.note(
                "`renew` was called because `next_renewal` had come, and has not moved it: it would be called again at the "
                "same moment, for ever"
            )
        elif when is not None:
            self.next_renewal = when


class _Ward:
    """One cluster with the learner's hearts."""

    def __init__(self, heartbeat: Any, seed: int) -> None:
        check_callable("Heartbeat", heartbeat, "class")
        self.guarded = Guarded()
        self.requests: list[int] = []
        """How many each call of `renew` sent."""

        def make(*given: Any) -> Any:
            return _Judged(heartbeat, self, *given)

        self.cluster = Cluster(nodes=2, seed=seed, replace={"node-lease": make})

    def run(self, seconds: float) -> None:
        """Let time pass. Raises Fault if the code went wrong."""
        self.cluster.run_for(seconds)
        self.guarded.check()

    def gaps(self, since: float = 0.0) -> list[float]:
        """Seconds between renewals of node-1, and from the last one until now. Raises Fault if there were none."""
        found = [when for when in renewals(self.cluster, WHAT) if when >= since]
        if not found:
            raise Fault(f"there was no renewal: no Lease {WHAT} with a `renewTime` of the node's own clock")
        start = [since] if since else []
        return [after - before for before, after in pairwise([*start, *found, self.cluster.now])]

    @property
    def lease(self) -> Lease:
        """The Lease of node-1. Raises Fault where there is none."""
        try:
            return lease(self.cluster, NODE, NAMESPACE)
        except NotFound:
            raise Fault(f"there is no Lease {WHAT}") from None


@contextmanager
def _ward(heartbeat: Any, seed: int) -> Iterator[_Ward]:
    ward = _Ward(heartbeat, seed)
    with ward.cluster:
        ward.run(30)
        yield ward


def _judge_rhythm(heartbeat: Any) -> None:
    with _ward(heartbeat, 41) as ward:
        ward.run(150)
        gaps = ward.gaps()[:-1]
        longest, shortest = max(gaps, default=DURATION), min(gaps, default=0.0)
        if longest > DURATION:
            raise Fault(f"two renewals were {longest:.1f}s apart: the lease of {DURATION:g}s had run out in between")
        if longest > LONGEST:
            raise Fault(
                f"two renewals were {longest:.1f}s apart. A lease of {DURATION:g}s that is renewed so late has no room for a "
                "renewal that fails; a kubelet renews after a quarter of it"
            )
        if shortest < SHORTEST:
            raise Fault(
                f"two renewals were {shortest:.1f}s apart. Each is a write in etcd, and there may be 5,000 nodes: once in "
                "ten seconds is enough"
            )


def _judge_content(heartbeat: Any) -> None:
    with _ward(heartbeat, 42) as ward:
        found, spec = ward.lease, ward.lease.spec
        node = ward.cluster.client.get(Node, NODE)
        if spec.holder_identity != NODE:
            raise Fault(f"`holderIdentity` should be the node's name, {NODE!r}; it is {spec.holder_identity!r}")
        if spec.lease_duration_seconds != DURATION:
            raise Fault(f"`leaseDurationSeconds` should be {DURATION:g}; it is {spec.lease_duration_seconds}")
        if not spec.renew_time or abs(from_rfc3339(spec.renew_time) - ward.cluster.now) > LONGEST:
            raise Fault(
                f"`renewTime` should be the time of the renewal by the kubelet's clock; it is {spec.renew_time}"
            )
        owners = [(each.kind, each.name, each.uid) for each in found.metadata.owner_references]
        if owners != [("Node", NODE, node.uid)]:
            raise Fault(
                "the Lease should name its Node as its owner, with the UID that `renew` was given, so that it goes when the "
                f"Node goes; `ownerReferences` are: {owners or 'none'}"
            )


def _judge_failing(heartbeat: Any) -> None:
    with _ward(heartbeat, 43) as ward:
        since = ward.cluster.now
        ward.cluster.fault("api-errors", component=KUBELET, share=0.7).start()
        ward.run(120)
        ward.cluster.fault("api-latency", component=KUBELET, seconds=0.5).start()
        ward.run(300)
        _keeps_alive(ward, since, "while seven of ten requests failed")


def _keeps_alive(ward: _Ward, since: float, when: str) -> None:
    lost = [each for each in ward.cluster.client.list(Event) if each.reason == "NodeNotReady" and NODE in each.message]
    longest = max(ward.gaps(since))
    if longest > DURATION or lost:
        said = ", and the control plane took the node for lost" if lost else ""
        raise Fault(
            f"{when}, two renewals were {longest:.1f}s apart: the lease had run out{said}. Who waits ten seconds after each "
            "failure has only four tries in all"
        )


def _judge_others(heartbeat: Any) -> None:
    with _ward(heartbeat, 44) as ward:
        ward.cluster.client.patch(Lease, NODE, NAMESPACE, {"metadata": {"labels": {"seen": "yes"}}})
        since = ward.cluster.now
        ward.run(45)
        if max(ward.gaps(since)) > LONGEST:
            raise Fault(
                "somebody else changed the Lease (a label), and after that it was not renewed any more. An update with an old "
                "resourceVersion is refused: 409 Conflict. Then the Lease has to be read again"
            )
        if ward.lease.metadata.labels.get("seen") != "yes":
            raise Fault(
                "somebody else had put a label on the Lease, and your renewal has overwritten it. Change only what is yours: "
                "with a patch, or with an update of what was read"
            )
        ward.cluster.client.delete(Lease, NODE, NAMESPACE)
        since = ward.cluster.now
        ward.run(45)
        there_again = any(when >= since for when in renewals(ward.cluster, WHAT))
        if not there_again or max(ward.gaps(since)) > LONGEST:
            raise Fault("the Lease was deleted by somebody, and was not made anew at the next renewal")


def _judge_restart(heartbeat: Any) -> None:
    with _ward(heartbeat, 45) as ward:
        ward.cluster.fault("restart", component=KUBELET).start()
        since = ward.cluster.now
        ward.run(45)
        if max(ward.gaps(since)) > LONGEST:
            raise Fault(
                "after the kubelet was started again, the Lease was not renewed. It was there already: to create it is "
                "refused, 409 AlreadyExists"
            )


def _judge_cut(heartbeat: Any) -> None:
    with _ward(heartbeat, 46) as ward:
        with ward.cluster.fault("cut-off", component=KUBELET):
            ward.requests.clear()
            ward.run(60)
            most, calls = max(ward.requests, default=0), len(ward.requests)
        if most > MOST_REQUESTS or calls > 60:
            raise Fault(
                f"while nobody answered, one `renew` sent {most} requests, and `renew` was called {calls} times in a minute. "
                "5,000 nodes that all do so keep a server down that has just come up"
            )
        since = ward.cluster.now
        ward.run(45)
        if max(ward.gaps(since)) > LONGEST:
            raise Fault("the line was cut for a minute, and after it was mended the Lease was not renewed")


RHYTHM = "renews every ten seconds"

HEARTBEAT = Check(
    [
        Criterion(RHYTHM, 1, _judge_rhythm),
        Criterion("the Lease says whose it is, and for how long", 1, _judge_content, needs=RHYTHM),
        Criterion("keeps the node alive while requests fail", 1, _judge_failing, needs=RHYTHM),
        Criterion("lives with others who write to the Lease", 1, _judge_others, needs=RHYTHM),
        Criterion("goes on after a restart", 1, _judge_restart, needs=RHYTHM),
        Criterion("does not flood a server that is down", 1, _judge_cut, needs=RHYTHM),
    ],
    hints=[
        "Move `next_renewal` first, whatever comes: now + 10. Then try to write. What can the answer be? Done, NotFound, "
        "AlreadyExists, Conflict, or any other ApiError.",
        "A merge patch of `spec` changes only what is yours, and knows no Conflict: client.patch(Lease, node, NAMESPACE, "
        "{'spec': {...}}). If it raises NotFound, create the Lease, with `metadata.ownerReferences`. AlreadyExists then means: "
        "patch again.",
        "`for _ in range(5): try: patch, return; except NotFound: try: create, return; except ApiError: pass; except ApiError: "
        "pass`. Five tries at once, as upstream has it; if all of them fail, the next renewal will make it good.",
    ],
)
