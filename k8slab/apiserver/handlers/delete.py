"""DELETE: mark, and let those finish who have a say; or remove at once.

An object goes at once if nobody has a say in it: no finalizer, no grace period. Otherwise it gets a deletionTimestamp and
lives on until its last finalizer is taken away (garbage collector, namespace controller) or its grace period ends (kubelet).
What happens to the dependents, `propagationPolicy`, is a finalizer too.

Models: k8s.io/apiserver/pkg/registry/rest/delete.go (BeforeDelete), pkg/registry/generic/registry/store.go (Delete).
"""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.errors import BadRequest, Cause, Conflict, Invalid
from k8slab.apimachinery.rest import JsonObject, Response
from k8slab.apiserver.admission import Attributes
from k8slab.apiserver.decode import read_options
from k8slab.apiserver.handlers.context import Context
from k8slab.clock import from_rfc3339, to_rfc3339

FINALIZER_OF = {"Orphan": "orphan", "Foreground": "foregroundDeletion"}
POLICIES = ("Background", *FINALIZER_OF)


def handle(context: Context) -> Response:
    """The object, where it lives on for a while; else a Status. Raises NotFound, Conflict."""
    options = options_of(context)
    gone, obj = delete(
        context, context.info.namespace if context.resource.namespaced else "", context.info.name, options
    )
    if not gone or context.resource.plural == "pods":
        # Upstream says "accepted" only to those who ask in the old way: others have come to rely on 200.
        later = not gone and options.get("orphanDependents") is False
        return context.answer(obj, 202 if later else 200)
    return Response(200, object=_success(context, obj))


def options_of(context: Context) -> JsonObject:
    """The DeleteOptions of body and query. Raises Invalid, BadRequest."""
    options = dict(read_options(context.request))
    request = context.request
    if asked := request.param("propagationPolicy"):
        options.setdefault("propagationPolicy", asked)
    if "orphanDependents" in request.query:
        options.setdefault("orphanDependents", request.flag("orphanDependents"))
    if grace := request.param("gracePeriodSeconds"):
        try:
            options.setdefault("gracePeriodSeconds", int(grace))
        except ValueError:
            raise BadRequest(f'strconv.ParseInt: parsing "{grace}": invalid syntax') from None
    causes = []
    policy = options.get("propagationPolicy")
    if policy is not None and policy not in POLICIES:
        choices = '"Foreground", "Background", "Orphan", "nil"'
        text = f'Unsupported value: "{policy}": supported values: {choices}'
        causes.append(Cause("propagationPolicy", "FieldValueNotSupported", text))
    if policy is not None and options.get("orphanDependents") is not None:
        text = 'Invalid value: "' + str(policy) + '": orphanDependents and deletionPropagation cannot be both set'
        causes.append(Cause("propagationPolicy", "FieldValueInvalid", text))
    if causes:
        raise Invalid.object("DeleteOptions", "", "", causes)
    return options


def delete(context: Context, namespace: str, name: str, options: JsonObject) -> tuple[bool, JsonObject]:
    """(whether it is gone now, the object). Raises NotFound, Conflict."""
    server, resource = context.server, context.resource
    dry_run = context.dry_run or bool(options.get("dryRun"))
    preconditions: dict[str, Any] = options.get("preconditions") or {}

    def change(old: JsonObject) -> JsonObject | None:
        _check_preconditions(context, old["metadata"], preconditions)
        attributes = Attributes("DELETE", resource, namespace, name, "", None, old, context.user, dry_run)
        server.admission.validate(attributes)
        return _marked(context, old, options)

    after = server.registry.update(resource, namespace, name, change, dry_run)
    return dry_run or server.registry.find(resource, namespace, name) is None, after


def _check_preconditions(context: Context, meta: JsonObject, preconditions: JsonObject) -> None:
    """Whether the object is still the one that was meant. Raises Conflict."""
    for field, what, happened in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        asked = preconditions.get(field)
        if asked and asked != meta[field]:
            why = f"the {what} in the precondition ({asked}) does not match the {what} in record ({meta[field]})."
            why += f" The object might have been {happened}"
            # Upstream names the kind here, not the resource.
            raise Conflict.named(context.resource.group, context.resource.kind, meta["name"], why)


def _marked(context: Context, old: JsonObject, options: JsonObject) -> JsonObject | None:
    """The object, being deleted; None if nothing holds it."""
    before = old["metadata"]
    held = before.get("finalizers") or []
    if not before.get("deletionTimestamp"):
        held = [*held, *(each for each in context.strategy.deletion_finalizers if each not in held)]
    finalizers = _finalizers(context, held, options)
    grace = max(0, context.strategy.grace_period(old, options.get("gracePeriodSeconds")))
    now = context.server.clock.now()
    held_by_spec = old["kind"] == "Namespace" and (old.get("spec") or {}).get("finalizers")
    if not finalizers and not grace and not held_by_spec:
        return None
    meta = {**before, "finalizers": finalizers}
    if not finalizers:
        del meta["finalizers"]
    new = {**old, "metadata": meta}
    if before.get("deletionTimestamp"):
        # A second request may only shorten the time that is left.
        if grace < before.get("deletionGracePeriodSeconds", 0):
            began = from_rfc3339(before["deletionTimestamp"]) - before["deletionGracePeriodSeconds"]
            meta["deletionTimestamp"] = to_rfc3339(max(now, began + grace))
            meta["deletionGracePeriodSeconds"] = grace
        return new
    meta["deletionTimestamp"] = to_rfc3339(now + grace)
    if old["kind"] != "Namespace":  # whose storage marks it itself
        meta["deletionGracePeriodSeconds"] = grace
    context.strategy.begin_deletion(new, to_rfc3339(now))
    if context.strategy.counts_generations or "generation" in meta:
        meta["generation"] = meta.get("generation", 0) + 1
    if old["kind"] == "Namespace":
        new["status"] = {**(old.get("status") or {}), "phase": "Terminating"}
    return new


def _finalizers(context: Context, finalizers: list[str], options: JsonObject) -> list[str]:
    """The finalizers with the one that says what becomes of the dependents."""
    ours = list(FINALIZER_OF.values())
    kept = [each for each in finalizers if each not in ours]
    if context.strategy.default_propagation == "None":
        return kept  # a kind that owns nothing
    if options.get("orphanDependents") is not None:
        chosen = "Orphan" if options["orphanDependents"] else "Background"
    elif options.get("propagationPolicy"):
        chosen = options["propagationPolicy"]
    else:
        already = [each for each in finalizers if each in ours]
        if already:
            return finalizers
        chosen = context.strategy.default_propagation
    return [*kept, FINALIZER_OF[chosen]] if chosen in FINALIZER_OF else kept


def _success(context: Context, obj: JsonObject) -> JsonObject:
    details = {
        "name": obj["metadata"]["name"],
        "group": context.resource.group,
        "kind": context.resource.plural,
        "uid": obj["metadata"]["uid"],
    }
    details = {key: value for key, value in details.items() if value}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
