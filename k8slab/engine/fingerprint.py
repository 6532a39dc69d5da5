"""The state of an engine in a few letters.

Two engines with the same fingerprint will do the same from here on: it covers the log, every cache and queue, what the loop
plans, and what runs in the containers. It looks at objects from outside, attribute by attribute, so that a component needs no
code for it, and a learner's own controller is covered like any other.

Left out is what cannot matter (locks, functions, clients, observers) and what only saves time (decoded objects).
k8slab's own.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import BuiltinFunctionType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

from pydantic import BaseModel

from k8slab.apimachinery.model import KubeObject
from k8slab.client.client import Client
from k8slab.clock import RealClock, SkewedClock, VirtualClock
from k8slab.engine.engine import Engine
from k8slab.loop.stepped import SteppedLoop
from k8slab.names import Chance
from k8slab.observer import Observer

IMMATERIAL = (
    FunctionType, MethodType, BuiltinFunctionType, ModuleType, Client, Chance, Observer, VirtualClock,
    RealClock, SkewedClock, type(threading.RLock()),
    type(threading.Lock()),
)  # fmt: skip
PLAIN = (str, bytes, int, float, bool, type(None))
SAVES_TIME = ("scores", "views", "_decoded", "_events", "instrument", "on_advance", "checkpoint", "_player")
"""Attributes that are worked out again when they are missing, or that belong to whoever watches."""


def fingerprint(engine: Engine) -> str:
    """The engine's state. Brings simulated containers up to the clock first, which changes nothing that anybody can see."""
    for runtime in engine.runtimes.values():
        runtime.list_containers()
    digest = hashlib.blake2b(digest_size=12)
    digest.update(engine.log_digest().encode())
    for part in _parts(engine):
        digest.update(part.encode())
    return digest.hexdigest()


def describe(engine: Engine) -> list[str]:
    """What the fingerprint is made of, part by part: to find out where two engines differ."""
    return list(_parts(engine))


def _parts(engine: Engine) -> Iterator[str]:
    yield f"now={engine.clock.now()!r}"
    assert isinstance(engine.loop, SteppedLoop), "a live cluster is never at rest"
    yield from _Walk().of("loop", engine.loop)
    for name in engine.loop.components:
        yield from _Walk().of(name, engine.loop.component(name))
    for name, line in sorted(engine.lines.items()):
        yield f"{name} line={line.cut} {line.latency} {line.failing} {line.slow is not None}"
    for node, runtime in engine.runtimes.items():
        yield from _Walk().of(node, runtime)


class _Walk:
    """One look at one object and all that it holds. What was met before is named by the number of its meeting."""

    def __init__(self) -> None:
        self._met: dict[int, int] = {}
        # An id counts only as long as its object lives.
        self._kept: list[Any] = []

    def of(self, name: str, value: Any) -> Iterator[str]:
        """The object, as lines of `path=value`."""
        if isinstance(value, PLAIN):
            yield f"{name}={value!r}"
        elif isinstance(value, Enum):
            yield f"{name}={value.name}"
        elif isinstance(value, KubeObject):
            # A view is a function of its object, which is in the log.
            yield f"{name}={type(value).__name__} {value.key} {value.uid} {value.metadata.resource_version}"
        elif isinstance(value, IMMATERIAL):
            return
        elif id(value) in self._met:
            yield f"{name}=#{self._met[id(value)]}"
        else:
            self._met[id(value)] = len(self._met)
            self._kept.append(value)
            yield from self._inside(name, value)

    def _inside(self, name: str, value: Any) -> Iterator[str]:
        if isinstance(value, Mapping):
            yield from self._each(name, value.items())
        elif isinstance(value, (list, tuple, deque)):
            yield from self._each(name, enumerate(value))
        elif isinstance(value, (set, frozenset)):
            yield f"{name}={sorted(map(repr, value))}"
        elif isinstance(value, GeneratorType):
            # A program that runs: where it is, and what it remembers.
            frame = value.gi_frame
            yield f"{name}={value.__name__} {frame.f_lasti if frame else 'ended'}"
            if frame is not None:
                yield from self._each(name, frame.f_locals.items())
        elif isinstance(value, BaseModel):
            yield f"{name}={value!r}"
        elif attributes := _attributes(value):
            yield from self._each(f"{name}:{type(value).__name__}", attributes.items())
        else:
            yield f"{name}={type(value).__name__} {_shown(value)}"

    def _each(self, name: str, items: Iterable[tuple[Any, Any]]) -> Iterator[str]:
        count = 0
        for key, value in items:
            count += 1
            yield from self.of(f"{name}.{key}", value)
        yield f"{name}#{count}"


def _attributes(value: Any) -> dict[str, Any]:
    """What an object of our own, or of a learner's, holds."""
    found = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        for name in getattr(kind, "__slots__", ()):
            if isinstance(name, str) and hasattr(value, name):
                found[name] = getattr(value, name)
    return {name: each for name, each in found.items() if name not in SAVES_TIME and not name.startswith("__")}


def _shown(value: Any) -> str:
    """The text of a counter, a date or the like; nothing that names an address."""
    text = repr(value)
    return "" if " at 0x" in text else text
