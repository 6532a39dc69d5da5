"""Protobuf's wire format: fields without names.

A message is a sequence of fields. Each begins with a tag, which holds the field's number and one of six wire types, and
the wire type says how long the value is: so a reader can skip what it does not know. Numbers are written seven bits a
byte, the last byte without its top bit (varint).

Bytes that break these rules are `Malformed`, in the words of Kubernetes' generated decoders.

Models: the skip functions and Unmarshal methods of k8s.io/api/*/generated.pb.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

VARINT, FIXED64, BYTES, START_GROUP, END_GROUP, FIXED32 = range(6)


class Malformed(ValueError):
    """Bytes that are no protobuf; the text is upstream's."""


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of up to 64 bits, seven a byte, and where the next thing begins."""
    number = shift = 0
    while True:
        if shift >= 64:
            raise Malformed("proto: integer overflow")
        if at >= len(data):
            raise Malformed("unexpected EOF")
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number & (2**64 - 1), at
        shift += 7


def wire_fields(data: bytes, message: str) -> Iterator[tuple[int, int, Any]]:
    """The fields of a message in order: number, wire type, and an int (VARINT) or bytes (everything else)."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, wire = signed(tag >> 3, 32), tag & 7
        if wire == END_GROUP:
            raise Malformed(f"proto: {message}: wiretype end group for non-group")
        if number <= 0:
            raise Malformed(f"proto: {message}: illegal tag {number} (wire type {wire})")
        value, at = value_at(data, at, wire)
        yield number, wire, value


def value_at(data: bytes, at: int, wire: int) -> tuple[Any, int]:
    """The value that begins at a place, and where the next thing begins."""
    if wire == VARINT:
        return varint(data, at)
    if wire == START_GROUP:
        return b"", _after_group(data, at)
    if wire == BYTES:
        length, at = varint(data, at)
        if length >= 2**63:
            raise Malformed("proto: negative length found during unmarshaling")
    elif wire in (FIXED64, FIXED32):
        length = 8 if wire == FIXED64 else 4
    else:
        raise Malformed(f"proto: illegal wireType {wire}")
    if at + length > len(data):
        raise Malformed("unexpected EOF")
    return data[at : at + length], at + length


def _after_group(data: bytes, at: int) -> int:
    """Groups went out of use before Kubernetes was born, and are skipped, however deep."""
    depth = 1
    while depth:
        tag, at = varint(data, at)
        wire = tag & 7
        if wire == START_GROUP:
            depth += 1
        elif wire == END_GROUP:
            depth -= 1
        else:
            _, at = value_at(data, at, wire)
    return at


def signed(number: int, bits: int) -> int:
    """The low bits of a number, as a signed integer."""
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


def packed(data: bytes, wire: int) -> Iterator[Any]:
    """The numbers of a packed list."""
    at = 0
    while at < len(data):
        value, at = value_at(data, at, wire)
        yield value
