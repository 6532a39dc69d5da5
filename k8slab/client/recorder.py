"""Events: what a component tells the people who look, and why they are not flooded.

The same event again raises a count (`x3 over 2m`) instead of writing a new object. From the tenth different message of one
reason about one object on, they become one, `(combined from similar events): ...`, until ten minutes pass without any. And
no object gets more than 25 events at once, and one every five minutes after that. An event that cannot be written is lost:
nothing depends on events.

Models: k8s.io/client-go/tools/record (event.go, events_cache.go: EventCorrelator).
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from k8slab.apimachinery.errors import AlreadyExists, ApiError, NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource
from k8slab.client.client import Client
from k8slab.clock import Clock, to_rfc3339
from k8slab.names import fnv32a

log = logging.getLogger(__name__)
T = TypeVar("T")

EVENTS = Resource("", "v1", "events", "Event")
CACHE_SIZE = 4096
MAX_SIMILAR, SIMILAR_SECONDS = 10, 600.0
SPAM_BURST, SPAM_QPS = 25, 1 / 300
COMBINED = "(combined from similar events): "
NAME_TRIES = 16


@dataclass(slots=True)
class _Seen:
    """An event that was written. Its name is its object's, and the stamp."""

    stamp: int
    count: int = 1


@dataclass(slots=True)
class _Similar:
    """The messages of one reason about one object."""

    since: float
    messages: tuple[int, ...] = ()


@dataclass(slots=True)
class _Bucket:
    tokens: float
    since: float


class Subject(Protocol):
    """What an event can be about: any typed view, or whoever knows an object's name without having it."""

    @property
    def uid(self) -> str:
        """`metadata.uid`."""
        ...

    @property
    def key(self) -> str:
        """What tells it from others where it has no UID."""
        ...

    def reference(self) -> JsonObject:
        """An ObjectReference, for `involvedObject`."""
        ...


class EventRecorder:
    """Writes the events of one component. Safe to call from several threads."""

    def __init__(self, client: Client, clock: Clock, component: str, host: str = "") -> None:
        self._client, self._clock, self._component, self._host = client, clock, component, host
        self._lock = threading.Lock()
        self._number = fnv32a(f"{component}/{host}".encode()) & 0xFFFFF
        # Each the most recently used of so many; the last one is the newest.
        self._seen: dict[int, _Seen] = {}
        self._similar: dict[int, _Similar] = {}
        self._spam: dict[int, _Bucket] = {}

    def event(self, obj: Subject, type: str, reason: str, message: str, field_path: str = "") -> None:
        """Tell that something happened to an object. `type` is Normal or Warning. Never raises ApiError."""
        with self._lock:
            reference = obj.reference()
            if field_path:
                reference["fieldPath"] = field_path
            about = (obj.uid or obj.key, reference["kind"], field_path)
            if self._is_spam(_known_by(about)):
                return
            message, key = self._combined((*about, type, reason), message)
            try:
                self._write(reference, key, type, reason, message)
            except ApiError as error:
                log.debug("%s: event %s lost: %s", self._component, reason, error.message)

    def _write(self, reference: JsonObject, key: int, type_: str, reason: str, message: str) -> None:
        now = to_rfc3339(self._clock.now())
        namespace = reference.get("namespace") or "default"
        seen = self._seen.get(key)
        if seen is not None:
            try:
                patch = {"count": seen.count + 1, "lastTimestamp": now, "message": message}
                self._client.patch(EVENTS, _name(reference, seen.stamp), namespace, patch)
                seen.count += 1
                _remember(self._seen, key, seen)
                return
            except NotFound:
                del self._seen[key]  # its hour is over: the next one is a new one
        body: JsonObject = {
            "apiVersion": "v1",
            "kind": "Event",
            "involvedObject": reference,
            "reason": reason,
            "message": message,
            "source": {"component": self._component} | ({"host": self._host} if self._host else {}),
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": type_,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }
        for attempt in range(NAME_TRIES):
            # Taken, if this component was started again at the same moment: then by more and more names.
            stamp = self._stamp(2**attempt)
            metadata = {"name": _name(reference, stamp), "namespace": namespace}
            try:
                self._client.create(EVENTS, {**body, "metadata": metadata}, namespace)
            except AlreadyExists:
                continue
            _remember(self._seen, key, _Seen(stamp))
            return

    def _stamp(self, stride: int) -> int:
        """The time in nanoseconds; a number of our own keeps those of one moment apart."""
        self._number += stride
        return int(self._clock.now() * 1_000_000) * 1000 + self._number

    def _combined(self, about: Sequence[str], message: str) -> tuple[str, int]:
        """The message to write, and what counts as the same event."""
        now, all_of_them, this_one = self._clock.now(), _known_by(about), _known_by((*about, message))
        similar = self._similar.get(all_of_them)
        if similar is None or now - similar.since > SIMILAR_SECONDS:
            similar = _Similar(now)
        _remember(self._similar, all_of_them, similar)
        similar.since = now
        messages = similar.messages if this_one in similar.messages else (*similar.messages, this_one)
        if len(messages) < MAX_SIMILAR:
            similar.messages = messages
            return message, this_one
        similar.messages = tuple(each for each in similar.messages if each != this_one)
        return COMBINED + message, all_of_them

    def _is_spam(self, about: int) -> bool:
        now = self._clock.now()
        bucket = self._spam.get(about) or _Bucket(float(SPAM_BURST), now)
        bucket.tokens = min(float(SPAM_BURST), bucket.tokens + (now - bucket.since) * SPAM_QPS)
        bucket.since = now
        _remember(self._spam, about, bucket)
        if bucket.tokens < 1:
            return True
        bucket.tokens -= 1
        return False


def _name(reference: JsonObject, stamp: int) -> str:
    return f"{reference['name']}.{stamp:016x}"


def _known_by(words: Sequence[str]) -> int:
    """Words as a short key: the components of a large cluster remember a million events."""
    return int.from_bytes(hashlib.blake2b("\0".join(words).encode(errors="surrogatepass"), digest_size=7).digest())


def _remember(cache: dict[int, T], key: int, value: T) -> None:
    cache.pop(key, None)
    cache[key] = value
    if len(cache) > CACHE_SIZE:
        del cache[next(iter(cache))]
