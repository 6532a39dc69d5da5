"""/eviction: a deletion that asks the disruption budgets first. `kubectl drain` empties a node this way.

A budget's controller keeps count of how many Pods may be missed; an eviction takes one from that count, in the same
compare-and-swap that reads it, so that two evictions cannot both have the last one.

Models: pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.apimachinery.errors import BadRequest, InternalError, TooManyRequests
from k8slab.apimachinery.labels import from_label_selector
from k8slab.apimachinery.rest import JsonObject, Request, Response
from k8slab.apiserver.admission import Attributes
from k8slab.apiserver.handlers.delete import delete
from k8slab.apiserver.resources import RESOURCES
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.subresources.common import PODS, SUCCESS, allow, context_of, read_body
from k8slab.clock import to_rfc3339

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

BUDGETS = RESOURCES["policy", "poddisruptionbudgets"]
MAX_DISRUPTED = 2000


def evict(server: ApiServer, info: RequestInfo, request: Request) -> Response:
    """201 and a Status. Raises TooManyRequests where a budget forbids it."""
    allow(info, "create")
    eviction = read_body(request, "policy", "v1", "Eviction")
    if eviction["metadata"].get("name", info.name) != info.name:
        raise BadRequest("name in URL does not match name in Eviction object")
    options: JsonObject = dict(eviction.get("deleteOptions") or {})
    context = context_of(server, info, request, PODS)
    dry_run = context.dry_run or bool(options.get("dryRun"))
    server.admission.validate(
        Attributes("CREATE", PODS, info.namespace, info.name, "eviction", eviction, None, context.user, dry_run)
    )
    pod = server.registry.get(PODS, info.namespace, info.name)
    if not _may_be_missed(pod):
        _ask_budget(server, pod, dry_run)
    if not pod["metadata"].get("deletionTimestamp") and not dry_run:
        _mark(server, pod)
    delete(context, info.namespace, info.name, options)
    return Response(201, object=SUCCESS)


def _may_be_missed(pod: JsonObject) -> bool:
    """Whether nobody counts on the Pod: it does not run yet, or no more, or is going anyway."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or bool(pod["metadata"].get("deletionTimestamp"))


def _ask_budget(server: ApiServer, pod: JsonObject, dry_run: bool) -> None:
    budgets = [each for each in server.registry.list(BUDGETS, pod["metadata"]["namespace"]).items if _covers(each, pod)]
    if len(budgets) > 1:
        raise InternalError(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        )  # fmt: skip
    for budget in budgets:
        name, status = budget["metadata"]["name"], budget.get("status") or {}
        healthy, desired = status.get("currentHealthy") or 0, status.get("desiredHealthy") or 0
        policy = (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") or "IfHealthyBudget"
        if not _is_ready(pod) and (policy == "AlwaysAllow" or (healthy >= desired > 0)):
            continue  # it is not among those that the budget counts

        def take_one(newest: JsonObject) -> JsonObject:
            return _with_one_less(newest, pod, to_rfc3339(server.clock.now()))

        server.registry.guaranteed_update(BUDGETS, pod["metadata"]["namespace"], name, take_one, dry_run=dry_run)


def _covers(budget: JsonObject, pod: JsonObject) -> bool:
    selector = (budget.get("spec") or {}).get("selector")
    if selector is None:
        return False
    try:
        return bool(from_label_selector(selector).matches(pod["metadata"].get("labels") or {}))
    except ValueError:
        return False


def _is_ready(pod: JsonObject) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _with_one_less(budget: JsonObject, pod: JsonObject, now: str) -> JsonObject:
    """The budget after one more disruption. Raises TooManyRequests."""
    name, status = budget["metadata"]["name"], budget.setdefault("status", {})
    if (status.get("observedGeneration") or 0) < budget["metadata"].get("generation", 0):
        text = f"The disruption budget {name} is still being processed by the server."
        raise _refusal(text, retry_after=10)
    left = status.get("disruptionsAllowed") or 0
    if left <= 0:
        desired, healthy = status.get("desiredHealthy") or 0, status.get("currentHealthy") or 0
        raise _refusal(f"The disruption budget {name} needs {desired} healthy pods and has {healthy} currently")
    disrupted = status.setdefault("disruptedPods", {})
    if len(disrupted) >= MAX_DISRUPTED:
        raise _refusal("DisruptedPods map too big - too many evictions not confirmed by PDB controller")
    status["disruptionsAllowed"] = left - 1
    disrupted[pod["metadata"]["name"]] = now
    return budget


def _refusal(why: str, retry_after: int = 0) -> TooManyRequests:
    details: JsonObject = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    if retry_after:
        details["retryAfterSeconds"] = retry_after
    return TooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", details=details)


def _mark(server: ApiServer, pod: JsonObject) -> None:
    """Say on the Pod why it ends: whoever owns it can tell an eviction from a failure."""
    now = to_rfc3339(server.clock.now())

    def with_condition(newest: JsonObject) -> JsonObject:
        status = newest.setdefault("status", {})
        others = [each for each in status.get("conditions") or [] if each.get("type") != "DisruptionTarget"]
        target = {
            "type": "DisruptionTarget",
            "status": "True",
            "observedGeneration": newest["metadata"].get("generation", 0),
            "lastProbeTime": None,
            "lastTransitionTime": now,
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
        }
        status["conditions"] = [*others, target]
        return newest

    meta = pod["metadata"]
    server.registry.guaranteed_update(PODS, meta["namespace"], meta["name"], with_condition, uid=meta["uid"])
