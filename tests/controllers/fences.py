"""A watcher of rollouts: it looks at every revision of the log, and notes each that breaks a fence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Pod
from k8slab.controllers.deployment.fences import Fences, fences
from k8slab.controllers.deployment.revisions import DESIRED, MAXIMUM
from k8slab.controllers.pod_ranking import is_available
from k8slab.etcd.store import Entry

KINDS = {kind.resource.plural: kind for kind in (Deployment, ReplicaSet, Pod)}


@dataclass
class FenceWatcher:
    """Follows one Deployment, `web`. `broken` says which law was broken at which revision, and how.

    What counts is what the controllers may still believe. A spec of the Deployment is *in play* from when it is written until
    a later one has reached everybody: the Deployment's `observedGeneration` and those of all its ReplicaSets say so.
    """

    clock: Any
    broken: list[str] = field(default_factory=list)
    in_play: dict[int, Fences] = field(default_factory=dict)
    shared_out: float = float("inf")
    """How few were promised to stay when a scaling was last shared out; infinity once that is made good."""
    deployment: Deployment | None = None
    sets: dict[str, ReplicaSet] = field(default_factory=dict)
    sizes: dict[str, dict[int, int]] = field(default_factory=dict)
    """The sizes of each ReplicaSet that its controller may still believe, by generation."""
    pods: dict[str, Pod] = field(default_factory=dict)

    def look(self, entries: list[Entry]) -> None:
        """To be called with each piece of the log."""
        for entry in entries:
            _, _, rest = entry.key.partition("/registry/")
            kind = KINDS.get(rest.split("/")[0])
            if kind is not None:
                self._look_at(kind, entry)

    def _look_at(self, kind: Any, entry: Entry) -> None:
        before = self.total, self.promised, self.active, self.available
        previous = self.sets.get(entry.key)
        self._take(kind, entry)
        total, promised, active, available = self.total, self.promised, self.active, self.available
        maximum = max((each.maximum for each in self.in_play.values()), default=0)
        minimum = min((each.minimum for each in self.in_play.values()), default=0)
        if kind is ReplicaSet and total > before[0] and total > maximum:
            self._note(entry, f"{total} Pods are ordered, and {maximum} are allowed")
        if kind is ReplicaSet and promised < before[1]:
            rs = self.sets.get(entry.key)
            if previous and rs and _share(previous) != _share(rs):
                self.shared_out = min(self.shared_out, promised)
            elif promised < min(minimum, self.shared_out):
                self._note(entry, f"{promised} available Pods are to stay, and {minimum} are needed")
        if kind is Pod and available < before[3] and available < min(minimum, self.shared_out):
            self._note(entry, f"{available} Pods are available, and {minimum} are needed")
        if kind is Pod and active > before[2]:
            self._check_size(entry)
        if self.at_rest:
            self.in_play = {self.deployment.metadata.generation: self.limits} if self.deployment else {}
            if promised >= self.limits.minimum:
                self.shared_out = float("inf")

    def _check_size(self, entry: Entry) -> None:
        """Whether the ReplicaSet of a new Pod has more of them now than were ordered."""
        owner = self.pods[entry.key].metadata.controller
        for key, rs in self.sets.items():
            count, allowed = len(self._pods_of(rs)), max(self.sizes[key].values())
            if owner is not None and rs.uid == owner.uid and count > allowed:
                self._note(entry, f"{count} Pods of {rs.name}, and {allowed} were ordered")

    def _take(self, kind: Any, entry: Entry) -> None:
        obj = None
        if entry.value is not None:
            obj = kind.model_validate(orjson.loads(entry.value))
        if kind is Deployment:
            self.deployment = obj
            if obj is not None:
                self.in_play[obj.metadata.generation] = self.limits
            return
        table: dict[str, Any] = self.sets if kind is ReplicaSet else self.pods
        if obj is None:
            table.pop(entry.key, None)
            return
        table[entry.key] = obj
        if kind is ReplicaSet:
            known = self.sizes.setdefault(entry.key, {})
            known[obj.metadata.generation] = obj.spec.replicas
            self.sizes[entry.key] = {at: size for at, size in known.items() if at >= obj.status.observed_generation}

    def _note(self, entry: Entry, what: str) -> None:
        sizes = {rs.name: (rs.spec.replicas, rs.status.available_replicas) for rs in self.sets.values()}
        self.broken.append(f"revision {entry.revision}, {entry.key}: {what}; {sizes}")

    @property
    def limits(self) -> Fences:
        assert self.deployment is not None
        spec = self.deployment.spec
        return fences(spec.strategy.type, spec.strategy.rolling_update, spec.replicas)

    @property
    def total(self) -> int:
        """How many Pods the ReplicaSets should have, all together."""
        return sum(rs.spec.replicas for rs in self.sets.values())

    @property
    def active(self) -> int:
        """How many Pods there are that neither end nor have ended."""
        return sum(1 for pod in self.pods.values() if pod.active)

    @property
    def available(self) -> int:
        """How many of them are available."""
        return sum(self._available(rs) for rs in self.sets.values())

    @property
    def promised(self) -> int:
        """How many available ones are left when every ReplicaSet has deleted what it has too many, unavailable ones first."""
        return sum(min(rs.spec.replicas, self._available(rs)) for rs in self.sets.values())

    @property
    def at_rest(self) -> bool:
        """Whether everybody has seen the latest spec of what is theirs."""
        seen = [*self.sets.values(), *([self.deployment] if self.deployment else [])]
        return all(each.status.observed_generation >= each.metadata.generation for each in seen)

    def _pods_of(self, rs: ReplicaSet) -> list[Pod]:
        owned = (pod for pod in self.pods.values() if pod.metadata.controller)
        return [pod for pod in owned if pod.active and pod.metadata.controller.uid == rs.uid]

    def _available(self, rs: ReplicaSet) -> int:
        now, long_enough = self.clock.now(), rs.spec.min_ready_seconds
        return sum(1 for pod in self._pods_of(rs) if is_available(pod, long_enough, now))


def _share(rs: ReplicaSet) -> tuple[str | None, ...]:
    return tuple(rs.metadata.annotations.get(name) for name in (DESIRED, MAXIMUM))
