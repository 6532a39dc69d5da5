"""How an object is, in a few words, as far as what was read of it says.

k8slab's own.
"""

from __future__ import annotations

from k8slab.apimachinery.rest import JsonObject
from k8slab.lab.observed.reading import Seen


def state_of(seen: Seen) -> str:
    """A few words about how an object is: `3/3 ready`, `CrashLoopBackOff`, `Terminating`; empty if that is not seen."""
    status, spec = seen.raw.get("status") or {}, seen.raw.get("spec") or {}
    if seen.meta.get("deletionTimestamp"):
        return "Terminating"
    if seen.kind.name == "pods":
        for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
            if waiting := (container.get("state") or {}).get("waiting"):
                return str(waiting.get("reason") or "Waiting")
        return str(status.get("phase") or "Pending")
    if isinstance(spec.get("replicas"), int):
        return f"{status.get('readyReplicas') or 0}/{spec['replicas']} ready"
    if "desiredNumberScheduled" in status:
        return f"{status.get('numberReady') or 0}/{status['desiredNumberScheduled']} ready"
    ready = {each["type"]: each for each in conditions_of(seen)}.get("Ready")
    return "" if ready is None else ("Ready" if ready.get("status") == "True" else "not Ready")


def conditions_of(seen: Seen) -> list[JsonObject]:
    """The conditions in its status. Custom kinds may put other things there: those are left out."""
    found = (seen.raw.get("status") or {}).get("conditions")
    return [each for each in found if isinstance(each, dict) and "type" in each] if isinstance(found, list) else []
