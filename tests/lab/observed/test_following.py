from __future__ import annotations

import pytest

from k8slab.clock import VirtualClock
from k8slab.lab.observed.following import Follower
from tests.eventually import eventually


def event(type_, obj, version, **content):
    return {"type": type_, "object": {**obj, **content, "metadata": {**obj["metadata"], "resourceVersion": version}}}


ERROR = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}}


class Following:
    """A follower on a clock of its own, polled until enough came."""

    def __init__(self, lab, *kinds):
        self.clock = VirtualClock()
        reader = lab._reader
        self.follower = Follower(reader, [reader.kinds.named(kind) for kind in kinds], "default", self.clock)
        self.follower.start()
        self.changes = []

    def until(self, count):
        assert eventually(lambda: self.changes.extend(self.follower.poll()) or len(self.changes) >= count)
        return [str(change) for change in self.changes]


@pytest.fixture
def following(lab):
    made = []

    def follow(*kinds):
        made.append(Following(lab, *kinds))
        return made[-1]

    yield follow
    for each in made:
        each.follower.close()


def versions_asked(fake, plural):
    return [query["resourceVersion"] for _, path, query, _ in fake.asked if "watch" in query and path.endswith(plural)]


def test_changes_come_in_the_servers_order_with_what_they_changed(fake, following, web):
    pod = web[2]
    new = {**pod, "metadata": {**pod["metadata"], "name": "b", "uid": "b"}}
    fake.watches["pods"] = [
        [
            event("MODIFIED", pod, "x", status={"phase": "Failed"}),
            event("ADDED", new, "y"),
            {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "z"}}},
            event("DELETED", new, "w"),
        ]
    ]
    found = following("pods")
    assert found.until(3) == ["#1 Pod web-1-a changed: status.phase", "#2 Pod b created", "#3 Pod b deleted"]
    assert found.changes[0].before.raw["status"] == {"phase": "Running"}
    assert [change.version for change in found.changes] == ["x", "y", "w"]


def test_a_watch_that_ends_is_taken_up_where_it_ended(fake, following, web):
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "mark"}}}
    fake.watches["pods"] = [[event("MODIFIED", web[2], "x"), bookmark], [event("DELETED", web[2], "y")]]
    following("pods").until(2)
    assert versions_asked(fake, "/pods") == ["list-pods", "mark"]


def test_a_watch_that_brings_nothing_is_not_opened_again_at_once(fake, following, web):
    fake.watches["pods"] = [[], [event("DELETED", web[2], "y")]]
    found = following("pods")
    stream = found.follower._followed[0]
    assert eventually(lambda: found.follower.poll() or stream.watch is None)
    for _ in range(100):
        found.follower.poll()
    assert versions_asked(fake, "/pods") == ["list-pods"]
    found.clock.advance_to(found.clock.now() + 1)
    assert found.until(1) == ["#1 Pod web-1-a deleted"]


def test_where_the_place_is_forgotten_the_difference_is_told_as_a_gap(fake, following, web):
    fake.watches["pods"] = [[ERROR]]
    found = following("pods")
    stream = found.follower._followed[0]
    fake.objects["v1/pods"] = []
    fake.add("v1/pods", "new")
    assert eventually(lambda: found.follower.poll() or stream.watch is None)
    found.clock.advance_to(found.clock.now() + 1)
    assert found.until(2) == ["#1 Pod web-1-a deleted (in a gap)", "#2 Pod new created (in a gap)"]
    assert found.follower.notes == ["pods: the watch broke off (too old)"]


def test_what_may_not_be_followed_is_named(fake, following, web):
    fake.refused = {"apps/v1/replicasets": 403}
    found = following("replicasets", "pods")
    assert found.follower.notes == ["replicasets.apps: not allowed to list"]
    assert not found.follower.over
    found.follower.close()
    assert found.follower.over


def test_of_secrets_only_metadata_is_watched(fake, following):
    secret = fake.add("v1/secrets", "s", data={"password": "aHVudGVyMg=="})
    fake.watches["secrets"] = [[event("MODIFIED", secret, "x", data={"password": "bmV3"})]]
    found = following("secrets")
    found.until(1)
    assert "data" not in found.changes[0].after.raw
    assert all("PartialObjectMetadata" in asked[3] for asked in fake.asked if asked[1].endswith("/secrets"))


def test_a_server_that_is_away_for_a_while_is_asked_again(fake, following, web, monkeypatch):
    from k8slab.lab.observed.read_only import ConnectError

    fake.watches["pods"] = [[event("MODIFIED", web[2], "x")], [event("DELETED", web[2], "y")]]
    found = following("pods")
    stream = found.follower._followed[0]

    def away(*_args, **_options):
        raise ConnectError("nobody listens there")

    with monkeypatch.context() as patched:
        patched.setattr(found.follower._reader.client, "request", away)
        assert eventually(lambda: found.changes.extend(found.follower.poll()) or found.follower.notes)
        assert stream.watch is None
    found.clock.advance_to(found.clock.now() + 1)
    assert len(found.until(2)) == 2
    assert found.follower.notes == ["pods: nobody listens there"]
