"""A list that goes out as it is stored: bytes joined with commas.

A list of ten thousand Pods is twenty megabytes. Whoever asks for all of them over the wire, as they are, gets the stored bytes
of each with its resourceVersion put in; nothing is decoded. Who asks in another form, or by selectors, or from the same
process, gets decoded objects, as `handlers/list.py` makes them.

k8slab's own; upstream decodes what its cache holds in another encoding, and encodes it once for all who ask.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import orjson

from k8slab.apimachinery.rest import JsonObject, Response
from k8slab.etcd.store import Entry

_HEAD = re.compile(rb'\{(?:"(?:kind|apiVersion)":"[^"]*",)*"metadata":\{(?=")')
"""How nearly all stored objects begin: up to the first field of the metadata."""


class StoredList(Response):
    """The answer to a list: `head` is the List object without its items."""

    def __init__(self, head: JsonObject, entries: Sequence[Entry]) -> None:
        self._head, self._entries = head, entries
        super().__init__(200)

    @property
    def object(self) -> JsonObject | None:
        """The same, decoded: for those in this process who want to look."""
        loaded: JsonObject = orjson.loads(self.payload())
        return loaded

    @object.setter
    def object(self, value: JsonObject | None) -> None:
        """Nobody sets it but the constructor of every response."""

    def payload(self) -> bytes:
        """The bytes to put on the wire."""
        head = orjson.dumps(self._head)[:-1]
        return b"".join((head, b',"items":[', b",".join(map(spliced, self._entries)), b"]}"))


def spliced(entry: Entry) -> bytes:
    """An entry's object with its resourceVersion, as JSON."""
    value = entry.value
    assert value is not None, "a deletion is not listed"
    head = _HEAD.match(value)
    if head is not None:
        return b'%b"resourceVersion":"%d",%b' % (head[0], entry.revision, value[head.end() :])
    loaded = orjson.loads(value)
    loaded["metadata"]["resourceVersion"] = str(entry.revision)
    return orjson.dumps(loaded)
