"""DELETE of a collection: each object that the selectors choose, one by one, in the order of a list.

It is a list first, with the options of one: `limit` deletes one piece. What comes back is that list: the objects as they were
when they were listed. The first object that cannot be deleted (a precondition, an admission plugin) ends it, with its error;
what was deleted before stays deleted.

Models: k8s.io/apiserver/pkg/endpoints/handlers/delete.go (DeleteCollection), pkg/registry/generic/registry/store.go.
"""

from __future__ import annotations

from contextlib import suppress

from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.rest import Response
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.handlers.delete import delete, options_of
from k8slab.apiserver.handlers.list import find, list_object
from k8slab.apiserver.handlers.list_options import read_list_options
from k8slab.apiserver.selection import selection_of


def handle(context: Context) -> Response:
    """The list of what was deleted, or is being deleted. Raises what a list or a deletion raises."""
    selection = selection_of(context.request, context.resource, context.strategy)
    list_options, options = read_list_options(context.request), options_of(context)
    found = find(context, selection, list_options)
    for obj in found.items:
        meta = obj["metadata"]
        with suppress(NotFound):
            delete(context, meta.get("namespace", ""), meta["name"], options)
    return context.answer(list_object(context, found, selection))
