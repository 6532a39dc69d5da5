"""/scale: how many replicas, in the same form for all kinds that have some.

An autoscaler and `kubectl scale` need to know one kind only. A Scale is not stored: it is read from the object, and what
is written to it is written to the object's `spec.replicas`, with all the rules of the object's own kind.

Models: pkg/registry/apps/deployment/storage/storage.go (ScaleREST), pkg/registry/autoscaling/validation.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from k8slab.apimachinery.errors import Invalid, UnsupportedMediaType, invalid
from k8slab.apimachinery.rest import JsonObject, Request, Response, copy_of
from k8slab.apimachinery.schema import definition_for
from k8slab.apiserver.custom.kind import at
from k8slab.apiserver.decode import check_schema, media_type, read_object, read_patch
from k8slab.apiserver.handlers.patch import KINDS
from k8slab.apiserver.handlers.writing import write
from k8slab.apiserver.negotiation import answer
from k8slab.apiserver.printers.cells import NONE, labels_text, selector_text
from k8slab.apiserver.resources import ResourceInfo
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.subresources.common import allow, context_of

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

API_VERSION = "autoscaling/v1"
SCALES = ResourceInfo("autoscaling", "v1", "scales", "Scale")
"""What a Scale is shown as. It has no place in the table of resources: there is no path with Scales only."""
_SHARED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale(server: ApiServer, info: RequestInfo, request: Request) -> Response:
    """The Scale of an object, read or written."""
    allow(info, "get", "update", "patch")
    resource = info.resource
    assert resource is not None  # the server has found the subresource in its row
    if info.verb == "get":
        found = scale_of(server.registry.get(resource, info.namespace, info.name), resource)
        return answer(request, SCALES, found, server.clock.now())
    body = read_object(request, "Scale", API_VERSION) if info.verb == "update" else _patch(request)

    def wish(old: JsonObject) -> JsonObject:
        current = scale_of(old, resource)
        wished = body if info.verb == "update" else _patched(request, current, body)
        definition = definition_for("autoscaling", "v1", "Scale")
        check_schema(wished, definition, request.param("fieldValidation", "Warn"))
        replicas = (wished.get("spec") or {}).get("replicas") or 0
        if replicas < 0:
            cause = invalid("spec.replicas", replicas, "must be greater than or equal to 0")
            raise Invalid.object("Scale", "autoscaling", info.name, [cause])
        new: JsonObject = copy_of(old)
        *above, last = resource.custom.scale.spec if resource.custom and resource.custom.scale else ("spec", "replicas")
        reduce(lambda found, name: found.setdefault(name, {}), above, new)[last] = replicas
        # The Scale's identity and version are the object's: a stale one conflicts.
        new["metadata"].update({key: value for key, value in wished["metadata"].items() if key in _SHARED})
        return new

    # Without an Accept header: what is needed is the object, not its table.
    plain = Request(request.method, request.path, query=request.query, user=request.user)
    stored = write(context_of(server, info, plain, resource), wish).object
    assert stored is not None
    return Response(200, object=scale_of(stored, resource))


def scale_of(obj: JsonObject, resource: ResourceInfo) -> JsonObject:
    """The Scale of an object that has replicas."""
    paths = resource.custom.scale if resource.custom else None
    if paths is not None:
        wanted, current = at(obj, paths.spec), at(obj, paths.status)
        selector = at(obj, paths.selector) if paths.selector else ""
    else:
        wanted, current = at(obj, ("spec", "replicas")), at(obj, ("status", "replicas"))
        selector = _selector(obj)
    status = {"replicas": current if isinstance(current, int) else 0}
    return {
        "kind": "Scale",
        "apiVersion": API_VERSION,
        "metadata": {key: obj["metadata"][key] for key in _SHARED if key in obj["metadata"]},
        "spec": {"replicas": wanted if isinstance(wanted, int) else 0},
        "status": status | {"selector": selector if isinstance(selector, str) else ""},
    }


def _selector(obj: JsonObject) -> str:
    selector = (obj.get("spec") or {}).get("selector") or {}
    text = labels_text(selector) if obj["kind"] == "ReplicationController" else selector_text(selector)
    return "" if text == NONE else text


def _patch(request: Request) -> Any:
    if media_type(request) not in KINDS:
        text = "the body of the request was in an unknown format - accepted media types include: " + ", ".join(KINDS)
        raise UnsupportedMediaType(text)
    return read_patch(request)


def _patched(request: Request, current: JsonObject, patch: Any) -> JsonObject:
    definition = definition_for("autoscaling", "v1", "Scale")
    assert definition is not None
    wished: JsonObject = copy_of(KINDS[media_type(request)](current, patch, definition))
    if not isinstance(wished.get("metadata"), dict):
        wished["metadata"] = current["metadata"]
    return wished
