"""Read the protobuf field numbers of Kubernetes' types out of a kubectl binary.

kubectl sends many of its request bodies as protobuf, and nothing that a server publishes says which number a field has.
But Go keeps every struct's tags for its reflection, in stripped binaries too:

    Replicas *int32 `json:"replicas,omitempty" protobuf:"varint,1,opt,name=replicas"`

So this script walks the type descriptors of the installed kubectl (an ELF file of a 64-bit, little-endian machine), keeps
the API's structs, and writes one compact table: message -> field number -> (JSON name, type, keep). It is to be run anew
when kubectl is bumped:

    python scripts/protobuf_fields.py [--kubectl PATH] [--output FILE]

Layout of the descriptors: go/src/internal/abi/type.go (Type, StructType, UncommonType, Name).
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import shutil
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

OUTPUT = Path(__file__).parent.parent / "k8slab" / "apimachinery" / "protobuf_fields.json.gz"

BOOL, INT32, INT64, UINT8, FLOAT64, MAP, POINTER, SLICE, STRING, STRUCT = 1, 5, 6, 8, 14, 21, 22, 23, 24, 25
SCALARS = {BOOL: "bool", INT32: "int32", INT64: "int64", FLOAT64: "double", STRING: "string"}
COMPOSITE = (17, 18, 19, 20, MAP, POINTER, SLICE, STRUCT)  # what a typelink may point to
NAMED = 4  # abi.TFlagNamed
TYPE_SIZE, STRUCT_SIZE, FIELD_SIZE = 48, 80, 24

PACKAGES = re.compile(
    r"k8s\.io/(api/[a-z]+/v[a-z0-9]+|apimachinery/pkg/(apis/meta/v1|api/resource|runtime|util/intstr))"
)
# Their JSON is not that of their fields; `k8slab/apimachinery/protobuf.py` knows each of them.
SPECIAL = {"Quantity", "Time", "MicroTime", "IntOrString", "RawExtension", "FieldsV1"}


class Elf:
    """The loaded sections of an ELF file."""

    def __init__(self, content: bytes) -> None:
        if content[:6] != b"\x7fELF\x02\x01":
            sys.exit("not a 64-bit little-endian ELF file: run this on Linux, with a Linux kubectl")
        self.content = content
        (table,) = struct.unpack_from("<Q", content, 40)
        entry, count, names = struct.unpack_from("<HHH", content, 58)
        headers = [struct.unpack_from("<IIQQQQ", content, table + i * entry) for i in range(count)]
        strings = headers[names][4]
        self.sections: dict[str, tuple[int, int, int]] = {}
        """Name to (address, offset in the file, size)."""
        for name, _, _, address, offset, size in headers:
            end = content.index(b"\0", strings + name)
            self.sections[content[strings + name : end].decode()] = (address, offset, size)
        self.rodata = self.sections[".rodata"]

    def section(self, name: str) -> bytes:
        """A section's bytes."""
        _, offset, size = self.sections[name]
        return self.content[offset : offset + size]

    def offset(self, address: int) -> int:
        """Where in the file the bytes at an address of the read-only data are."""
        start, offset, size = self.rodata
        if not start <= address < start + size:
            raise ValueError(hex(address))
        return address - start + offset


@dataclass(frozen=True)
class GoField:
    """One field of a struct."""

    name: str
    tag: str
    type: int
    """Address of the descriptor of its type."""


class GoTypes:
    """The type descriptors of a Go binary, by address."""

    def __init__(self, elf: Elf) -> None:
        self.elf = elf
        links = elf.section(".typelink")
        self.links = struct.unpack(f"<{len(links) // 4}i", links)
        module = elf.section(".go.module")
        words = struct.unpack(f"<{len(module) // 8}Q", module)
        # One word of the module's table is the address that all type offsets count from.
        self.base = next(word for word in words if self._is_base(word))

    def _is_base(self, address: int) -> bool:
        try:
            return all(self.kind(address + link) in COMPOSITE for link in self.links[:200])
        except ValueError:
            return False

    def kind(self, address: int) -> int:
        """The reflect.Kind of a type."""
        return self.elf.content[self.elf.offset(address) + 23] & 31

    def named(self, address: int) -> bool:
        """Whether a type has a name of its own."""
        return bool(self.elf.content[self.elf.offset(address) + 20] & NAMED)

    def element(self, address: int, which: int = 0) -> int:
        """What a pointer points to, what a slice holds; of a map, 0 is the key and 1 the value."""
        return self._word(address + TYPE_SIZE + 8 * which)

    def fields(self, address: int) -> list[GoField]:
        """The fields of a struct."""
        start, count = self._word(address + TYPE_SIZE + 8), self._word(address + TYPE_SIZE + 16)
        found = []
        for at in range(start, start + count * FIELD_SIZE, FIELD_SIZE):
            name, tag = self._name(self._word(at))
            found.append(GoField(name, tag, self._word(at + 8)))
        return found

    def name(self, address: int) -> tuple[str, str]:
        """Package path and name of a named type."""
        (text,) = struct.unpack_from("<i", self.elf.content, self.elf.offset(address) + 40)
        extra = STRUCT_SIZE if self.kind(address) == STRUCT else TYPE_SIZE + 8
        (package,) = struct.unpack_from("<i", self.elf.content, self.elf.offset(address) + extra)
        return self._name(self.base + package)[0], self._name(self.base + text)[0].rpartition(".")[2]

    def _word(self, address: int) -> int:
        (word,) = struct.unpack_from("<Q", self.elf.content, self.elf.offset(address))
        return int(word)

    def _name(self, address: int) -> tuple[str, str]:
        """An abi.Name as (name, tag)."""
        at = self.elf.offset(address)
        has_tag = self.elf.content[at] & 2
        name, at = self._text(at + 1)
        return name, self._text(at)[0] if has_tag else ""

    def _text(self, at: int) -> tuple[str, int]:
        length, shift = 0, 0
        while True:
            byte = self.elf.content[at]
            at += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return self.elf.content[at : at + length].decode(), at + length


def structs(types: GoTypes) -> Iterator[int]:
    """The addresses of all named structs that any other type mentions."""
    seen: set[int] = set()
    todo = [types.base + link for link in types.links]
    while todo:
        address = todo.pop()
        if address in seen:
            continue
        seen.add(address)
        kind = types.kind(address)
        if kind in (POINTER, SLICE):
            todo.append(types.element(address))
        elif kind == MAP:
            todo += [types.element(address), types.element(address, 1)]
        elif kind == STRUCT:
            todo += [each.type for each in types.fields(address)]
            if types.named(address):
                yield address


def openapi_name(package: str, name: str) -> str:
    """`k8s.io/api/core/v1`, `Pod` as io.k8s.api.core.v1.Pod."""
    return "io." + package.replace("k8s.io/", "k8s.").replace("/", ".") + "." + name


class Messages:
    """The table of messages, as it is written."""

    def __init__(self, types: GoTypes) -> None:
        self.types = types
        self.name = cache(types.name)

    def table(self) -> dict[str, dict[str, list[object]]]:
        """Message -> field number -> [JSON name ('' if inlined), type, keep zero]."""
        found = {}
        for address in structs(self.types):
            package, name = self.name(address)
            if PACKAGES.fullmatch(package) and name not in SPECIAL:
                fields = dict(filter(None, map(self.field, self.types.fields(address))))
                if fields or all(each.tag == "" for each in self.types.fields(address)):
                    found[openapi_name(package, name)] = fields
        return {name: found[name] for name in self.reachable(found)}

    def reachable(self, found: dict[str, dict[str, list[object]]]) -> list[str]:
        """The kinds, and what they hold; lists are never sent."""
        kinds = [name for name, fields in found.items() if _metadata(fields) == ["metadata", ".ObjectMeta"]]
        todo, seen = [*kinds, *(name for name in found if name.endswith(".DeleteOptions"))], set()
        while todo:
            name = todo.pop()
            if name in found and name not in seen:
                seen.add(name)
                todo += [re.sub(r"^(\[\]|\{\})", "", str(field[1])) for field in found[name].values()]
        return sorted(seen)

    def field(self, field: GoField) -> tuple[str, list[object]] | None:
        """One row, or None for a field that is not sent."""
        protobuf = re.search(r'protobuf:"([^"]*)"', field.tag)
        json_tag = re.search(r'json:"([^"]*)"', field.tag)
        if not protobuf or not json_tag:
            return None
        name, *options = json_tag[1].split(",")
        kind = self.types.kind(field.type)
        # gogo always writes what is not a pointer; JSON then leaves out zeros (omitempty), but structs only if told so.
        optional = "omitzero" if kind == STRUCT else "omitempty"
        keep = kind == POINTER or not {optional, "omitzero"} & set(options)
        return protobuf[1].split(",")[1], ["" if "inline" in options else name, self.type(field.type), int(keep)]

    def type(self, address: int) -> str:
        """A type: a scalar's name, `bytes`, a message's name, `[]` or `{}` and what it holds."""
        kind = self.types.kind(address)
        if kind in SCALARS:
            return SCALARS[kind]
        if kind == POINTER:
            return self.type(self.types.element(address))
        if kind == STRUCT:
            return openapi_name(*self.name(address))
        if kind == MAP:
            value = self.types.element(address, 1)
            # A list can't be a map's value: it becomes a message whose field 1 is the list.
            return "{}" + ("list" if self.types.kind(value) == SLICE and self.types.named(value) else self.type(value))
        element = self.types.element(address)
        return "bytes" if self.types.kind(element) == UINT8 else "[]" + self.type(element)


def _metadata(fields: dict[str, list[object]]) -> list[object]:
    for name, kind, _ in fields.values():
        if name == "metadata":
            return [name, "." + str(kind).rpartition(".")[2]]
    return []


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kubectl", type=Path, default=Path(sys.executable).parent / "kubectl")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    kubectl = options.kubectl if options.kubectl.exists() else Path(shutil.which("kubectl") or options.kubectl)
    table = Messages(GoTypes(Elf(kubectl.read_bytes()))).table()
    text = json.dumps(table, separators=(",", ":"), sort_keys=True)
    options.output.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{len(table)} messages, {options.output.stat().st_size} bytes: {options.output.name}")


if __name__ == "__main__":
    main()
