"""How endpoints are spread over slices of a hundred.

A slice that changes is sent to every node of the cluster. So as few as possible should change when one Pod comes or goes:

1. what is there and still wanted stays where it is; what is no longer wanted is taken out, what has changed is put in place;
2. what is new goes first into slices that had to change anyway, the fullest first;
3. what is left goes into one that is unchanged, if all of it fits there; else into new ones.

Slices are not evened out: a service that shrinks may keep many small ones, until they are empty. What would be deleted is
filled anew where something is to be made. A Service without endpoints keeps one empty slice, which says: we have looked.

Models: k8s.io/endpointslice/reconciler.go (Reconcile, reconcileByPortMapping), utils.go (recycleSlices).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from k8slab.controllers.endpoints_of import Ports

MAX_ENDPOINTS = 100
"""In one slice."""

Endpoint = Mapping[str, Any]
Slice = list[Endpoint]


@dataclass(slots=True)
class Plan:
    """What is to be done with the slices of one Service."""

    change: dict[str, tuple[Ports, Slice]] = field(default_factory=dict)
    create: list[tuple[Ports, Slice]] = field(default_factory=list)
    delete: list[str] = field(default_factory=list)


def plan(existing: Mapping[str, tuple[Ports, Slice]], wanted: Mapping[Ports, Slice], most: int = MAX_ENDPOINTS) -> Plan:
    """The way from the slices that exist, by name, to the endpoints that are wanted, by their ports."""
    made = Plan(delete=[name for name, (ports, _) in existing.items() if ports not in wanted])
    for ports, endpoints in wanted.items():
        there = {name: content for name, (its_ports, content) in existing.items() if its_ports == ports}
        change, empty, new = pack(there, endpoints, most)
        made.change |= {name: (ports, content) for name, content in change.items()}
        made.delete += empty
        made.create += [(ports, content) for content in new]
    if not wanted:
        made.create = [((), [])]
    while made.create and made.delete:
        made.change[made.delete.pop(0)] = made.create.pop(0)
    made.change = {name: content for name, content in made.change.items() if content != existing[name]}
    return made


def pack(
    existing: Mapping[str, Sequence[Endpoint]], wanted: Sequence[Endpoint], most: int = MAX_ENDPOINTS
) -> tuple[dict[str, Slice], list[str], list[Slice]]:
    """(what slices should hold that have to change, which are to go, what new ones are to hold).

    `existing`: the slices' contents, by name. `wanted`: the endpoints; each is known by the UID of its Pod.
    """
    todo = {_id(each): each for each in wanted}
    kept: dict[str, Slice] = {}
    changed: dict[str, None] = {}
    for name, endpoints in existing.items():
        kept[name] = [new for each in endpoints if (new := todo.pop(_id(each), None)) is not None]
        if kept[name] != list(endpoints):
            changed[name] = None
    left = list(todo.values())

    for name in sorted(changed, key=lambda name: -len(kept[name])):
        room = most - len(kept[name])
        kept[name] += left[:room]
        left = left[room:]

    room_for_all = [name for name in kept if name not in changed and len(kept[name]) + len(left) <= most]
    if left and room_for_all:
        fullest = max(room_for_all, key=lambda name: len(kept[name]))
        kept[fullest] += left
        changed[fullest], left = None, []

    new_slices = [left[start : start + most] for start in range(0, len(left), most)]
    return (
        {name: kept[name] for name in changed if kept[name]},
        [name for name in changed if not kept[name]],
        new_slices,
    )


def _id(endpoint: Endpoint) -> str:
    return str((endpoint.get("targetRef") or {}).get("uid") or endpoint["addresses"][0])
