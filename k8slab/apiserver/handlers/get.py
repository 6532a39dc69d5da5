"""GET of one object, or of a part of it that is read like the object (status, finalize)."""

from __future__ import annotations

from k8slab.apimachinery.rest import Response
from k8slab.apiserver.handlers.context import Context


def handle(context: Context) -> Response:
    """The object. Raises NotFound."""
    return context.answer(context.server.registry.get(context.resource, context.namespace, context.info.name))
