"""GET of a collection: a consistent picture at one revision, in pieces if the client wants it so.

A continue token remembers the revision of the first piece and the key to go on from, so that all pieces together are one
picture, whatever is written in between. When compaction has passed that revision, the answer is 410 Expired, with a token
for going on inconsistently.

Models: k8s.io/apiserver/pkg/storage/continue.go, pkg/apis/meta/internalversion/validation/validation.go.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from k8slab.apimachinery.errors import ApiError, BadRequest, Cause, Expired, Invalid, Timeout
from k8slab.apimachinery.rest import JsonObject, Request, Response
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.registry import ObjectList
from k8slab.apiserver.selection import Selection, selection_of
from k8slab.etcd.store import Compacted, FutureRevision

INCONSISTENT = -1
EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
    "continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing "
    "with the provided token results in an inconsistent list - objects that were created, modified, or deleted between "
    "the time the first chunk was returned and now may show up in the list."
)


def handle(context: Context) -> Response:
    """A List of the kind, with its revision."""
    request = context.request
    selection = selection_of(request, context.resource, context.strategy)
    revision, limit, start = _options(request, context.server.store.revision)
    name = selection.fields.exact("metadata.name")
    if (
        name is not None
        and not limit
        and not start
        and not revision
        and (context.namespace or not context.resource.namespaced)
    ):
        found = _one(context, name)
    else:
        found = _range(context, revision, limit, start, request.param("continue"))
    items = found.items if selection.everything else [item for item in found.items if selection.matches(item)]
    return context.answer(_list_object(context, found, items, selection))


def _one(context: Context, name: str) -> ObjectList:
    """The list of the one object that a field selector names: no need to look at all others."""
    registry = context.server.registry
    found = registry.find(context.resource, context.namespace, name)
    return ObjectList([found] if found else [], registry.store.revision, 0, "")


def _range(context: Context, revision: int, limit: int, start: str, token: str) -> ObjectList:
    registry = context.server.registry
    try:
        return registry.list(context.resource, context.namespace, revision, limit, start)
    except Compacted as gone:
        if not token:
            raise Expired(f"too old resource version: {gone.asked} ({gone.oldest})") from None
        error = Expired(EXPIRED)
        error.status["metadata"] = {"continue": _token(INCONSISTENT, start)}
        raise error from None
    except FutureRevision as future:
        raise too_large(future) from None


def _list_object(context: Context, found: ObjectList, items: list[JsonObject], selection: Selection) -> JsonObject:
    resource = context.resource
    meta: JsonObject = {"resourceVersion": str(found.revision)}
    if found.next_start:
        meta["continue"] = _token(found.revision, found.next_start)
        if selection.everything:
            meta["remainingItemCount"] = found.remaining
    return {"kind": resource.kind_of_list, "apiVersion": resource.api_version, "metadata": meta, "items": items}


def _options(request: Request, newest: int) -> tuple[int, int, str]:
    """(revision, limit, start). Raises BadRequest or Invalid for what makes no sense."""
    limit = whole_number(request, "limit")
    token, version, match = (
        request.param("continue"),
        request.param("resourceVersion"),
        request.param("resourceVersionMatch"),
    )
    if request.flag("sendInitialEvents"):
        raise invalid_options("sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list")
    if match and not version:
        raise invalid_options(
            "resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        )  # fmt: skip
    if match and token:
        raise invalid_options(
            "resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden when continue is provided"
        )  # fmt: skip
    if match not in ("", "Exact", "NotOlderThan"):
        choices = '"Exact", "NotOlderThan", ""'
        raise invalid_options("resourceVersionMatch", f'Unsupported value: "{match}": supported values: {choices}')
    if match == "Exact" and version == "0":
        raise invalid_options(
            "resourceVersionMatch", 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        )  # fmt: skip
    if token:
        if version not in ("", "0"):
            raise BadRequest("specifying resource version is not allowed when using continue")
        revision, start = _read_token(token)
        return max(revision, 0), limit, start
    revision = parse_version(version)
    if match == "Exact" or (limit and revision and not match):
        return revision, limit, ""
    if revision > newest:
        # The newest is never older than what was asked for, unless that never was.
        raise too_large(FutureRevision(revision, newest))
    return 0, limit, ""


def parse_version(text: str) -> int:
    """A resourceVersion as a revision. Raises BadRequest."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        fault = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise BadRequest(f'invalid resource version: resourceVersion: Invalid value: "{text}": {fault}')
    return int(text)


def whole_number(request: Request, name: str) -> int:
    """A number of the query, 0 if it is not given. Raises BadRequest."""
    text = request.param(name)
    if not text:
        return 0
    try:
        return max(0, int(text))
    except ValueError:
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def invalid_options(field: str, message: str) -> Invalid:
    """A 422 about the options of a list or a watch."""
    reason = "FieldValueForbidden" if message.startswith("Forbidden") else "FieldValueInvalid"
    return Invalid.object("ListOptions", "meta.k8s.io", "", [Cause(field, reason, message)])


def too_large(future: FutureRevision) -> ApiError:
    """The answer to a revision that the store has not reached."""
    message = f"Too large resource version: {future.asked}, current: {future.current}"
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return Timeout(message, details={"causes": [cause], "retryAfterSeconds": 1})


def _token(revision: int, start: str) -> str:
    content = {"v": "meta.k8s.io/v1", "rv": revision, "start": start}
    return base64.urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=").decode()


def _read_token(token: str) -> tuple[int, str]:
    try:
        content: Any = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        version, revision, start = content["v"], content["rv"], content["start"]
    except (ValueError, binascii.Error, KeyError, TypeError) as fault:
        raise BadRequest(f"continue key is not valid: {fault}") from None
    if version != "meta.k8s.io/v1" or type(revision) is not int or not isinstance(start, str) or not start:
        raise BadRequest("continue key is not valid: encoded value is not of this version")
    return revision, start
