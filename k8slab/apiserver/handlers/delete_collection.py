"""DELETE of a collection: each object that the selectors choose, one by one.

Models: k8s.io/apiserver/pkg/registry/generic/registry/store.go (DeleteCollection).
"""

from __future__ import annotations

from contextlib import suppress

from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.rest import Response
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.handlers.delete import delete, options_of
from k8slab.apiserver.selection import selection_of


def handle(context: Context) -> Response:
    """The list of what was deleted, or is being deleted."""
    options = options_of(context)
    selection = selection_of(context.request, context.resource, context.strategy)
    found = context.server.registry.list(context.resource, context.namespace)
    items = []
    for obj in found.items:
        if selection.matches(obj):
            meta = obj["metadata"]
            with suppress(NotFound):
                items.append(delete(context, meta.get("namespace", ""), meta["name"], options)[1])
    resource = context.resource
    meta = {"resourceVersion": str(context.server.store.revision)}
    whole = {"kind": resource.kind_of_list, "apiVersion": resource.api_version, "metadata": meta, "items": items}
    return context.answer(whole)
