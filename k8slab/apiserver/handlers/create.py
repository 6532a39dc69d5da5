"""POST: a new object.

    decode -> default -> name it -> admit -> prepare -> validate -> admit -> store

Models: k8s.io/apiserver/pkg/endpoints/handlers/create.go, pkg/registry/rest/create.go (BeforeCreate).
"""

from __future__ import annotations

from k8slab.apimachinery.errors import AlreadyExists, BadRequest, Invalid
from k8slab.apimachinery.managed import MANAGED, Entries
from k8slab.apimachinery.rest import JsonObject, Response
from k8slab.apiserver.admission import Attributes
from k8slab.apiserver.decode import check_schema, read_object
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.metadata import validate_metadata
from k8slab.apiserver.ownership import record_create, set_entries
from k8slab.clock import to_rfc3339
from k8slab.names import MAX_GENERATED_BASE

NAME_TRIES = 8


def handle(context: Context) -> Response:
    """201, and the object as created."""
    obj = read_object(context.request, context.resource.kind, context.resource.api_version)
    context.warnings = check_schema(obj, context.definition, context.validation, context.request.body)
    check_namespace(obj, context)
    if obj["metadata"].get("resourceVersion"):
        raise BadRequest("resourceVersion should not be set on objects to be created")
    prefix = obj["metadata"].get("generateName", "") if not obj["metadata"].get("name") else ""
    for attempt in range(NAME_TRIES):
        if prefix:
            key = (context.namespace, prefix, context.server.store.revision, attempt)
            suffix = context.server.chance.suffix("generateName", key)
            obj["metadata"]["name"] = prefix[:MAX_GENERATED_BASE] + suffix
        try:
            return context.answer(create(context, obj), 201)
        except AlreadyExists:
            if not prefix or attempt == NAME_TRIES - 1:
                raise
    raise AssertionError("unreachable")


def create(context: Context, obj: JsonObject, entries: Entries | None = None) -> JsonObject:
    """Store a decoded object: private, and named. `entries` are its managedFields, if they are known already."""
    server, resource, strategy = context.server, context.resource, context.strategy
    strategy.default(obj)
    obj["metadata"].pop(MANAGED, None)
    if entries is None:
        record_create(context, obj)
    else:
        set_entries(obj, entries)
    _begin_metadata(context, obj)
    dry_run = context.dry_run
    attributes = Attributes(
        "CREATE", resource, context.namespace, obj["metadata"].get("name", ""), "", obj, None, context.user, dry_run
    )  # fmt: skip
    server.admission.mutate(attributes)
    strategy.prepare_for_create(obj)
    causes = validate_metadata(obj, resource) + strategy.validate(obj)
    if causes:
        raise Invalid.object(resource.kind, resource.group, obj["metadata"].get("name", ""), causes)
    server.admission.validate(attributes)
    context.warnings += strategy.warnings(obj, None)
    if resource.plural == "services":
        server.service_ips.allocate(obj, None, dry_run=dry_run)
    return server.registry.create(resource, context.namespace, obj, dry_run)


def check_namespace(obj: JsonObject, context: Context) -> None:
    """An object may leave its namespace out, but not name another one than the path. Raises BadRequest."""
    meta = obj["metadata"]
    if not context.resource.namespaced:
        if meta.get("namespace"):
            raise BadRequest("namespace may not be set on a cluster-scoped object")
        meta.pop("namespace", None)
        return
    if meta.get("namespace") not in (None, "", context.namespace):
        raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
    meta["namespace"] = context.namespace


def _begin_metadata(context: Context, obj: JsonObject) -> None:
    """What the server alone decides at birth."""
    server, meta = context.server, obj["metadata"]
    for field in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"):
        meta.pop(field, None)
    born_as = (server.store.revision, context.namespace, meta.get("name", ""))
    meta["uid"] = server.chance.uid(f"uid/{context.resource.plural}", born_as)
    meta["creationTimestamp"] = to_rfc3339(server.clock.now())
    if context.strategy.counts_generations:
        meta["generation"] = 1
