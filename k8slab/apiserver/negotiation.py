"""In which form the client wants the answer: the object, a Table, or its metadata only.

kubectl asks for tables (`as=Table`), garbage collectors for metadata (`as=PartialObjectMetadata`). What is stored is the
same; only its encoding differs, for lists, single objects and watch events alike.

Models: k8s.io/apiserver/pkg/endpoints/handlers/negotiation/negotiate.go, response.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from k8slab.apimachinery.errors import BadRequest, NotAcceptable
from k8slab.apimachinery.rest import JsonObject, Request, Response
from k8slab.apiserver.resources import ResourceInfo
from k8slab.apiserver.tables import partial_metadata, to_table

META_VERSION = "meta.k8s.io/v1"
ACCEPTED = ("application/json", "application/yaml", "application/*", "*/*", "")
INCLUDED = ("None", "Metadata", "Object")
FORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")


@dataclass(frozen=True, slots=True)
class Form:
    """What an Accept header came to."""

    kind: str = ""
    """Table, PartialObjectMetadata, PartialObjectMetadataList; empty: the object itself."""
    version: str = META_VERSION


@lru_cache(maxsize=256)
def form_of(accept: str) -> Form:
    """The first form of an Accept header that can be given. Raises NotAcceptable if none can."""
    for choice in accept.split(","):
        media, *parameters = (part.strip() for part in choice.split(";"))
        given = dict(parameter.partition("=")[::2] for parameter in parameters)
        if media not in ACCEPTED:
            continue
        if "as" not in given:
            return Form()
        if given["as"] in FORMS and given.get("g") == "meta.k8s.io" and given.get("v") in ("v1", "v1beta1"):
            return Form(given["as"], f"meta.k8s.io/{given['v']}")
    raise NotAcceptable("only the following media types are accepted: application/json, application/yaml")


def answer(request: Request, resource: ResourceInfo, obj: JsonObject, now: float, code: int = 200) -> Response:
    """An object or a list, in the form that the client asked for."""
    form = form_of(request.headers.get("accept", ""))
    if not form.kind:
        return Response(code, object=obj)
    items = obj.get("items")
    if form.kind == "Table":
        include = request.param("includeObject", "Metadata") or "Metadata"
        if include not in INCLUDED:
            raise BadRequest(f'unrecognized includeObject value: "{include}"')
        shown = to_table(
            resource, items if items is not None else [obj], now,
            include_object=include,
            list_meta=obj["metadata"] if items is not None else {"resourceVersion": obj["metadata"].get("resourceVersion", "")},
        )  # fmt: skip
        shown["apiVersion"] = form.version
        return Response(code, object=shown)
    if (items is None) == (form.kind == "PartialObjectMetadataList"):
        is_what = "is not a list type" if items is None else "is a list"
        go_type = f"*{resource.group.partition('.')[0] or 'core'}.{obj['kind']}"
        raise NotAcceptable(f"you requested {form.kind}, but the requested object {is_what} ({go_type})")
    if items is None:
        return Response(code, object=partial_metadata(obj, form.version))
    partial = [partial_metadata(item, form.version) for item in items]
    metadata = {"kind": "PartialObjectMetadataList", "apiVersion": form.version, "metadata": obj["metadata"]}
    return Response(code, object=metadata | {"items": partial})


class EventForm:
    """The same for the events of one watch."""

    def __init__(self, request: Request, resource: ResourceInfo) -> None:
        self._form = form_of(request.headers.get("accept", ""))
        self._include = request.param("includeObject", "Metadata")
        self._resource = resource
        self._columns_sent = False

    @property
    def plain(self) -> bool:
        """Whether events go out as they are."""
        return not self._form.kind

    def shown(self, type_: str, obj: JsonObject, now: float) -> JsonObject:
        """The object of an event, in the asked-for form."""
        if self.plain or type_ == "ERROR":
            return obj
        if self._form.kind != "Table":
            return partial_metadata(obj, self._form.version)
        if type_ == "BOOKMARK":
            return {"kind": "Table", "apiVersion": self._form.version, "metadata": obj["metadata"], "rows": []}
        with_columns, self._columns_sent = not self._columns_sent, True
        table = to_table(
            self._resource, [obj], now,
            include_object=self._include, list_meta={"resourceVersion": obj["metadata"].get("resourceVersion", "")},
            with_columns=with_columns,
        )  # fmt: skip
        return table | {"apiVersion": self._form.version}
