"""PUT: the object as it should be, whole.

Models: k8s.io/apiserver/pkg/endpoints/handlers/update.go.
"""

from __future__ import annotations

from k8slab.apimachinery.rest import JsonObject, Response, copy_of
from k8slab.apiserver.decode import check_schema, read_object
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.handlers.writing import write


def handle(context: Context) -> Response:
    """The object as it is now. Raises NotFound, and Conflict for a stale resourceVersion."""
    obj = read_object(context.request, context.resource.kind, context.resource.api_version)
    context.warnings = check_schema(obj, context.definition, context.validation, context.request.body)

    def wish(old: JsonObject) -> JsonObject:
        wished: JsonObject = copy_of(obj)  # private for each try
        return wished

    return write(context, wish)
