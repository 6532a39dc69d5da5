"""Server-side apply: a PATCH that says what its manager wants, and all that it wants.

The configuration is merged into the newest object, and what its manager applied last time and leaves out now is removed. Where
another manager owns a field with another value there is a conflict, and nothing is written, unless the request says `force`.
An object that is not there is created.

Models: k8s.io/apiserver/pkg/endpoints/handlers/patch.go (applyPatcher), k8s.io/apimachinery/pkg/util/managedfields/internal.
"""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.applying import ApplyConflict, apply, conflict_error
from k8slab.apimachinery.errors import ApiError, BadRequest, Conflict, Invalid, required
from k8slab.apimachinery.fields_of import compare
from k8slab.apimachinery.fieldset import LEAF
from k8slab.apimachinery.inapplicable import faults
from k8slab.apimachinery.managed import (
    APPLY,
    BEFORE_FIRST_APPLY,
    MANAGED,
    UPDATE,
    Entries,
    Writer,
    record_update,
    without_entries,
)
from k8slab.apimachinery.rest import JsonObject, Response, copy_of
from k8slab.apimachinery.schema import Definition
from k8slab.apiserver.decode import check_schema, read_configuration
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.handlers.create import check_namespace, create
from k8slab.apiserver.handlers.writing import write
from k8slab.apiserver.last_applied import KUBECTL, last_applied, remaining_conflicts, with_last_applied
from k8slab.apiserver.ownership import fields_reset, writer_of

WIPED = (
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
    "resourceVersion",
    "generation",
)
"""What a configuration may carry along from an object that it was read from, and cannot set on a new one."""


def handle(context: Context, definition: Definition) -> Response:
    """The object as it is now; 201 if it is new. Raises Conflict, BadRequest, Invalid."""
    writer = applier_of(context)
    config, warnings = read_configuration(context.request, context.validation)
    found = context.server.registry.find(context.resource, context.namespace, context.info.name)
    if found is None and not context.info.subresource:
        check_configuration(definition, config, context.resource.api_version, context.resource.kind)
        return _create(context, definition, config, writer, warnings)

    def wish(old: JsonObject) -> JsonObject:
        check_configuration(definition, config, context.resource.api_version, context.resource.kind)
        new = applied(context, definition, old, config, writer)
        context.warnings = [*check_schema(new, definition, context.validation, known=old), *warnings]
        return new

    return write(context, wish, recorded=True)


def applier_of(context: Context) -> Writer:
    """Who applies: he has to say so. Raises Invalid."""
    if not context.request.param("fieldManager"):
        causes = [required("fieldManager", "is required for apply patch")]
        raise Invalid.object("PatchOptions", "meta.k8s.io", "", causes)
    return writer_of(context, APPLY)


def applied(
    context: Context, definition: Definition, old: JsonObject, config: JsonObject, writer: Writer
) -> JsonObject:  # fmt: skip
    """The object with a configuration applied, private but for its managedFields."""
    live, force = without_entries(old), context.request.flag("force")
    reset = fields_reset(context)
    try:
        entries: Entries = old["metadata"].get(MANAGED) or _before_first(definition, live, writer)
        new, entries = apply(definition.type, live, config, entries, writer, force=force, reset=reset)
    except ApplyConflict as fault:
        left = remaining_conflicts(definition.type, live, fault) if writer.manager == KUBECTL else fault
        if left is not None:
            raise conflict_error(left) from None
        new, entries = apply(definition.type, live, config, entries, writer, force=True, reset=reset)
    except ValueError as fault:  # a condition without its type, from somebody who wrote a status so
        raise _untyped("live", live, str(fault)) from None
    if writer.manager == KUBECTL and last_applied(new):
        new = with_last_applied(new, config)
    private: JsonObject = copy_of(new)
    private["metadata"][MANAGED] = entries
    return private


def _before_first(definition: Definition, live: JsonObject, writer: Writer) -> Entries:
    """Of an object of which nobody kept account all belongs to one who is not known."""
    unknown = Writer(BEFORE_FIRST_APPLY, UPDATE, writer.api_version, writer.subresource, writer.time)
    return record_update([], unknown, compare(definition.type, definition.type.empty, live)[0], LEAF)


def _create(
    context: Context, definition: Definition, config: JsonObject, writer: Writer, warnings: list[str]
) -> Response:  # fmt: skip
    meta, name = config["metadata"], context.info.name
    if not meta.get("name"):
        why = f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
        raise BadRequest(why)
    if meta["name"] != name:
        raise BadRequest(f"the name of the object ({meta['name']}) does not match the name on the URL ({name})")
    if meta.get("uid"):
        why = f"uid mismatch: the provided object specified uid {meta['uid']}, and no existing object was found"
        raise Conflict.named(context.resource.group, context.resource.plural, name, why)
    _, entries = apply(definition.type, {}, config, [], writer, force=False, reset=fields_reset(context))
    obj: JsonObject = copy_of(config)
    for field in WIPED:
        obj["metadata"].pop(field, None)
    context.warnings = [*check_schema(obj, definition, context.validation), *warnings]
    check_namespace(obj, context)
    return context.answer(create(context, obj, entries), 201)


def check_configuration(definition: Definition, config: Any, api_version: str, kind: str) -> None:
    """Whether a configuration is one, of the right kind. Raises BadRequest, and upstream's nameless 500."""
    _check_kind(config, api_version, kind)
    wrong = faults(definition.type, config)
    if wrong:
        why = wrong[0] if len(wrong) == 1 else "\n".join(["errors:", *(f"  {each}" for each in wrong)])
        raise _untyped("patch", config, why)


def _untyped(what: str, obj: JsonObject, why: str) -> ApiError:
    meta = obj["metadata"]
    who = f"{meta.get('namespace', '')}/{meta.get('name', '')}; {_shown_kind(obj)}"
    return ApiError(f"failed to create typed {what} object ({who}): {why}", code=500, reason="")


def _check_kind(config: JsonObject, api_version: str, kind: str) -> None:
    """Whether a configuration is of a kind, and has metadata without managedFields. Raises BadRequest."""
    if (config.get("apiVersion"), config.get("kind")) != (api_version, kind):
        raise BadRequest(f"invalid object type: {_shown_kind(config)}")
    meta = config.setdefault("metadata", {})
    if not isinstance(meta, dict):
        raise BadRequest("the configuration has no metadata")
    if meta.get(MANAGED) is not None:
        raise BadRequest("metadata.managedFields must be nil")


def _shown_kind(config: JsonObject) -> str:
    """As Go prints a GroupVersionKind."""
    version = str(config.get("apiVersion") or "")
    return f"{version if '/' in version else '/' + version}, Kind={config.get('kind') or ''}"
