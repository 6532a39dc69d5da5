"""Protobuf bodies, as kubectl sends them.

kubectl writes what it creates as protobuf: the four bytes `k8s\\0`, then a message (runtime.Unknown) that says which kind
follows, then the object. Protobuf has no names, only numbers: which field of which message has which number is in
`protobuf_fields.json.gz`, read out of the kubectl binary by `scripts/protobuf_fields.py`. Nothing here is particular to
a kind.

What comes back is the object as kubectl would have written it in JSON: embedded messages lie flat in what embeds them,
bytes are base64, quantities and times are strings, and zeros that JSON leaves out are left out.

As in Go, a field that the table lacks is skipped, of a field that is given twice the last one counts, and two halves of
a message become one. Bytes that are no protobuf are a BadRequest in upstream's words.

Models: k8s.io/apimachinery/pkg/runtime/serializer/protobuf/protobuf.go, and the generated.pb.go of each type.
"""

from __future__ import annotations

import base64
import gzip
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import orjson

from k8slab.apimachinery.errors import BadRequest
from k8slab.apimachinery.protobuf_wire import BYTES, FIXED64, VARINT, Malformed, packed, signed, wire_fields
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.schema import definition_for
from k8slab.apimachinery.scheme import split_api_version

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
TABLE = Path(__file__).with_name("protobuf_fields.json.gz")
MAX_NESTED = 8
"""Envelopes within envelopes: a RawExtension may hold one."""


def decode(data: bytes, expected: str = "") -> JsonObject:
    """The object that a body holds, with `apiVersion` and `kind`; BadRequest where there is none.

    `expected` is the kind that the path takes: upstream names it when it can't tell what came.
    """
    try:
        api_version, kind, raw = _envelope(data)
    except Malformed as fault:
        if not expected:
            raise BadRequest(str(fault)) from None
        what = f"the object provided is unrecognized (must be of type {expected})"
        raise BadRequest(f"{what}: {fault} ({summary(data)})") from None
    try:
        return _object(api_version, kind, raw, 0)
    except Malformed as fault:
        version = split_api_version(api_version)[1]
        raise BadRequest(f'{kind} in version "{version}" cannot be handled as a {expected or kind}: {fault}') from None


def _envelope(data: bytes) -> tuple[str, str, bytes]:
    """apiVersion, kind and the bytes of the object."""
    if not data:
        raise Malformed("empty data")
    if not data.startswith(MAGIC):
        prefix = " ".join(map(str, MAGIC))
        raise Malformed(f"provided data does not appear to be a protobuf message, expected prefix [{prefix}]")
    names, raw = {1: b"", 2: b""}, b""
    for number, wire, value in wire_fields(data[len(MAGIC) :], "Unknown"):
        if number in ENVELOPE and wire != BYTES:
            raise Malformed(f"proto: wrong wireType = {wire} for field {ENVELOPE[number]}")
        if number == 1:
            for inner, inner_wire, text in wire_fields(value, "TypeMeta"):
                if inner in TYPE_META and inner_wire != BYTES:
                    raise Malformed(f"proto: wrong wireType = {inner_wire} for field {TYPE_META[inner]}")
                names[inner] = text
        elif number == 2:
            raw = value
    api_version, kind = names[1].decode(errors="replace"), names[2].decode(errors="replace")
    for missing, text in (("Kind", kind), ("apiVersion", api_version)):
        if not text:
            meta = f'runtime.TypeMeta{{APIVersion:"{api_version}", Kind:"{kind}"}}'
            raise Malformed(f"Object '{missing}' is missing in '{meta}'")
    return api_version, kind, raw


ENVELOPE = {1: "TypeMeta", 2: "Raw", 3: "ContentEncoding", 4: "ContentType"}
TYPE_META = {1: "APIVersion", 2: "Kind"}


def _object(api_version: str, kind: str, raw: bytes, nested: int) -> JsonObject:
    definition = definition_for(*split_api_version(api_version), kind)
    if definition is None or definition.name not in table():
        scheme = "pkg/api/legacyscheme/scheme.go:30"
        raise Malformed(f'no kind "{kind}" is registered for version "{api_version}" in scheme "{scheme}"')
    found: JsonObject = {"kind": kind, "apiVersion": api_version}
    message_named(definition.name).read(raw, found, nested)
    return found


def summary(data: bytes) -> str:
    """The beginning of a body, as upstream shows what it could not read."""
    if not data:
        return "<empty>"
    text = data[:30].decode(errors="replace") if data.startswith(b"{") else data[:30].hex()
    return text + (" ..." if len(data) > 30 else "")


# ---- messages

Reader = Callable[[Any, Any, int], Any]
"""A value off the wire, what was read of the field before (or None), and how deep envelopes are nested, as JSON."""


@dataclass(frozen=True, slots=True)
class ProtoField:
    """One field of a message."""

    json_name: str
    """Empty where the message is inlined."""
    shape: str
    """`` for one value, `[]` for a list, `{}` for a map."""
    wire: int
    read: Reader
    keep: bool
    """Whether JSON shows the value even where it is zero."""

    @property
    def go_name(self) -> str:
        """As error messages name it."""
        return self.json_name[:1].upper() + self.json_name[1:]


class Message:
    """How the bytes of one message become a JSON object."""

    def __init__(self, name: str, rows: dict[str, list[Any]]) -> None:
        self.name = name.rpartition(".")[2]
        self.fields = {int(number): _field(*row) for number, row in rows.items()}

    def read(self, data: bytes, into: JsonObject, nested: int) -> JsonObject:
        """Add what the bytes say to an object, and return it."""
        for number, wire, value in wire_fields(data, self.name):
            field = self.fields.get(number)
            if field is None:
                continue
            if field.shape == "{}":
                if wire != BYTES:
                    _wrong_wire(wire, field)
                key, item = self._entry(value, field, nested)
                into.setdefault(field.json_name, {})[key] = item
            elif field.shape == "[]":
                items = into.setdefault(field.json_name, [])
                if wire == BYTES != field.wire:  # numbers may come packed
                    items += [field.read(each, None, nested) for each in packed(value, field.wire)]
                elif wire == field.wire:
                    items.append(field.read(value, None, nested))
                else:
                    _wrong_wire(wire, field)
            elif wire != field.wire:
                _wrong_wire(wire, field)
            elif not field.json_name:
                field.read(value, into, nested)
            else:
                found = field.read(value, into.get(field.json_name), nested)
                if found is not None and (found or field.keep):
                    into[field.json_name] = found
                else:
                    into.pop(field.json_name, None)
        return into

    def _entry(self, data: bytes, field: ProtoField, nested: int) -> tuple[str, Any]:
        """A map's entry is a message of its own: 1 is the key, 2 the value."""
        key, raw = b"", b""
        for number, wire, value in wire_fields(data, self.name):
            if number in (1, 2) and wire != BYTES:
                _wrong_wire(wire, field)
            if number == 1:
                key = value
            elif number == 2:
                raw = value
        return key.decode(errors="replace"), field.read(raw, None, nested)


def _wrong_wire(wire: int, field: ProtoField) -> NoReturn:
    raise Malformed(f"proto: wrong wireType = {wire} for field {field.go_name}")


@cache
def table() -> dict[str, dict[str, list[Any]]]:
    """Message -> field number -> [JSON name, type, keep]. Read-only."""
    table: dict[str, dict[str, list[Any]]] = orjson.loads(gzip.decompress(TABLE.read_bytes()))
    return table


@cache
def message_named(name: str) -> Message:
    """A message by its OpenAPI name; KeyError where there is none."""
    return Message(name, table()[name])


def _field(json_name: str, kind: str, keep: int) -> ProtoField:
    shape = kind[:2] if kind[:2] in ("[]", "{}") else ""
    wire, read = SCALARS.get(kind.removeprefix(shape)) or (BYTES, _message_reader(kind.removeprefix(shape)))
    return ProtoField(json_name, shape, wire, read, bool(keep))


def _message_reader(name: str) -> Reader:
    def read(data: bytes, before: Any, nested: int) -> Any:
        return message_named(name).read(data, {} if before is None else before, nested)

    return read


# ---- values whose JSON is not that of their fields


def _numbered(data: bytes, message: str, wires: dict[int, int]) -> dict[int, Any]:
    """The last value of each of a small message's fields."""
    found = {}
    for number, wire, value in wire_fields(data, message):
        if number in wires:
            if wire != wires[number]:
                raise Malformed(f"proto: wrong wireType = {wire} for field {message}")
            found[number] = value
    return found


def _time(data: bytes, digits: int) -> str | None:
    """Seconds and nanoseconds since 1970 as RFC 3339; nothing at all is the zero time, which JSON leaves out."""
    if not data:
        return None
    parts = _numbered(data, "Timestamp", {1: VARINT, 2: VARINT})
    try:
        seconds, nanos = signed(parts.get(1, 0), 64), signed(parts.get(2, 0), 32)
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError:
        raise Malformed("Time.MarshalJSON: year outside of range [0,9999]") from None
    return when.isoformat(timespec="microseconds" if digits else "seconds").replace("+00:00", "Z")


def _quantity(data: bytes, before: Any, nested: int) -> str:
    text = _numbered(data, "Quantity", {1: BYTES}).get(1, b"").decode(errors="replace")
    return text or "0"


def _int_or_string(data: bytes, before: Any, nested: int) -> int | str:
    parts = _numbered(data, "IntOrString", {1: VARINT, 2: VARINT, 3: BYTES})
    if parts.get(1):
        return str(parts.get(3, b"").decode(errors="replace"))
    return signed(parts.get(2, 0), 32)


def _raw_json(data: bytes, before: Any, nested: int) -> Any:
    """A piece of JSON, or an object in an envelope of its own."""
    raw = _numbered(data, "Raw", {1: BYTES}).get(1, b"")
    if raw.startswith(MAGIC):
        if nested >= MAX_NESTED:
            raise Malformed("exceeded max depth")
        return _object(*_envelope(raw), nested + 1)
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError as fault:
        raise Malformed(str(fault)) from None


def _list(data: bytes, before: Any, nested: int) -> list[str]:
    """A list of strings as a map's value."""
    fields = wire_fields(data, "ExtraValue")
    return [value.decode(errors="replace") for number, wire, value in fields if number == 1 and wire == BYTES]


META, UTIL = "io.k8s.apimachinery.pkg.apis.meta.v1.", "io.k8s.apimachinery.pkg."
SCALARS: dict[str, tuple[int, Reader]] = {
    "bool": (VARINT, lambda number, before, nested: number != 0),
    "int32": (VARINT, lambda number, before, nested: signed(number, 32)),
    "int64": (VARINT, lambda number, before, nested: signed(number, 64)),
    "double": (FIXED64, lambda data, before, nested: struct.unpack("<d", data)[0]),
    "string": (BYTES, lambda data, before, nested: data.decode(errors="replace")),
    "bytes": (BYTES, lambda data, before, nested: base64.b64encode(data).decode()),
    "list": (BYTES, _list),
    META + "Time": (BYTES, lambda data, before, nested: _time(data, 0)),
    META + "MicroTime": (BYTES, lambda data, before, nested: _time(data, 6)),
    META + "FieldsV1": (BYTES, _raw_json),
    UTIL + "api.resource.Quantity": (BYTES, _quantity),
    UTIL + "util.intstr.IntOrString": (BYTES, _int_or_string),
    UTIL + "runtime.RawExtension": (BYTES, _raw_json),
}
