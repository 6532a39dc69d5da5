"""etcd's messages in JSON, and what a store says in their place.

Keys and values are in base64, numbers are text, and what is empty is left out.

Models: etcd's api/etcdserverpb/rpc.proto, api/mvccpb/kv.proto.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from k8slab.etcd.store import Delete, Entry, Expect, Put

Message = dict[str, Any]


def text(key: str) -> str:
    """A key or a text value."""
    return b64encode(key.encode()).decode()


def coded(value: bytes) -> str:
    """A value."""
    return b64encode(value).decode()


def decoded(value: str) -> bytes:
    """The bytes of a value; empty fields are left out of messages."""
    return b64decode(value)


def whole_range(prefix: str) -> Message:
    """All keys under a prefix, or all there are."""
    if not prefix:
        return {"key": coded(b"\0"), "range_end": coded(b"\0")}
    key = prefix.encode()
    return {"key": coded(key), "range_end": coded(key[:-1] + bytes([key[-1] + 1]))}


def compare(guard: Expect) -> Message:
    """A guard, as etcd compares."""
    return {"key": text(guard.key), "target": "MOD", "result": "EQUAL", "mod_revision": str(guard.revision)}


def operation(change: Put | Delete) -> Message:
    """A change, as etcd makes it."""
    if isinstance(change, Delete):
        return {"request_delete_range": {"key": text(change.key)}}
    put = {"key": text(change.key), "value": coded(change.value)}
    return {"request_put": put | ({"lease": str(change.lease)} if change.lease else {})}


def changed(response: Message) -> bool:
    """Whether an operation changed anything: deleting what is not there does not."""
    return "response_put" in response or "deleted" in response.get("response_delete_range", {})


def change(event: Message) -> Put | Delete:
    """An event of a watch, as a change."""
    pair = event["kv"]
    key = decoded(pair["key"]).decode()
    if event.get("type") == "DELETE":
        return Delete(key)
    return Put(key, decoded(pair.get("value", "")), int(pair.get("lease", 0)))


def entry_of(pair: Message) -> Entry:
    """A key and its value, as a log entry."""
    return Entry(
        decoded(pair["key"]).decode(),
        decoded(pair.get("value", "")),
        int(pair["mod_revision"]),
        int(pair["create_revision"]),
        int(pair["version"]),
        int(pair.get("lease", 0)),
    )


def revision_of(message: Message) -> int:
    """etcd's revision, as an answer tells it."""
    return int(message["header"].get("revision", 0))
