"""/binding: a Pod gets its node, once. This is the only way in which `spec.nodeName` is set on a Pod that exists.

Models: pkg/registry/core/pod/storage/storage.go (BindingREST, setPodNodeAndMetadata).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.apimachinery.errors import BadRequest, Conflict, Invalid, not_supported, required
from k8slab.apimachinery.rest import JsonObject, Request, Response
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.subresources.common import PODS, SUCCESS, allow, context_of, read_body
from k8slab.clock import to_rfc3339

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer


def bind(server: ApiServer, info: RequestInfo, request: Request) -> Response:
    """201 and a Status. Raises Conflict for a Pod that has a node, or is being deleted."""
    allow(info, "create")
    binding = read_body(request, "", "v1", "Binding")
    meta, target = binding["metadata"], binding.get("target") or {}
    name = info.name or meta.get("name", "")
    if meta.get("name", name) != name:
        raise BadRequest("name in URL does not match name in Binding object")
    if meta.get("namespace", info.namespace) not in ("", info.namespace):
        raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
    _check_target(name, target)
    now = to_rfc3339(server.clock.now())

    def assign(pod: JsonObject) -> JsonObject:
        _check_free(pod, name)
        spec, status = pod["spec"], pod.setdefault("status", {})
        spec["nodeName"] = target["name"]
        for kind in ("annotations", "labels"):
            if meta.get(kind):
                pod["metadata"][kind] = {**(pod["metadata"].get(kind) or {}), **meta[kind]}
        status.pop("nominatedNodeName", None)
        others = [each for each in status.get("conditions") or [] if each.get("type") != "PodScheduled"]
        scheduled: JsonObject = {
            "type": "PodScheduled",
            "status": "True",
            "observedGeneration": pod["metadata"].get("generation", 0),
            "lastProbeTime": None,
            "lastTransitionTime": now,
        }
        status["conditions"] = [*others, scheduled]
        return pod

    server.registry.guaranteed_update(
        PODS, info.namespace, name, assign,
        uid=meta.get("uid") or "", resource_version=meta.get("resourceVersion") or "",
        dry_run=context_of(server, info, request, PODS).dry_run,
    )  # fmt: skip
    return Response(201, object=SUCCESS)


def _check_target(name: str, target: JsonObject) -> None:
    causes = []
    if target.get("kind") not in (None, "", "Node"):
        causes.append(not_supported("target.kind", target["kind"], ("Node", "<empty>")))
    if not target.get("name"):
        causes.append(required("target.name"))
    if causes:
        raise Invalid.object("Binding", "", name, causes)


def _check_free(pod: JsonObject, name: str) -> None:
    why = ""
    if pod["metadata"].get("deletionTimestamp"):
        why = f"pod {name} is being deleted, cannot be assigned to a host"
    elif pod["spec"].get("nodeName"):
        why = f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"'
    elif pod["spec"].get("schedulingGates"):
        why = f"pod {name} has non-empty .spec.schedulingGates"
    if why:
        raise Conflict.named("", "pods/binding", name, why)
