"""What PUT and PATCH share: from an old object and a wished-for one to what is stored.

Three shapes of write: the object (its status stays as it is), its status (all else stays), and the finalizers of a
namespace. Whatever the shape, an object that is being deleted and has no finalizer left is removed.

Models: k8s.io/apiserver/pkg/registry/rest/update.go (BeforeUpdate), pkg/registry/generic/registry/store.go (Update).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8slab.apimachinery.errors import BadRequest, Cause, Conflict, Invalid
from k8slab.apimachinery.managed import MANAGED, private_copy
from k8slab.apimachinery.rest import JsonObject, Response
from k8slab.apiserver.admission import Attributes
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.metadata import validate_metadata_update
from k8slab.apiserver.ownership import keep_times, record_change, set_entries
from k8slab.apiserver.strategies.pods import ephemeral_change_causes
from k8slab.apiserver.strategy import Strategy

KEPT = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "namespace",
    "name",
)
"""Metadata that no client changes."""

Wish = Callable[[JsonObject], JsonObject]
"""From the old object, shared, to the wished-for one, private."""

Record = Callable[[Context, JsonObject, JsonObject, Any], None]
"""Notes in a new object who owns its fields, from the old one and what the client says of managedFields."""


def write(context: Context, wish: Wish, *, recorded: bool = False) -> Response:
    """Store what `wish` makes of the object. `recorded`: its managedFields say already who owns what."""
    record: Record = _as_wished if recorded else record_change
    dry_run = context.dry_run
    shapes = {
        "status": _with_new_status,
        "finalize": _with_new_finalizers,
        "approval": _with_new_status,
        "ephemeralcontainers": _with_more_ephemeral_containers,
    }
    shape = shapes.get(context.info.subresource, _with_new_content)

    def change(old: JsonObject) -> JsonObject | None:
        wished = wish(old)
        _check_identity(context, wished, old)
        new = keep_times(shape(context, wished, old, record), old)
        return None if _is_finished(new) else new

    registry = context.server.registry
    stored = registry.update(context.resource, context.namespace, context.info.name, change, dry_run)
    return context.answer(stored)


def _as_wished(context: Context, new: JsonObject, old: JsonObject, sent: Any) -> None:
    set_entries(new, sent)


def _check_identity(context: Context, wished: JsonObject, old: JsonObject) -> None:
    """The wish must be about the object of the path, and not about an older state of it."""
    resource, meta, before = context.resource, wished["metadata"], old["metadata"]
    if meta.get("name", before["name"]) != before["name"]:
        raise BadRequest(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({before['name']})"
        )
    if resource.namespaced and meta.get("namespace", before["namespace"]) != before["namespace"]:
        raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
    if meta.get("uid") and meta["uid"] != before["uid"]:
        why = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {before['uid']}"
        raise Conflict.named(resource.group, resource.plural, before["name"], why)
    version = meta.get("resourceVersion")
    if version and version != before["resourceVersion"]:
        if not (isinstance(version, str) and version.isdigit()):
            text = f'Invalid value: "{version}": must be specified for an update'
            causes = [Cause("metadata.resourceVersion", "FieldValueInvalid", text)]
            raise Invalid.object(resource.kind, resource.group, before["name"], causes)
        raise Conflict.modified(resource.group, resource.plural, before["name"])


def _with_new_content(context: Context, new: JsonObject, old: JsonObject, record: Record) -> JsonObject:
    server, strategy, resource = context.server, context.strategy, context.resource
    sent = new["metadata"].pop(MANAGED, None)
    _keep_metadata(new, old)
    strategy.default(new)
    record(context, new, old, sent)
    attributes = Attributes(
        "UPDATE", resource, context.namespace, context.info.name, context.info.subresource, new, old, context.user,
        context.dry_run,
    )  # fmt: skip
    server.admission.mutate(attributes)
    if strategy.status_subresource and "status" in resource.subresources:
        if "status" in old:
            new["status"] = old["status"]
        else:
            new.pop("status", None)
    strategy.prepare_for_update(new, old)
    if strategy.counts_generations and _content(strategy, new) != _content(strategy, old):
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
    causes = validate_metadata_update(new, old, resource) + strategy.validate_update(new, old)
    if causes:
        raise Invalid.object(resource.kind, resource.group, old["metadata"]["name"], causes)
    server.admission.validate(attributes)
    context.warnings += [text for text in strategy.warnings(new, old) if text not in context.warnings]
    if resource.plural == "services":
        server.service_ips.allocate(new, old, dry_run=context.dry_run)
    return new


def _with_new_status(context: Context, wished: JsonObject, old: JsonObject, record: Record) -> JsonObject:
    new = {**old, "metadata": dict(old["metadata"])}
    if "status" in wished:
        new["status"] = wished["status"]
    else:
        new.pop("status", None)
    context.strategy.leave_out(new)
    record(context, new, old, wished["metadata"].get(MANAGED))
    context.strategy.prepare_for_status_update(new, old)
    causes = context.strategy.validate_status_update(new, old)
    if causes:
        raise Invalid.object(context.resource.kind, context.resource.group, old["metadata"]["name"], causes)
    info = context.info
    context.server.admission.validate(
        Attributes(
            "UPDATE",
            context.resource,
            context.namespace,
            info.name,
            info.subresource,
            new,
            old,
            context.user,
            context.dry_run,
        )
    )
    return new


def _with_new_finalizers(context: Context, wished: JsonObject, old: JsonObject, record: Record) -> JsonObject:
    finalizers = (wished.get("spec") or {}).get("finalizers") or []
    spec = {k: v for k, v in (old.get("spec") or {}).items() if k != "finalizers"}
    if finalizers:
        spec["finalizers"] = finalizers
    new = {**old, "metadata": dict(old["metadata"]), "spec": spec}
    record(context, new, old, wished["metadata"].get(MANAGED))
    return new


def _with_more_ephemeral_containers(
    context: Context, wished: JsonObject, old: JsonObject, record: Record
) -> JsonObject:
    """A running Pod gets a container to look around with: nothing else of it may change this way."""
    asked = {"ephemeralContainers": (wished.get("spec") or {}).get("ephemeralContainers") or []}
    new = private_copy({**old, "spec": {**old["spec"], **asked}})
    context.strategy.default(new)
    record(context, new, old, wished["metadata"].get(MANAGED))
    causes = ephemeral_change_causes(new["spec"], old["spec"]) or context.strategy.validate(new)
    if causes:
        raise Invalid.object(context.resource.kind, context.resource.group, old["metadata"]["name"], causes)
    if new["spec"] != old["spec"]:
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
    return new


def _keep_metadata(new: JsonObject, old: JsonObject) -> None:
    meta, before = new["metadata"], old["metadata"]
    for field in KEPT:
        if field in before:
            meta[field] = before[field]
        else:
            meta.pop(field, None)
    meta["resourceVersion"] = before["resourceVersion"]
    meta.pop("selfLink", None)
    # An empty map or list says nothing: upstream leaves them out when it encodes.
    for field in ("labels", "annotations", "finalizers", "ownerReferences"):
        if field in meta and not meta[field]:
            del meta[field]


def _content(strategy: Strategy, obj: JsonObject) -> JsonObject:
    """What counts as a new generation where it changes."""
    apart = ("metadata", "status") if strategy.status_subresource else ("metadata",)
    return {k: v for k, v in obj.items() if k not in apart}


def _is_finished(obj: JsonObject) -> bool:
    """Whether nothing holds an object any more that is being deleted."""
    meta = obj["metadata"]
    if not meta.get("deletionTimestamp") or meta.get("finalizers"):
        return False
    held_by_spec = obj["kind"] == "Namespace" and (obj.get("spec") or {}).get("finalizers")
    return not held_by_spec and not meta.get("deletionGracePeriodSeconds")
