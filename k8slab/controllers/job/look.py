"""One look at a Job: what is counted, and the status that comes of it.

Models: pkg/controller/job/job_controller.go (syncJobCtx).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from k8slab.api.core import Pod
from k8slab.apimachinery.rest import JsonObject
from k8slab.clock import NEVER, to_rfc3339
from k8slab.controllers.job.indexes import format_indexes
from k8slab.controllers.job.state import Count


class Look:
    """One look at a Job: what is counted, and the status that comes of it."""

    def __init__(self, count: Count, now: float) -> None:
        self.count, self.now, self.job = count, now, count.job
        self.again = NEVER
        """In how many seconds there is more to do."""
        self.active = len(count.active)
        self.ready = sum(pod.ready for pod in count.active)
        self.terminating = count.terminating
        self.revision = count.job.metadata.resource_version
        seen = count.job.status
        self._before: JsonObject = _as_json(seen.model_dump(by_alias=True, exclude_none=True))
        self.status: dict[str, Any] = _as_json(seen.model_dump(by_alias=True, exclude_none=True))
        self.status.setdefault("uncountedTerminatedPods", {})
        if "startTime" not in self.status and not count.job.spec.suspend:
            self.status["startTime"] = to_rfc3339(now)

    @property
    def uncounted(self) -> int:
        """How many UIDs wait to be counted."""
        return sum(len(uids) for uids in self.status["uncountedTerminatedPods"].values())

    def went(self, pods: Sequence[Pod]) -> None:
        """These were active, and are going now."""
        self.active -= len(pods)
        self.ready -= sum(pod.ready for pod in pods)
        self.terminating += sum(bool(pod.spec.node_name) for pod in pods)  # others are gone at once

    def note(self, which: str, pod: Pod) -> None:
        """A Pod has ended, and is to be counted."""
        if which == "succeeded" and self.count.indexed:
            return  # its index tells
        uncounted = self.status["uncountedTerminatedPods"]
        if pod.uid not in [uid for uids in uncounted.values() for uid in uids]:
            uncounted[which] = [*uncounted.get(which, ()), pod.uid]

    def settle_counted(self) -> None:
        """Those that have lost their finalizer become part of the numbers."""
        waiting = {pod.uid for pod in self.count.pods if self.count.tracked(pod)}
        uncounted = self.status["uncountedTerminatedPods"]
        for which in [*uncounted]:
            left = [uid for uid in uncounted[which] if uid in waiting]
            self.status[which] = self.status.get(which, 0) + len(uncounted[which]) - len(left)
            uncounted[which] = left
            if not left:
                del uncounted[which]

    def numbers(self) -> None:
        """What is there now."""
        self.status |= {"active": self.active, "ready": self.ready, "terminating": self.terminating}
        if self.count.indexed:
            done = self.count.succeeded_indexes()
            self.status |= {"succeeded": len(done), "completedIndexes": format_indexes(done)}
            failed = self.count.failed_indexes()
            if failed is not None:
                self.status["failedIndexes"] = format_indexes(failed)

    def has(self, kind: str) -> bool:
        """Whether there is a condition of this type."""
        return any(each["type"] == kind for each in self.status.get("conditions") or ())

    def condition(self, kind: str, status: str, reason: str, message: str) -> bool:
        """Say something; False if it was said already."""
        conditions = [dict(each) for each in self.status.get("conditions") or ()]
        said = next((each for each in conditions if each["type"] == kind), None)
        if said is not None and (said["status"], said["reason"], said["message"]) == (status, reason, message):
            return False
        now = to_rfc3339(self.now)
        new = {"type": kind, "status": status, "reason": reason, "message": message}
        new |= {"lastProbeTime": now, "lastTransitionTime": now}
        self.status["conditions"] = [*(each for each in conditions if each["type"] != kind), new]
        return True

    def changed(self) -> bool:
        """Whether there is something to write."""
        return _as_json(self.status) != self._before

    def patch(self) -> JsonObject:
        """The status as a merge patch: what is 0 or empty is left out, as upstream does."""
        now = _as_json(self.status)
        gone = {name: None for name in self._before if name not in now}
        old = self._before.get("uncountedTerminatedPods") or {}
        uncounted = {name: now["uncountedTerminatedPods"].get(name) for name in ("succeeded", "failed")}
        kept = {name: uids for name, uids in uncounted.items() if uids or name in old}
        return {**gone, **now, "uncountedTerminatedPods": kept}

    def written(self, job: JsonObject) -> None:
        """It is stored now."""
        self._before = _as_json(self.status)
        self.revision = job["metadata"]["resourceVersion"]


_LEFT_OUT_IF_ZERO = ("active", "succeeded", "failed", "completedIndexes")


def _as_json(status: dict[str, Any]) -> dict[str, Any]:
    """A status in the form in which it is stored."""
    found = {name: value for name, value in status.items() if value or name not in _LEFT_OUT_IF_ZERO}
    if "uncountedTerminatedPods" in found:
        uncounted = found["uncountedTerminatedPods"]
        found["uncountedTerminatedPods"] = {name: list(uids) for name, uids in uncounted.items() if uids}
    if "conditions" in found:
        found["conditions"] = [dict(each) for each in found["conditions"]]
        if not found["conditions"]:
            del found["conditions"]
    return found
