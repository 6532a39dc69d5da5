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
from collections.abc import Iterable, Mapping
from enum import Enum
from types import BuiltinFunctionType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

from pydantic import BaseModel

from k8slab.apimachinery.model import KubeObject
from k8slab.apimachinery.scheme import Resource
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.watches import WatchHub
from k8slab.client.client import Client
from k8slab.client.line import Line
from k8slab.clock import RealClock, SkewedClock, VirtualClock
from k8slab.engine.engine import Engine
from k8slab.engine.instrument import Around
from k8slab.etcd.memory import MemoryStore
from k8slab.loop.stepped import SteppedLoop
from k8slab.names import Chance
from k8slab.observer import Observer

IMMATERIAL = (
    type, FunctionType, MethodType, BuiltinFunctionType, ModuleType, Client, Line, Registry, WatchHub, MemoryStore, Chance,
    Observer, VirtualClock, RealClock, SkewedClock, Resource, type(threading.RLock()), type(threading.Lock()),
)  # fmt: skip
"""What a part holds and is not made of: others, whose state is looked at by itself, and what has none."""
PLAIN = (str, bytes, int, float, bool, type(None))
NOT_STATE = (
    "scores", "_decoded", "_events", "_source",  # worked out again when missing
    "instrument", "on_advance", "checkpoint", "halt", "_player",  # of whoever watches and moves the loop
    "_components", "_store", "_log", "runtime", "_tags", "_view",  # looked at by themselves
    "measures", "attempts", "_added", "_began",  # only counted
)  # fmt: skip


def fingerprint(engine: Engine) -> str:
    """The engine's state. Brings simulated containers up to the clock first, which changes nothing that anybody can see."""
    for runtime in engine.runtimes.values():
        runtime.list_containers()
    digest = hashlib.blake2b(digest_size=12)
    digest.update(engine.log_digest().encode())
    digest.update("\n".join(_parts(engine, paths=False)).encode())
    return digest.hexdigest()


def describe(engine: Engine) -> list[str]:
    """What the fingerprint is made of, part by part: to find out where two engines differ."""
    return _parts(engine, paths=True)


def _parts(engine: Engine, paths: bool) -> list[str]:
    assert isinstance(engine.loop, SteppedLoop), "a live cluster is never at rest"
    lines = [f"now={engine.clock.now()!r}"]
    parts = [("loop", engine.loop), *((name, engine.loop.component(name)) for name in engine.loop.components)]
    for name, part in [*parts, *engine.runtimes.items()]:
        _Walk(lines, paths).of(name, part)
    for name, line in sorted(engine.processes.lines.items()):
        lines.append(f"{name} line={line.state}")
    return lines


class _Walk:
    """One look at one object and all that it holds, written to `lines` as `path=value`.

    What was met before is named by the number of its meeting. With `paths`, each line has the whole way to its value; without,
    only the last part, which is less work.
    """

    def __init__(self, lines: list[str], paths: bool) -> None:
        self._say, self._paths = lines.append, paths
        self._met: dict[int, int] = {}
        # An id counts only as long as its object lives.
        self._kept: list[Any] = []

    def of(self, name: str, value: Any) -> None:
        """Look at a value; through what an instrument has put around it."""
        while isinstance(value, Around):
            value = value.inside
        if isinstance(value, PLAIN):
            self._say(f"{name}={value!r}")
        elif isinstance(value, Enum):
            self._say(f"{name}={value.name}")
        elif isinstance(value, KubeObject):
            # A view is a function of its object, which is in the log.
            self._say(f"{name}={type(value).__name__} {value.key} {value.uid} {value.metadata.resource_version}")
        elif isinstance(value, IMMATERIAL):
            return
        elif id(value) in self._met:
            self._say(f"{name}=#{self._met[id(value)]}")
        else:
            self._met[id(value)] = len(self._met)
            self._kept.append(value)
            self._inside(name, value)

    def _inside(self, name: str, value: Any) -> None:
        if isinstance(value, Mapping):
            self._each(name, value.items())
        elif isinstance(value, (list, tuple, deque)):
            self._each(name, enumerate(value))
        elif isinstance(value, (set, frozenset)):
            self._say(f"{name}={sorted(map(repr, value))}")
        elif isinstance(value, GeneratorType):
            # A program that runs: where it is, and what it remembers.
            frame = value.gi_frame
            self._say(f"{name}={value.__name__} {frame.f_lasti if frame else 'ended'}")
            if frame is not None:
                self._each(name, frame.f_locals.items())
        elif isinstance(value, BaseModel):
            self._say(f"{name}={value!r}")
        elif attributes := _attributes(value):
            self._each(f"{name}:{type(value).__name__}", attributes.items())
        else:
            self._say(f"{name}={type(value).__name__} {_shown(value)}")

    def _each(self, name: str, items: Iterable[tuple[Any, Any]]) -> None:
        count = 0
        for key, value in items:
            count += 1
            self.of(f"{name}.{key}" if self._paths else str(key), value)
        self._say(f"{name}#{count}")


def _attributes(value: Any) -> dict[str, Any]:
    """What an object of our own, or of a learner's, holds."""
    found = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        for name in getattr(kind, "__slots__", ()):
            if isinstance(name, str) and hasattr(value, name):
                found[name] = getattr(value, name)
    return {name: each for name, each in found.items() if name not in NOT_STATE and not name.startswith("__")}


def _shown(value: Any) -> str:
    """The text of a counter, a date or the like; nothing that names an address."""
    text = repr(value)
    return "" if " at 0x" in text else text
