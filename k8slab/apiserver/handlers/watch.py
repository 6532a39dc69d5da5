"""GET with watch=true: the changes from a revision on, told first, if the client wants, what there is.

`resourceVersion=n` goes on after n. Without one, or with 0, or with `sendInitialEvents`, the stream begins with what there
is, as ADDED events; after `sendInitialEvents` a bookmark says where that ends (WatchList).

Models: k8s.io/apiserver/pkg/endpoints/handlers/watch.go, pkg/apis/meta/internalversion/validation/validation.go.
"""

from __future__ import annotations

from k8slab.apimachinery.errors import Expired
from k8slab.apimachinery.rest import Request, Response, WatchEvent
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.handlers.list import invalid_options, parse_version, whole_number
from k8slab.apiserver.negotiation import form_of
from k8slab.apiserver.selection import Selection, selection_of
from k8slab.etcd.store import Compacted

STREAM = "application/json;stream=watch"


def handle(context: Context) -> Response:
    """A stream of events."""
    request, server = context.request, context.server
    form_of(request.headers.get("accept", ""))
    selection = _selection(context)
    revision = parse_version(request.param("resourceVersion"))
    initial_events = _wants_initial_events(request)
    initial = None
    if initial_events or (revision == 0 and not request.query.get("sendInitialEvents")):
        found = server.registry.list(context.resource, context.namespace)
        initial, revision = found.items, found.revision
    elif revision == 0:
        revision = server.store.revision
    try:
        watch = server.watches.open(
            context.resource, context.namespace, selection,
            after=revision,
            initial=initial,
            mark_the_end=initial_events and request.flag("allowWatchBookmarks"),
            bookmarks=request.flag("allowWatchBookmarks"),
            timeout=whole_number(request, "timeoutSeconds"),
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


def _wants_initial_events(request: Request) -> bool:
    """Whether the stream begins with what there is, and says where that ends. Raises Invalid."""
    asked = bool(request.query.get("sendInitialEvents"))
    match = request.param("resourceVersionMatch")
    if asked and match != "NotOlderThan":
        if not match:
            why = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            raise invalid_options("resourceVersionMatch", why)
        why = f'Unsupported value: "{match}": supported values: "NotOlderThan"'
        raise invalid_options("resourceVersionMatch", why)
    if match and not asked:
        why = "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        raise invalid_options("resourceVersionMatch", why)
    return request.flag("sendInitialEvents")


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
