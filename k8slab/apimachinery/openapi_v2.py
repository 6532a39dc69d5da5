"""OpenAPI v2: the same as v3, in one document, for clients that know no better.

It is made from the documents of v3. Version 2 has no `anyOf`, `oneOf` or `not`, and no nulls; a body is a parameter among
others; and a reference may have words beside it.

Models: k8s.io/kube-openapi/pkg/handler, k8s.io/kube-openapi/pkg/openapiconv (the other way round).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from k8slab.apimachinery.openapi import COMPONENTS, JSON, VERSION
from k8slab.apimachinery.protobuf_wire import BYTES
from k8slab.apimachinery.rest import JsonObject

DEFINITIONS = "#/definitions/"
UNKNOWN_IN_V2 = ("anyOf", "oneOf", "not", "nullable")


def openapi_v2(documents: Iterable[JsonObject]) -> JsonObject:
    """The document of all groups, from those of each group and version."""
    paths: JsonObject = {}
    definitions: JsonObject = {}
    for document in documents:
        for name, schema in document["components"]["schemas"].items():
            if name not in definitions:
                definitions[name] = _schema(schema)
        paths |= {path: _item(item) for path, item in document["paths"].items()}
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": VERSION},
        "paths": dict(sorted(paths.items())),
        "definitions": dict(sorted(definitions.items())),
    }


def openapi_v2_in_protobuf() -> bytes:
    """As protobuf: what document it is, and nothing in it.

    kubectl asks for this one, and only for this form, where the documents of version 3 do not tell it that the server checks
    fields: before it sends a `List`, and for kinds that nobody serves. In an empty document it finds no schema, so it
    checks nothing itself, and sends each object to the server, which does.
    """
    return _text(1, b"2.0") + _text(2, _text(1, b"Kubernetes") + _text(2, VERSION.encode()))


def _text(number: int, value: bytes) -> bytes:
    """A short field of a protobuf message."""
    assert len(value) < 128  # then the length is one byte
    return bytes((number << 3 | BYTES, len(value))) + value


def _schema(schema: Mapping[str, Any]) -> JsonObject:
    found: JsonObject = {}
    for key, value in schema.items():
        if key in UNKNOWN_IN_V2:
            continue
        if key == "$ref":
            found[key] = DEFINITIONS + value.removeprefix(COMPONENTS)
        elif key == "allOf":
            # A reference with words beside it; of what else stands there v2 clients make nothing.
            for each in value:
                found |= _schema(each) if "$ref" in each else {}
        elif key == "properties":
            found[key] = {name: _schema(each) for name, each in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            found[key] = _schema(value)
        else:
            found[key] = value
    return found


def _item(item: JsonObject) -> JsonObject:
    found: JsonObject = {}
    for key, value in item.items():
        found[key] = [_parameter(each) for each in value] if key == "parameters" else _operation(value)
    return found


def _operation(operation: JsonObject) -> JsonObject:
    found = {key: value for key, value in operation.items() if key not in ("parameters", "requestBody", "responses")}
    parameters = [_parameter(each) for each in operation["parameters"]]
    body = operation.get("requestBody")
    if body is not None:
        types, [first, *_] = list(body["content"]), list(body["content"].values())
        parameters.append({"name": "body", "in": "body", "schema": _schema(first["schema"])})
        parameters[-1] |= {"required": True} if body.get("required") else {}
        found["consumes"] = types
    answers = {
        code: {"description": answer["description"], "schema": _schema(answer["content"][JSON]["schema"])}
        for code, answer in operation["responses"].items()
    }
    return found | {"parameters": parameters, "produces": [JSON], "responses": answers}


def _parameter(parameter: JsonObject) -> JsonObject:
    type_: JsonObject = parameter["schema"]
    return {key: value for key, value in parameter.items() if key != "schema"} | type_
