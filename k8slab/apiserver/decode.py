"""From the bytes of a body to an object, and what is wrong with it.

kubectl sends JSON, YAML and protobuf. A component in the same process sends an object, which is checked like any other.
What the schema does not know is an error, a warning or ignored: the client says which (`fieldValidation`).

Models: k8s.io/apiserver/pkg/endpoints/handlers/create.go, rest.go (transformDecodeError), fieldmanager (strict errors).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
import yaml

from k8slab.apimachinery import protobuf
from k8slab.apimachinery.checker import REQUIRED, UNKNOWN, FieldError
from k8slab.apimachinery.decoding_faults import go_kind, json_fault, yaml_fault
from k8slab.apimachinery.duplicates import find_duplicate_fields, find_repeated_keys
from k8slab.apimachinery.errors import (
    ApiError,
    BadRequest,
    Cause,
    Invalid,
    RequestEntityTooLarge,
    UnsupportedMediaType,
    invalid,
)
from k8slab.apimachinery.rest import JsonObject, Request
from k8slab.apimachinery.schema import Definition, definition_for
from k8slab.apiserver.validation import LEFT_TO_THE_RULES

LEFT_OUT = (
    "A false or an empty text that a client sends (`hostNetwork: false`) is kept as it is; Go drops most of them.",
)

MAX_BODY = 3 * 1024 * 1024
JSON, YAML = "application/json", "application/yaml"
MEDIA_TYPES = (JSON, YAML, protobuf.MEDIA_TYPE)
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NO_KIND = "couldn't get version/kind; json parse error: "
TYPE_META = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
VALIDATIONS = ("", "Ignore", "Warn", "Strict")


def media_type(request: Request) -> str:
    """The body's content type without its parameters; JSON where the client does not say."""
    return request.headers.get("content-type", JSON).partition(";")[0].strip().lower() or JSON


def check_size(request: Request) -> None:
    """Raises RequestEntityTooLarge."""
    if isinstance(request.body, bytes) and len(request.body) > MAX_BODY:
        raise RequestEntityTooLarge(f"Request entity too large: limit is {MAX_BODY}")


def read_object(request: Request, kind: str, api_version: str) -> JsonObject:
    """The object in a body, private, with apiVersion and kind filled in. Raises BadRequest in upstream's words."""
    check_size(request)
    body = request.body
    if isinstance(body, dict):
        obj: Any = body
    else:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        obj = _parse(raw, media_type(request), kind)
    if not isinstance(obj, dict):
        raise _unrecognized(
            kind, raw, f"{NO_KIND}json: cannot unmarshal {go_kind(obj)} into Go value of type {TYPE_META}"
        )
    _check_type(obj, kind, api_version)
    meta = obj.get("metadata")
    if meta is None:
        obj["metadata"] = {}
    elif not isinstance(meta, dict):
        fault = f"json: cannot unmarshal {go_kind(meta)} into Go struct field {kind}.metadata of type v1.ObjectMeta"
        raise _not_a(kind, api_version, fault)
    return obj


def read_options(request: Request) -> JsonObject:
    """The DeleteOptions of a body; empty where there is none."""
    check_size(request)
    if not request.body:
        return {}
    if isinstance(request.body, dict):
        return request.body
    raw = request.body if isinstance(request.body, bytes) else orjson.dumps(request.body)
    options = _parse(raw, media_type(request), "DeleteOptions")
    if not isinstance(options, dict):
        why = f"{NO_KIND}json: cannot unmarshal {go_kind(options)} into Go value of type {TYPE_META}"
        raise _unrecognized("DeleteOptions", raw, why)
    if options.get("kind") not in (None, "", "DeleteOptions"):
        raise BadRequest(f"decoded object cannot be converted to DeleteOptions: {options.get('kind')}")
    definition = definition_for("", "v1", "DeleteOptions")
    faults = (
        [fault for fault in definition.check(options) if fault.kind not in (UNKNOWN, REQUIRED)] if definition else []
    )
    if faults:
        raise _not_a("DeleteOptions", "v1", faults[0].detail)
    return options


def read_patch(request: Request) -> Any:
    """The JSON or YAML of a patch. Raises BadRequest."""
    check_size(request)
    if not isinstance(request.body, bytes):
        return request.body
    return _json(request.body, "")


def read_configuration(request: Request, validation: str) -> tuple[JsonObject, list[str]]:
    """The YAML or JSON of an apply, private, and warnings of fields that are there twice. Raises BadRequest."""
    check_size(request)
    raw = request.body if isinstance(request.body, bytes) else orjson.dumps(request.body)
    try:
        found = orjson.loads(raw) if _is_compact(raw) else _yaml(raw)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, orjson.JSONEncodeError) as fault:
        raise BadRequest(f"error decoding YAML: error converting YAML to JSON: {yaml_fault(fault)}") from None
    if found is None:
        found = {}
    if not isinstance(found, dict):
        why = f"json: cannot unmarshal {go_kind(found)} into Go value of type map[string]interface {{}}"
        raise BadRequest(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {why}")
    twice = [] if validation == "Ignore" or _is_compact(raw) else find_repeated_keys(raw)
    warnings = [f"error converting YAML to JSON: {each}" for each in twice]
    if warnings and validation == "Strict":
        raise BadRequest(f"error strict decoding YAML: {warnings[0]}")
    return found, warnings


def check_schema(
    obj: JsonObject,
    definition: Definition | None,
    validation: str,
    raw: Any = None,
    known: JsonObject | None = None,
    refuse: Callable[[str], ApiError] | None = None,
) -> list[str]:
    """Check against the kind's schema, and drop what it does not know. Returns warnings.

    Raises BadRequest for what cannot be decoded and, with `Strict`, for unknown and duplicate fields; Invalid for missing
    required fields. `raw` is the body, where duplicates are looked for.
    What it shares with `known` was checked before, and is not looked at again. `refuse` makes the error of what is wrong, where
    it is not the BadRequest of a body.
    """
    if validation not in VALIDATIONS:
        raise Invalid.object(
            "CreateOptions", "meta.k8s.io", "",
            [Cause("fieldValidation", "FieldValueNotSupported",
                   f'Unsupported value: "{validation}": supported values: "Ignore", "Strict", "Warn"')],
        )  # fmt: skip
    if definition is None:
        return []
    kind, api_version = obj["kind"], obj["apiVersion"]
    fresh = obj if known is None else {key: value for key, value in obj.items() if value is not known.get(key)}
    faults = [fault for fault in definition.check(fresh) if fault.kind != REQUIRED or obj.get(fault.path) is None]
    wrong = [fault for fault in faults if fault.kind not in (UNKNOWN, REQUIRED)]
    if refuse is None:
        refuse = partial(_not_a, kind, api_version)
    if wrong:
        raise refuse(wrong[0].detail)
    strict = [fault.detail for fault in faults if fault.kind == UNKNOWN]
    if (
        isinstance(raw, bytes)
        and validation != "Ignore"
        and not raw.startswith(protobuf.MAGIC)
        and not _is_compact(raw)
    ):
        strict += find_duplicate_fields(raw)
    if strict and validation == "Strict":
        raise refuse("strict decoding error: " + ", ".join(strict))
    told = LEFT_TO_THE_RULES.get((api_version, kind), ())
    missing = [each for each in faults if each.kind == REQUIRED and each.path not in told and not _is_filled_in(each)]
    if missing:
        causes = [Cause(fault.path, "FieldValueRequired", fault.detail) for fault in missing]
        raise Invalid.object(kind, _group(api_version), obj["metadata"].get("name", ""), causes)
    # Most objects have nothing to drop; to look for a null in the bytes is the cheapest way to know.
    if faults or b"null" in orjson.dumps(fresh):
        pruned = definition.prune(obj)
        if pruned is not obj:
            obj.clear()
            obj.update(pruned)
    return [] if validation == "Ignore" else strict


def _is_compact(raw: bytes) -> bool:
    """Whether a body is, byte for byte, what it decodes to: then no field is there twice. Most clients' bodies are."""
    try:
        return orjson.dumps(orjson.loads(raw)) == raw.rstrip(b"\n")
    except (orjson.JSONDecodeError, TypeError, RecursionError):
        return False


def _is_filled_in(fault: FieldError) -> bool:
    """The server completes these itself, or its validation says more."""
    return not fault.path or fault.path.startswith(("status", "metadata"))


def _parse(raw: bytes, content_type: str, kind: str) -> Any:
    if content_type == protobuf.MEDIA_TYPE:
        return protobuf.decode(raw, kind)
    if content_type not in (JSON, YAML, "text/yaml", "application/x-yaml"):
        raise UnsupportedMediaType(
            "the body of the request was in an unknown format - accepted media types include: " + ", ".join(MEDIA_TYPES)
        )
    if content_type == JSON:
        return _json(raw, kind)
    try:
        return _yaml(raw)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, orjson.JSONEncodeError) as fault:
        raise _unrecognized(kind, raw, yaml_fault(fault)) from None


def _yaml(raw: bytes) -> Any:
    found = yaml.load(raw, Loader=LOADER)
    if _expanded_size(found, {}) > MAX_BODY:
        raise ValueError("document contains excessive aliasing")
    # As JSON says it: dates as text, and what an alias shares as copies.
    return orjson.loads(orjson.dumps(found))


def _expanded_size(value: Any, known: dict[int, int]) -> int:
    """How many values a document holds once its aliases are written out: a few lines of YAML can name a billion."""
    if not isinstance(value, (dict, list)):
        return 1
    if id(value) not in known:
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_expanded_size(each, known) for each in inner)
    return known[id(value)]


def _json(raw: bytes, kind: str) -> Any:
    try:
        return orjson.loads(raw)
    except (orjson.JSONDecodeError, RecursionError) as fault:
        why = json_fault(raw, fault)
        if not kind:
            raise BadRequest(f"error decoding patch: {why}") from None
        raise _unrecognized(kind, raw, NO_KIND + why) from None


def _check_type(obj: JsonObject, kind: str, api_version: str) -> None:
    found_version, found_kind = obj.get("apiVersion") or api_version, obj.get("kind") or kind
    if not isinstance(found_version, str) or not isinstance(found_kind, str):
        wrong = "apiVersion" if not isinstance(found_version, str) else "kind"
        found = go_kind(obj[wrong])
        why = f"{NO_KIND}json: cannot unmarshal {found} into Go struct field .{wrong} of type string"
        raise _unrecognized(kind, orjson.dumps(obj), why)
    if found_version != api_version:
        raise BadRequest(
            f"the API version in the data ({found_version}) does not match the expected API version ({api_version})"
        )
    if found_kind != kind:
        version = api_version.rpartition("/")[2]
        if definition_for(_group(api_version), version, kind) is None:  # a custom kind: its rules say so
            causes = [invalid("kind", found_kind, f"must be {kind}")]
            meta = obj.get("metadata")
            name = meta.get("name", "") if isinstance(meta, dict) else ""
            raise Invalid.object(kind, _group(api_version), name, causes)
        if definition_for(_group(api_version), version, found_kind) is None:
            why = f'no kind "{found_kind}" is registered for version "{api_version}" in scheme "k8slab"'
        else:
            why = f"converting ({version}.{found_kind}) to ({version}.{kind}): unknown conversion"
        raise BadRequest(f'{found_kind} in version "{version}" cannot be handled as a {kind}: {why}')
    obj["apiVersion"], obj["kind"] = api_version, kind


def _not_a(kind: str, api_version: str, why: str) -> BadRequest:
    version = api_version.rpartition("/")[2]
    return BadRequest(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')


def _unrecognized(kind: str, raw: bytes, why: str) -> BadRequest:
    shown = "<redacted>" if kind == "Secret" else protobuf.summary(raw)
    return BadRequest(f"the object provided is unrecognized (must be of type {kind}): {why} ({shown})")


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]
