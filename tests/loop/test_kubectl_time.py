from __future__ import annotations

import orjson
import pytest

from k8slab.apimachinery.rest import Request, Response
from k8slab.clock import EPOCH
from k8slab.loop.kubectl_time import RESTARTED_AT, with_ages_for_describe, with_virtual_restart_time

YEAR = 365 * 86400.0


def request(
    command: str, method: str = "GET", path: str = "/api/v1/namespaces/default/events", body: bytes = b""
) -> Request:
    return Request(method, path, {}, {"kubectl-command": command}, body)


def restarted(body: bytes) -> bytes:
    asked = request("kubectl rollout restart", "PATCH", "/apis/apps/v1/namespaces/default/deployments/web", body)
    with_virtual_restart_time(asked, EPOCH)
    return asked.body


def test_a_restart_is_dated_by_the_clusters_clock():
    patch = {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: "2031-05-05T05:05:05Z"}}}}}
    found = orjson.loads(restarted(orjson.dumps(patch)))
    assert found["spec"]["template"]["metadata"]["annotations"] == {RESTARTED_AT: "2026-01-01T00:00:00Z"}


def test_other_patches_and_broken_ones_stay_as_they_are():
    for body in (b'{"spec":{"replicas":2}}', b"{", b"[]"):
        assert restarted(body) == body


@pytest.mark.parametrize("command", ["kubectl describe", "kubectl events"])
def test_who_counts_ages_sees_events_dated_by_its_own_clock(command):
    answer = Response(200, object={"items": [{"lastTimestamp": "2026-01-01T00:00:10Z", "firstTimestamp": None}]})
    shifted = with_ages_for_describe(request(command), answer, EPOCH + 20, EPOCH + 20 + YEAR)
    assert shifted.object["items"][0]["lastTimestamp"] == "2027-01-01T00:00:10.000000Z"
    assert answer.object["items"][0]["lastTimestamp"] == "2026-01-01T00:00:10Z"


def test_other_commands_see_the_clusters_times():
    answer = Response(200, object={"items": [{"lastTimestamp": "2026-01-01T00:00:10Z"}]})
    assert with_ages_for_describe(request("kubectl get"), answer, EPOCH, EPOCH + YEAR) is answer
