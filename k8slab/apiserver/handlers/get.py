"""GET of one object, or of a part of it that is read like the object (status, finalize).

`resourceVersion=n` means: not older than n. What is shown is always the newest.
"""

from __future__ import annotations

from k8slab.apimachinery.rest import Response
from k8slab.apiserver.freshness import when_fresh
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.handlers.list_options import parse_version


def handle(context: Context) -> Response:
    """The object. Raises NotFound, BadRequest, Timeout."""
    server = context.server
    revision = parse_version(context.request.param("resourceVersion"))
    if revision > server.store.revision:
        return when_fresh(server, context.request, revision)
    return context.answer(server.registry.get(context.resource, context.namespace, context.info.name))
