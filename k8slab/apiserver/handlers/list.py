"""GET of a collection: a consistent picture at one revision, in pieces if the client wants it so.

`limit` counts what the selectors choose, so every piece but the last is full. All pieces are read at the revision of the
first, whatever is written in between. When compaction has passed that revision, the answer is 410 Expired, with a token for
going on inconsistently.

Which revision a list shows:

    resourceVersion   match           shows
    not given                         the newest
    0                                 any: here the newest, and all of it, as upstream's cache ignores the limit
    n                 NotOlderThan    the newest, which must be at least n
    n                 Exact           n
    n                 not given       the newest, at least n; with a limit, exactly n

Models: k8s.io/apiserver/pkg/storage/etcd3/store.go (GetList), errors.go; pkg/storage/cacher/cacher.go (shouldDelegateList).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from k8slab.apimachinery.errors import BadRequest, Expired
from k8slab.apimachinery.rest import JsonObject, Response
from k8slab.apiserver.freshness import too_large, when_fresh
from k8slab.apiserver.handlers.context import DEPRECATED, Context
from k8slab.apiserver.handlers.list_options import (
    EXACT,
    INCONSISTENT,
    ListOptions,
    decode_continue,
    encode_continue,
    read_list_options,
)
from k8slab.apiserver.negotiation import form_of
from k8slab.apiserver.selection import Selection, selection_of
from k8slab.apiserver.stored_list import StoredList
from k8slab.etcd.store import Compacted, FutureRevision

BATCH = 500
"""Objects that are looked at in one go when a selector and a limit are given together."""
TOO_OLD = "The resourceVersion for the provided list is too old."
TOKEN_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
    "continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing "
    "with the provided token results in an inconsistent list - objects that were created, modified, or deleted between "
    "the time the first chunk was returned and now may show up in the list."
)


@dataclass(slots=True)
class Found:
    """What a list found."""

    revision: int
    items: list[JsonObject] = field(default_factory=list)
    next_start: str = ""
    """The key to go on from, relative to the list's prefix; empty at the end."""
    remaining: int = 0
    """How many keys there are from `next_start` on."""


def handle(context: Context) -> Response:
    """A List of the kind, with its revision."""
    selection = selection_of(context.request, context.resource, context.strategy)
    options = read_list_options(context.request)
    if not options.token and options.match != EXACT and options.revision > context.server.store.revision:
        return when_fresh(context.server, context.request, options.revision)
    if selection.everything and _goes_out_as_stored(context):
        return _as_stored(context, selection, options)
    return context.answer(list_object(context, find(context, selection, options), selection))


def _goes_out_as_stored(context: Context) -> bool:
    """Whether the stored bytes are the answer: over the wire, as JSON, of a kind that is shown as it is stored."""
    request, resource = context.request, context.resource
    plain = not form_of(request.headers.get("accept", "")).kind
    as_it_is = not resource.is_view and resource.custom is None and resource.group_plural not in DEPRECATED
    return request.on_wire and plain and as_it_is


def _as_stored(context: Context, selection: Selection, options: ListOptions) -> Response:
    with _told_as_upstream(options):
        revision, limit, start = _where(options)
        page = context.server.registry.entries(context.resource, context.namespace, revision, limit, start)
    head = list_object(context, Found(page.revision, [], page.next_start, page.remaining), selection)
    del head["items"]
    return StoredList(head, page.entries)


def find(context: Context, selection: Selection, options: ListOptions) -> Found:
    """The objects that a list is about. Raises BadRequest, Expired, Timeout."""
    revision, limit, start = _where(options)
    name = selection.fields.exact("metadata.name")
    whole = not (revision or limit or start)
    if name is not None and whole and (context.namespace or not context.resource.namespaced):
        # A field selector names one object: no need to look at all others.
        registry = context.server.registry
        found = registry.find(context.resource, context.namespace, name)
        chosen = [found] if found is not None and selection.matches(found) else []
        return Found(registry.store.revision, chosen)
    with _told_as_upstream(options):
        return _pages(context, selection, revision, limit, start)


@contextmanager
def _told_as_upstream(options: ListOptions) -> Iterator[None]:
    """What the store says of a revision that it does not have, in the API's words. Raises Expired, Timeout."""
    try:
        yield
    except Compacted:
        if not options.token:
            raise Expired(TOO_OLD) from None
        error = Expired(TOKEN_TOO_OLD)
        error.status["metadata"] = {"continue": encode_continue(INCONSISTENT, decode_continue(options.token)[1])}
        raise error from None
    except FutureRevision as future:
        raise too_large(future.asked, future.current) from None


def list_object(context: Context, found: Found, selection: Selection) -> JsonObject:
    """The List object of what was found."""
    resource = context.resource
    meta: JsonObject = {"resourceVersion": str(found.revision)}
    if found.next_start:
        meta["continue"] = encode_continue(found.revision, found.next_start)
        if selection.everything:
            meta["remainingItemCount"] = found.remaining
    return {
        "kind": resource.kind_of_list,
        "apiVersion": resource.api_version,
        "metadata": meta,
        "items": found.items,
    }


def _where(options: ListOptions) -> tuple[int, int, str]:
    """(revision, limit, start); revision 0 is the newest. Raises BadRequest."""
    if options.token:
        if options.resource_version not in ("", "0"):
            raise BadRequest("specifying resource version is not allowed when using continue")
        revision, start = decode_continue(options.token)
        return max(revision, 0), options.limit, start
    if options.resource_version == "0":
        return 0, 0, ""
    exact = options.match == EXACT or (options.limit and not options.match)
    return options.revision if exact else 0, options.limit, ""


def _pages(context: Context, selection: Selection, revision: int, limit: int, start: str) -> Found:
    """Look at one batch after the other until the limit is reached, all of them at one revision."""
    registry, resource = context.server.registry, context.resource
    batch = limit if selection.everything else max(limit, BATCH) if limit else 0
    found = Found(revision)
    while True:
        page = registry.list(resource, context.namespace, found.revision, batch, start)
        found.revision = page.revision
        for place, item in enumerate(page.items):
            if not selection.everything and not selection.matches(item):
                continue
            found.items.append(item)
            last = place == len(page.items) - 1
            if len(found.items) == limit and not (last and not page.next_start):
                found.next_start = registry.start_after(resource, context.namespace, item)
                found.remaining = page.remaining
                return found
        if not page.next_start:
            return found
        start = page.next_start
