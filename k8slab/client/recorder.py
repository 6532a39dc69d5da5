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
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Protocol

from k8slab.apimachinery.errors import AlreadyExists, ApiError, NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource
from k8slab.client.client import Client
from k8slab.clock import Clock, to_rfc3339
from k8slab.names import fnv32a

log = logging.getLogger(__name__)

EVENTS = Resource("", "v1", "events", "Event")
CACHE_SIZE = 4096
MAX_SIMILAR, SIMILAR_SECONDS = 10, 600.0
SPAM_BURST, SPAM_QPS = 25, 1 / 300
COMBINED = "(combined from similar events): "
NAME_TRIES = 16


@dataclass(slots=True)
class _Seen:
    """An event that was written."""

    name: str
    namespace: str
    count: int = 1


@dataclass(slots=True)
class _Similar:
    """The messages of one reason about one object."""

    since: float
    messages: tuple[bytes, ...] = ()


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
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()
        self._similar: OrderedDict[bytes, _Similar] = OrderedDict()
        self._spam: OrderedDict[bytes, _Bucket] = OrderedDict()

    def event(self, obj: Subject, type: str, reason: str, message: str, field_path: str = "") -> None:
        """Tell that something happened to an object. `type` is Normal or Warning. Never raises ApiError."""
        with self._lock:
            reference = obj.reference()
            if field_path:
                reference["fieldPath"] = field_path
            about = _known_by(obj.uid or obj.key, reference["kind"], field_path)
            if self._is_spam(about):
                return
            message, key = self._combined(about + _known_by(type, reason), message)
            try:
                self._write(reference, key, type, reason, message)
            except ApiError as error:
                log.debug("%s: event %s lost: %s", self._component, reason, error.message)

    def _write(self, reference: JsonObject, key: bytes, type_: str, reason: str, message: str) -> None:
        now = to_rfc3339(self._clock.now())
        seen = self._seen.get(key)
        if seen is not None:
            try:
                patch = {"count": seen.count + 1, "lastTimestamp": now, "message": message}
                self._client.patch(EVENTS, seen.name, seen.namespace, patch)
                seen.count += 1
                self._seen.move_to_end(key)
                return
            except NotFound:
                del self._seen[key]  # its hour is over: the next one is a new one
        namespace = reference.get("namespace") or "default"
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
            name = self._name(reference, 2**attempt)
            try:
                self._client.create(EVENTS, {**body, "metadata": {"name": name, "namespace": namespace}}, namespace)
            except AlreadyExists:
                continue
            _remember(self._seen, key, _Seen(name, namespace))
            return

    def _name(self, reference: JsonObject, stride: int) -> str:
        """The object's name and the time in nanoseconds; a number of our own keeps those of one moment apart."""
        self._number += stride
        nanoseconds = int(self._clock.now() * 1_000_000) * 1000 + self._number
        return f"{reference['name']}.{nanoseconds:016x}"

    def _combined(self, about: bytes, message: str) -> tuple[str, bytes]:
        """The message to write, and what counts as the same event."""
        now, said = self._clock.now(), _known_by(message)
        similar = self._similar.get(about)
        if similar is None or now - similar.since > SIMILAR_SECONDS:
            similar = _Similar(now)
        _remember(self._similar, about, similar)
        similar.since = now
        messages = similar.messages if said in similar.messages else (*similar.messages, said)
        if len(messages) < MAX_SIMILAR:
            similar.messages = messages
            return message, about + said
        similar.messages = tuple(each for each in similar.messages if each != said)
        return COMBINED + message, about

    def _is_spam(self, about: bytes) -> bool:
        now = self._clock.now()
        bucket = self._spam.get(about) or _Bucket(float(SPAM_BURST), now)
        bucket.tokens = min(float(SPAM_BURST), bucket.tokens + (now - bucket.since) * SPAM_QPS)
        bucket.since = now
        _remember(self._spam, about, bucket)
        if bucket.tokens < 1:
            return True
        bucket.tokens -= 1
        return False


def _known_by(*words: str) -> bytes:
    """Words as a short key: a component remembers thousands of events."""
    return hashlib.blake2b("\0".join(words).encode(errors="surrogatepass"), digest_size=8).digest()


def _remember(cache: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > CACHE_SIZE:
        cache.popitem(last=False)
