"""The judge of "Keep a node alive": the solution passes, and each known wrong heart fails where it should."""

from __future__ import annotations

import pytest

from k8slab.api.coordination import Lease
from k8slab.apimachinery.errors import ApiError, Conflict, NotFound
from k8slab.clock import to_rfc3339_micro
from k8slab.kubelet.node_lease import NodeLease
from k8slab.lab.checks import heartbeat as check

NAMESPACE = "kube-node-lease"


class Heart:
    """The solution, in parts that a wrong one can spoil."""

    period, tries, duration = 10.0, 5, 40

    def __init__(self, node, client, clock, chance):
        self.node, self.client, self.clock = node, client, clock
        self.next_renewal = clock.now()

    def renew(self, node_uid):
        now = self.clock.now()
        self.next_renewal = now + self.period
        for _ in range(self.tries):
            try:
                self.write(self.spec(now), node_uid)
                return
            except ApiError:
                pass

    def spec(self, now):
        return {"holderIdentity": self.node, "leaseDurationSeconds": self.duration, "renewTime": to_rfc3339_micro(now)}

    def body(self, spec, node_uid):
        owner = {"apiVersion": "v1", "kind": "Node", "name": self.node, "uid": node_uid}
        return {"metadata": {"name": self.node, "namespace": NAMESPACE, "ownerReferences": [owner]}, "spec": spec}

    def write(self, spec, node_uid):
        try:
            self.client.patch(Lease, self.node, NAMESPACE, {"spec": spec})
        except NotFound:
            self.client.create(Lease, self.body(spec, node_uid), NAMESPACE)


class Lazy(Heart):
    period = 39.0


class Late(Heart):
    period = 60.0


class Eager(Heart):
    period = 1.0


class Still(Heart):
    def renew(self, node_uid): ...


class Nameless(Heart):
    def spec(self, now):
        return {**super().spec(now), "holderIdentity": "me"}


class Orphan(Heart):
    def body(self, spec, node_uid):
        return {"metadata": {"name": self.node, "namespace": NAMESPACE}, "spec": spec}


class Short(Heart):
    duration = 15


class OnceOnly(Heart):
    tries = 1


class Nervous(Heart):
    def renew(self, node_uid):
        self.next_renewal = self.clock.now() + 10
        self.write(self.spec(self.clock.now()), node_uid)


class OldVersion(Heart):
    """Updates what it wrote last, and never reads again."""

    lease = None

    def write(self, spec, node_uid):
        if self.lease is None:
            try:
                self.lease = self.client.raw("GET", Lease.resource.path(NAMESPACE, self.node))
            except NotFound:
                self.lease = self.client.create(Lease, self.body(spec, node_uid), NAMESPACE)
                return
        self.lease = self.client.update(Lease, {**self.lease, "spec": spec})


class RereadsOnConflict(OldVersion):
    """As upstream has it."""

    def write(self, spec, node_uid):
        try:
            super().write(spec, node_uid)
        except (Conflict, NotFound):
            self.lease = None
            super().write(spec, node_uid)


class Overwrites(Heart):
    def write(self, spec, node_uid):
        try:
            self.client.update(Lease, self.body(spec, node_uid))
        except NotFound:
            self.client.create(Lease, self.body(spec, node_uid), NAMESPACE)


class NeverMadeAnew(Heart):
    made = False

    def write(self, spec, node_uid):
        try:
            self.client.patch(Lease, self.node, NAMESPACE, {"spec": spec})
        except NotFound:
            if not self.made:
                self.client.create(Lease, self.body(spec, node_uid), NAMESPACE)
        self.made = True


class CreatesAtFirst(Heart):
    made = False

    def write(self, spec, node_uid):
        if not self.made:
            self.client.create(Lease, self.body(spec, node_uid), NAMESPACE)
            self.made = True
        super().write(spec, node_uid)


class Endless(Heart):
    def renew(self, node_uid):
        now = self.clock.now()
        self.next_renewal = now + 10
        while True:
            try:
                self.write(self.spec(now), node_uid)
                return
            except Exception:
                continue


class Flooding(Heart):
    tries = 40


def failed(result) -> dict[str, str]:
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


@pytest.mark.parametrize("right", [Heart, NodeLease, RereadsOnConflict], ids=lambda each: each.__name__)
def test_the_solution_and_the_engines_own_get_all_points(right):
    result = check.check_heartbeat(right)
    assert result.points == 6, str(result)


def test_the_starter_gets_none():
    assert check.check_heartbeat(Still).points == 0
    assert check.check_heartbeat(...).points == 0


RHYTHM, SAYS, FAILS, OTHERS, RESTART, FLOOD = (each.name for each in check.HEARTBEAT.criteria)


@pytest.mark.parametrize(
    ("wrong", "criterion", "message"),
    [
        (Lazy, RHYTHM, "a kubelet renews after a quarter of it"),
        (Late, RHYTHM, "had run out in between"),
        (Eager, RHYTHM, "there may be 5,000 nodes"),
        (Still, RHYTHM, "has not moved it"),
        (None, RHYTHM, "`Heartbeat` should be a class, but it is still empty"),
        (lambda node, client, clock, chance: 1 / 0, RHYTHM, "your code raised ZeroDivisionError"),
        (Nameless, SAYS, "`holderIdentity` should be the node's name, 'node-1'; it is 'me'"),
        (Orphan, SAYS, "should name its Node as its owner"),
        (Short, SAYS, "`leaseDurationSeconds` should be 40; it is 15"),
        (OnceOnly, FAILS, "the control plane took the node for lost"),
        (OldVersion, OTHERS, "409 Conflict"),
        (Overwrites, OTHERS, "your renewal has overwritten it"),
        (NeverMadeAnew, OTHERS, "was deleted by somebody"),
        (CreatesAtFirst, RESTART, "409 AlreadyExists"),
        (Endless, FLOOD, "would not end"),
        (Flooding, FLOOD, "one `renew` sent 40 requests"),
    ],
)  # fmt: skip
def test_a_wrong_heart_fails_the_criterion_meant_for_it(wrong, criterion, message):
    found = failed(check.check_heartbeat(wrong))
    assert list(found) == [criterion]
    assert message in found[criterion]


def test_who_gives_up_at_the_first_error_is_told_which():
    found = failed(check.check_heartbeat(Nervous))
    assert list(found) == [FAILS, FLOOD]
    assert all("your code raised ServiceUnavailable" in message for message in found.values())


def test_there_are_three_hints():
    assert len(check.HEARTBEAT.hints) == 3
