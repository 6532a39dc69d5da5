from __future__ import annotations

import pytest

from k8slab.api.core import Node
from k8slab.controllers.node_health import Health, is_lost, unknown_conditions

CREATED = "1970-01-01T00:00:40Z"


def node(heartbeat="", status="True"):
    said = [{"type": "Ready", "status": status, "lastHeartbeatTime": heartbeat}] if heartbeat else []
    return Node.of(
        {"metadata": {"name": "n", "uid": "1", "creationTimestamp": CREATED}, "status": {"conditions": said}}
    )


def test_one_that_never_posted_is_silent_since_it_was_created():
    assert (Health.of(node(), 55.0).probed, Health.of(node("x"), 55.0).probed) == (40.0, 55.0)


@pytest.mark.parametrize(
    ("silent", "posted", "lost"), [(49.9, True, False), (50, True, True), (59.9, False, False), (60, False, True)]
)
def test_50_seconds_of_silence_and_60_at_the_beginning(silent, posted, lost):
    assert is_lost(silent, posted) is lost


def test_only_what_is_new_counts():
    health = Health.of(node("x"), 100.0)
    health.note(node("x"), None, 110.0)
    assert health.probed == 100.0
    health.note(node("y"), None, 120.0)
    assert health.probed == 120.0
    health.note(node("y"), "lease 1", 130.0)
    health.note(node("y"), "lease 1", 140.0)
    assert health.probed == 130.0


def test_a_lease_that_is_deleted_is_no_sign_of_life():
    health = Health.of(node("x"), 100.0)
    health.note(node("x"), "lease 1", 110.0)
    health.note(node("x"), None, 120.0)
    assert health.probed == 110.0


def test_what_is_unknown_already_is_not_said_again():
    assert [each["type"] for each in unknown_conditions(node("x", "Unknown"), 0.0)] == [
        "MemoryPressure", "DiskPressure", "PIDPressure",
    ]  # fmt: skip


def test_it_says_when_a_node_that_never_posted_was_created():
    assert {each["lastHeartbeatTime"] for each in unknown_conditions(node(), 99.0)} == {CREATED}
