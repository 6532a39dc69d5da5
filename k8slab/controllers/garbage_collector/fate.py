"""What becomes of an object that has owners.

One owner that is there is enough to stay. With none, it goes. And where an owner waits for its dependents, it goes the same
way: its own dependents first.

    owners                          the object
    at least one is solid           stays; it stops naming the others
    none solid, one is waiting      goes in the foreground, if it has dependents itself
    otherwise                       goes, by the finalizers that it has already, else in the background

Models: pkg/controller/garbagecollector/garbagecollector.go (attemptToDeleteItem).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from k8slab.controllers.garbage_collector.graph import FOREGROUND, ORPHAN, Node, OwnerReference, State


@dataclass(slots=True)
class Owners:
    """The owners that an object names, by what the server says of each."""

    solid: list[OwnerReference] = field(default_factory=list)
    """They are there."""
    dangling: list[OwnerReference] = field(default_factory=list)
    """They are not there."""
    waiting: list[OwnerReference] = field(default_factory=list)
    """They are being deleted, and wait for their dependents to go first."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What is to be done with an object."""

    drop: tuple[str, ...] = ()
    """The UIDs of owners that it is to name no longer."""
    delete: str = ""
    """The propagation policy by which it goes: Foreground, Background or Orphan; empty: it stays."""
    unblock: bool = False
    """Whether its owners must not wait for it: objects that own each other in a ring would wait for ever."""


def fate_of(owners: Owners, finalizers: Collection[str], dependents: Collection[Node]) -> Fate:
    """What becomes of an object with these owners, finalizers and dependents of its own."""
    if owners.solid:
        return Fate(drop=_uids([*owners.dangling, *owners.waiting]))
    if owners.waiting and dependents:
        # As upstream: this sees rings where there are none, too. It does no harm.
        in_a_ring = any(each.state is State.DELETING_DEPENDENTS for each in dependents)
        return Fate(delete="Foreground", unblock=in_a_ring)
    if ORPHAN in finalizers:
        return Fate(delete="Orphan")
    return Fate(delete="Foreground" if FOREGROUND in finalizers else "Background")


def _uids(owners: Iterable[OwnerReference]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.uid for each in owners))
