"""Owners that are known to be gone.

When a ReplicaSet goes, each of its Pods is looked at, and each time the question is the same: is the ReplicaSet there? The
server has said once that it is not, and a UID never comes back. So the answer is remembered, for the 500 owners that were
asked for last.

Models: pkg/controller/garbagecollector/uid_cache.go (ReferenceCache).
"""

from __future__ import annotations

from collections import OrderedDict

from k8slab.controllers.garbage_collector.graph import ObjectReference

SIZE = 500


class AbsentOwners:
    """The last so many owners of whom the server said that they are not there."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._known: OrderedDict[ObjectReference, None] = OrderedDict()

    def add(self, owner: ObjectReference) -> None:
        """The owner is not there, under that name and in that namespace."""
        self._known[owner] = None
        self._known.move_to_end(owner)
        if len(self._known) > self._size:
            self._known.popitem(last=False)

    def __contains__(self, owner: ObjectReference) -> bool:
        if owner not in self._known:
            return False
        self._known.move_to_end(owner)
        return True

    def __len__(self) -> int:
        return len(self._known)
