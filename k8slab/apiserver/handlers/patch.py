"""PATCH: what should change, and only that.

The patch is applied to the newest object, again if somebody was faster: so a patch without a resourceVersion never
conflicts.

Models: k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson

from k8slab.apimachinery.errors import BadRequest, Invalid, UnsupportedMediaType, forbidden, invalid
from k8slab.apimachinery.managed import MANAGED, without_entries
from k8slab.apimachinery.patch import go_format, json_patch, merge_patch
from k8slab.apimachinery.rest import JsonObject, Response, copy_of
from k8slab.apimachinery.schema import Definition
from k8slab.apimachinery.strategic import strategic_merge_patch
from k8slab.apiserver.decode import check_schema, media_type, read_patch
from k8slab.apiserver.handlers import apply as server_side
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.handlers.writing import write

Apply = Callable[[JsonObject, Any, Definition], JsonObject]

STRATEGIC = "application/strategic-merge-patch+json"
"""Not for custom kinds: their schemas do not say how lists merge."""
KINDS: Mapping[str, Apply] = {
    "application/json-patch+json": lambda document, patch, definition: json_patch(document, patch),
    "application/merge-patch+json": lambda document, patch, definition: merge_patch(document, patch),
    STRATEGIC: strategic_merge_patch,
}
APPLY = "application/apply-patch+yaml"


def handle(context: Context) -> Response:
    """The object as it is now. Raises NotFound, BadRequest, Invalid."""
    kind, definition = media_type(context.request), context.definition
    if kind == APPLY and definition is not None:
        return server_side.handle(context, definition)
    apply = KINDS.get(kind)
    kinds = [each for each in KINDS if each != STRATEGIC or context.resource.custom is None]
    if apply is None or definition is None or kind not in kinds:
        raise unknown_format(*kinds, APPLY)
    if "force" in context.request.query:
        causes = [forbidden("force", "may not be specified for non-apply patch")]
        raise Invalid.object("PatchOptions", "meta.k8s.io", "", causes)
    patch = read_patch(context.request)

    def wish(old: JsonObject) -> JsonObject:
        new = apply(old, patch, definition)
        check_patched(new, old)
        entries = new["metadata"].get(MANAGED)
        untouched = entries is old["metadata"].get(MANAGED)
        if untouched:
            new = without_entries(new)
        # Of a patch of the status nothing else is kept: the rest may stay shared.
        only_status = context.info.subresource == "status"
        new = {**new, **copy_of({"status": new.get("status")})} if only_status else copy_of(new)
        refuse = partial(_refusal, kind, patch, new)
        context.warnings = check_schema(new, definition, context.validation, known=old, refuse=refuse)
        if untouched and entries:
            new["metadata"][MANAGED] = entries
        return new

    return write(context, wish)


def _refusal(kind: str, patch: Any, patched: JsonObject, why: str) -> Invalid:
    """What a patch would make of an object is none of its kind: upstream shows what it could not read, and why."""
    shown = go_format(patch) if kind == STRATEGIC else orjson.dumps(patched).decode()
    if patched["kind"] == "Secret":  # a message is written down in places where no Secret may be
        shown = "<redacted>"
    return Invalid.object("", "", "", [invalid("patch", shown, _restoring(why) if kind == STRATEGIC else why)])


def _restoring(why: str) -> str:
    """The same in the words of upstream's converter of maps, which reads what a strategic patch has made."""
    match = re.fullmatch(r"json: cannot unmarshal (\w+)(?: \S+)? into Go struct field \S+ of type (\S+)", why)
    if match is None:
        return why
    found, wanted = match[1], match[2]
    is_a = {"number": "int64", "array": "slice", "object": "map"}.get(found, found)
    if wanted.startswith("[]"):
        return f"cannot restore slice from {is_a}"
    if wanted.startswith("map["):
        return f"cannot restore map from {is_a}"
    if "." in wanted:
        return f"cannot restore struct from: {is_a}"
    return (
        f"cannot convert {is_a} to {wanted}"
        if (is_a, wanted) == ("int64", "string")
        else f"unrecognized type: {wanted}"
    )


def check_patched(new: Any, old: JsonObject) -> None:
    """Whether what a patch has made is still an object, and of the same kind. Raises BadRequest."""
    if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
        raise BadRequest("the patched object has no metadata")
    for field in ("apiVersion", "kind"):
        if new.get(field) != old[field]:
            raise BadRequest(
                f"the {field} of an object cannot be patched: {old[field]!r} would become {new.get(field)!r}"
            )


def unknown_format(*kinds: str) -> UnsupportedMediaType:
    """The answer to a patch of a kind that is not among those that are known."""
    accepted = ", ".join(kinds)
    return UnsupportedMediaType(
        f"the body of the request was in an unknown format - accepted media types include: {accepted}"
    )
