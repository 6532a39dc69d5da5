"""Two clocks meet: kubectl's is the machine's, the cluster's is virtual.

Almost everywhere the server computes ages, from its own clock. kubectl computes or sets a time itself in three places only;
there we translate, going by the header in which kubectl says what it is doing:
- `describe` and `events` print ages of events, `describe` those of a node's pods too: we give them timestamps moved to kubectl's
  own clock;
- `rollout restart` writes the time into an annotation: we write the cluster's time instead.
Nothing else is touched, and the store never holds a time that is not the cluster's.
"""

from __future__ import annotations

from typing import Any

import orjson

from k8slab.apimachinery.rest import JsonObject, Request, Response, copy_of
from k8slab.clock import from_rfc3339, to_rfc3339, to_rfc3339_micro

COUNT_AGES = ("kubectl describe", "kubectl events")
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


def command_of(request: Request) -> str:
    """What kubectl says it is doing, such as `kubectl describe`; empty for other clients."""
    return request.headers.get("kubectl-command", "")


def with_virtual_restart_time(request: Request, now: float) -> None:
    """In a patch by `kubectl rollout restart`, put the cluster's time in place of the machine's."""
    if command_of(request) != "kubectl rollout restart" or request.method != "PATCH":
        return
    try:
        patch = request.body if isinstance(request.body, dict) else orjson.loads(request.body)  # type: ignore[arg-type]
        annotations = patch["spec"]["template"]["metadata"]["annotations"]
    except (ValueError, KeyError, TypeError):
        return
    if RESTARTED_AT in annotations:
        annotations[RESTARTED_AT] = to_rfc3339(now)
        request.body = orjson.dumps(patch)


def with_ages_for_describe(request: Request, response: Response, virtual_now: float, real_now: float) -> Response:
    """For `kubectl describe` and `kubectl events`: the same list, its events (and a node's pods) dated by the machine's clock."""
    items = (response.object or {}).get("items")
    if command_of(request) not in COUNT_AGES or not isinstance(items, list):
        return response
    shifted = copy_of(response.object)
    offset = real_now - virtual_now
    for item in shifted["items"]:
        if request.path.endswith("/events"):
            _shift(item, ("firstTimestamp", "lastTimestamp", "eventTime"), offset)
            _shift(item.get("series") or {}, ("lastObservedTime",), offset)
        elif request.path == "/api/v1/pods":
            _shift(item["metadata"], ("creationTimestamp",), offset)
    return Response(response.code, object=shifted, headers=response.headers)


def _shift(obj: JsonObject, fields: tuple[str, ...], offset: float) -> None:
    for field in fields:
        value: Any = obj.get(field)
        if value:
            # Microseconds, so that an age of exactly ten seconds does not come out as nine or eleven.
            obj[field] = to_rfc3339_micro(from_rfc3339(value) + offset)
