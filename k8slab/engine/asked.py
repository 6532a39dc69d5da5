"""A cluster as somebody asks for it: each argument of `Cluster(...)`, checked, and as a `Spec` has it.

Every function raises ValueError, in one sentence, for what makes no sense: what was asked, and what there is.

k8slab's own.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path

from k8slab.engine.candidates import ROLES
from k8slab.engine.controllers import INSIDE_OTHERS, REPLACEABLE
from k8slab.engine.spec import MakeComponent, OpenStore
from k8slab.etcd.kinds import KINDS, is_kind, open_store
from k8slab.etcd.store import Store
from k8slab.mistake import Mistake, check_choice

MAX_CANDIDATES = 9
MAX_NODES = 1000


def nodes(asked: int | Sequence[str]) -> tuple[str, ...]:
    """The names of the nodes, of which there may be none."""
    names = [f"node-{number}" for number in range(1, asked + 1)] if isinstance(asked, int) else list(asked)
    if not 0 <= len(names) <= MAX_NODES or (isinstance(asked, int) and asked < 0):
        raise Mistake(f"nodes={asked}: a cluster has 0 to {MAX_NODES} nodes")
    if len(set(names)) != len(names):
        raise Mistake(f"nodes={names}: two nodes have the same name")
    return tuple(names)


def mode(asked: str) -> str:
    """How time passes."""
    check_choice("mode", [asked], ("stepped", "live"))
    return asked


def runtime(asked: str) -> str:
    """What containers are."""
    check_choice("runtime", [asked], ("simulated", "docker", "auto"))
    return asked


def parts(replace: Mapping[str, MakeComponent], add: Mapping[str, MakeComponent]) -> dict[str, MakeComponent]:
    """A learner's own parts, by name: in the place of others, and beside them."""
    check_choice("controller to replace", replace, REPLACEABLE)
    if there := sorted(name for name in add if name in REPLACEABLE):
        raise Mistake(f"{there[0]!r} is there already: to stand in its place, say replace={{{there[0]!r}: ...}}")
    found = {**add, **replace}
    for name, make in found.items():
        _check_can_make(name, make)
    return found


def _check_can_make(name: str, make: MakeComponent) -> None:
    """Raises Mistake for what cannot be called as it will be."""
    if not callable(make):
        raise Mistake(f"{name!r}: {make!r} cannot be called; give a class, or a function that makes the component")
    if name in INSIDE_OTHERS:
        return  # called in other ways
    try:
        inspect.signature(make).bind(None, None, None, wake=None)
    except TypeError as error:
        called = getattr(make, "__name__", repr(make))
        raise Mistake(
            f"{name!r}: {called} is called as {called}(client, clock, chance, wake=...), and does not take that: {error}"
        ) from None
    except ValueError:
        pass  # it does not tell what it takes


def candidates(asked: Mapping[str, int]) -> dict[str, int]:
    """How many stand for what."""
    check_choice("role", asked, ROLES)
    for role, count in asked.items():
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_CANDIDATES:
            raise Mistake(f"candidates={{{role!r}: {count!r}}}: write a number from 1 to {MAX_CANDIDATES}")
    return dict(asked)


def store(asked: Store | str, directory: Path | None) -> Store | OpenStore | None:
    """The store, or how it is opened on a clock; None: the one in memory, which an engine has by itself."""
    if not isinstance(asked, str):
        return asked
    if not is_kind(asked):
        check_choice("store", [asked], KINDS)
    return None if asked == "memory" else lambda clock: open_store(asked, clock, directory)
