"""GET with watch=true: the changes from a revision on, told first, if the client wants, what there is.

`resourceVersion=n` goes on after n. Without one, or with 0, or with `sendInitialEvents`, the stream begins with what there
is, as ADDED events; then a bookmark says where that ends, if the client takes bookmarks (WatchList).

Models: k8s.io/apiserver/pkg/endpoints/handlers/watch.go, pkg/apis/meta/internalversion/validation/validation.go.
"""

from __future__ import annotations

from k8slab.apimachinery.errors import Expired
from k8slab.apimachinery.rest import Request, Response, WatchEvent
from k8slab.apiserver.freshness import when_fresh
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.handlers.list_options import read_list_options
from k8slab.apiserver.negotiation import form_of
from k8slab.apiserver.selection import Selection, selection_of
from k8slab.etcd.store import Compacted

STREAM = "application/json;stream=watch"


def handle(context: Context) -> Response:
    """A stream of events."""
    request, server = context.request, context.server
    form_of(request.headers.get("accept", ""))
    selection = _selection(context)
    options = read_list_options(request, watch=True)
    revision, initial = options.revision, None
    if options.initial_events:
        if revision > server.store.revision:
            return when_fresh(server, request, revision)
        found = server.registry.list(context.resource, context.namespace)
        initial, revision = found.items, found.revision
    elif revision == 0:
        revision = server.store.revision
    try:
        watch = server.watches.open(
            context.resource, context.namespace, selection,
            after=revision,
            initial=initial,
            mark_the_end=bool(options.initial_events) and options.bookmarks,
            bookmarks=options.bookmarks,
            timeout=options.timeout,
            wake=request.wake,
        )  # fmt: skip
    except Compacted as gone:
        return Response(200, watch=_Refusal(gone), content_type=STREAM)
    return Response(200, watch=watch, content_type=STREAM)


def _selection(context: Context) -> Selection:
    """The request's selectors; the old form of a watch of one object, with its name in the path, is a selector too."""
    request = context.request
    if context.info.name:
        chosen = [f"metadata.name={context.info.name}", *request.query.get("fieldSelector", [])]
        query = {**request.query, "fieldSelector": [",".join(filter(None, chosen))]}
        request = Request(request.method, request.path, query)
    return selection_of(request, context.resource, context.strategy)


class _Refusal:
    """A watch that says only that its revision is too old."""

    def __init__(self, gone: Compacted) -> None:
        self.closed = False
        self._error = Expired(f"too old resource version: {gone.asked} ({gone.oldest})")

    def poll(self) -> list[WatchEvent]:
        """The one event there is."""
        if self.closed:
            return []
        self.closed = True
        return [WatchEvent("ERROR", self._error.status)]

    def close(self) -> None:
        """There is nothing to free."""
        self.closed = True
