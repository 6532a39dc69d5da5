"""/scale: how many replicas, in the same form for all kinds that have some.

An autoscaler and `kubectl scale` need to know one kind only. A Scale is not stored: it is read from the object, and what
is written to it is written to the object's `spec.replicas`, with all the rules of the object's own kind.

Models: pkg/registry/apps/deployment/storage/storage.go (ScaleREST), pkg/registry/autoscaling/validation.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from k8slab.apimachinery.errors import Invalid, invalid
from k8slab.apimachinery.managed import private_copy
from k8slab.apimachinery.rest import JsonObject, Request, Response, copy_of
from k8slab.apimachinery.schema import definition_for
from k8slab.apiserver.custom.kind import at
from k8slab.apiserver.decode import check_schema, media_type, read_configuration, read_object, read_patch
from k8slab.apiserver.handlers.apply import applied, applier_of, check_configuration
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.handlers.patch import APPLY, KINDS, check_patched, unknown_format
from k8slab.apiserver.handlers.writing import Wish, write
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
    # Without an Accept header: what is needed is the object, not its table.
    headers = {"user-agent": request.headers.get("user-agent", "")}
    plain = Request(request.method, request.path, request.query, headers, user=request.user)
    context = context_of(server, info, plain, resource)
    applies = info.verb == "patch" and media_type(request) == APPLY
    wish = _applied_wish(context, request) if applies else _wish(info, request, resource)
    stored = write(context, wish, recorded=applies).object
    assert stored is not None
    return Response(200, object=scale_of(stored, resource))


def _wish(info: RequestInfo, request: Request, resource: ResourceInfo) -> Wish:
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
        new = private_copy(old)
        _set_replicas(new, resource, replicas)
        # The Scale's identity and version are the object's: a stale one conflicts.
        new["metadata"].update({key: value for key, value in wished["metadata"].items() if key in _SHARED})
        return new

    return wish


def _applied_wish(context: Context, request: Request) -> Wish:
    """A Scale that is applied is applied to the object's replicas."""
    writer = applier_of(context)
    config, _ = read_configuration(request, "Ignore")
    resource, definition, scale = context.resource, context.definition, definition_for("autoscaling", "v1", "Scale")
    assert scale is not None
    check_configuration(scale, config, API_VERSION, "Scale")
    assert definition is not None  # all kinds with a Scale have a schema
    meta = {key: value for key, value in config["metadata"].items() if key in _SHARED}
    own: JsonObject = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta}
    if "replicas" in (config.get("spec") or {}):
        _set_replicas(own, resource, config["spec"]["replicas"])
    return lambda old: applied(context, definition, old, own, writer)


def _set_replicas(obj: JsonObject, resource: ResourceInfo, replicas: int) -> None:
    *above, last = resource.custom.scale.spec if resource.custom and resource.custom.scale else ("spec", "replicas")
    reduce(lambda found, name: found.setdefault(name, {}), above, obj)[last] = replicas


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
        raise unknown_format(*KINDS, APPLY)
    return read_patch(request)


def _patched(request: Request, current: JsonObject, patch: Any) -> JsonObject:
    definition = definition_for("autoscaling", "v1", "Scale")
    assert definition is not None
    wished: JsonObject = copy_of(KINDS[media_type(request)](current, patch, definition))
    check_patched(wished, current)
    return wished
