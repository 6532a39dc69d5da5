"""How Pods are shown. STATUS is not the phase: it is the most telling thing that the Pod's containers say.

Models: pkg/printers/internalversion/printers.go (printPod).
"""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.printers.cells import NONE, Printer, age, columns, condition, meta, name, since, spec, status

_COMPLETED = {
    "Succeeded": {"type": "Completed", "status": "True", "reason": "Succeeded", "message": "The pod has completed successfully."},
    "Failed": {"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."},
}  # fmt: skip


class _Restarts:
    """How often containers were restarted, and when last."""

    def __init__(self) -> None:
        self.count, self.last = 0, ""

    def add(self, container: JsonObject) -> None:
        """Count one container's restarts."""
        self.count += int(container.get("restartCount") or 0)
        ended = ((container.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or ""
        self.last = max(self.last, ended)

    def text(self, now: float) -> str:
        """`3 (5m ago)`."""
        return f"{self.count} ({since(self.last, now)} ago)" if self.count and self.last else str(self.count)


def pod_state(pod: JsonObject) -> tuple[int, str, _Restarts]:
    """(containers that are ready, what the Pod is at, its restarts)."""
    state = status(pod)
    text = str(state.get("reason") or state.get("phase") or "")
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("reason") == "SchedulingGated":
        text = "SchedulingGated"
    ready, initializing, everything, sidecars = _init_state(pod)
    restarts = everything
    if initializing:
        text = initializing
    if not initializing or condition(pod, "Initialized").get("status") == "True":
        # What init containers did is forgotten once they are through; sidecars go on counting.
        restarts, running = sidecars, False
        for container in reversed(state.get("containerStatuses") or []):
            restarts.add(container)
            said = _said(container)
            if said:
                text = said
            elif container.get("ready") and (container.get("state") or {}).get("running") is not None:
                running, ready = True, ready + 1
        if text == "Completed" and running:
            text = "Running" if condition(pod, "Ready").get("status") == "True" else "NotReady"
    if meta(pod).get("deletionTimestamp"):
        if state.get("reason") == "NodeLost":
            text = "Unknown"
        elif state.get("phase") not in ("Succeeded", "Failed"):
            text = "Terminating"
    return ready, text, restarts


def _init_state(pod: JsonObject) -> tuple[int, str, _Restarts, _Restarts]:
    """(sidecars that are ready, `Init:...` while init containers run, restarts of all, restarts of the sidecars)."""
    declared = spec(pod).get("initContainers") or []
    sidecar_names = {each.get("name") for each in declared if _is_sidecar(each)}
    ready, everything, sidecars = 0, _Restarts(), _Restarts()
    for number, container in enumerate(status(pod).get("initContainerStatuses") or []):
        is_sidecar = container.get("name") in sidecar_names
        everything.add(container)
        if is_sidecar:
            sidecars.add(container)
        state = container.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended is not None and not ended.get("exitCode"):
            continue
        if is_sidecar and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        if ended is not None:
            said = "Init:" + _end(ended)
        elif waiting.get("reason") and waiting["reason"] != "PodInitializing":
            said = "Init:" + waiting["reason"]
        else:
            said = f"Init:{number}/{len(declared)}"
        return ready, said, everything, sidecars
    return ready, "", everything, sidecars


def _is_sidecar(container: JsonObject) -> bool:
    return container.get("restartPolicy") == "Always"


def _said(container: JsonObject) -> str:
    """Why a container waits, or how it ended; empty while it runs."""
    state = container.get("state") or {}
    if (state.get("waiting") or {}).get("reason"):
        return str(state["waiting"]["reason"])
    ended = state.get("terminated")
    return _end(ended) if ended is not None else ""


def _end(ended: JsonObject) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _row(pod: JsonObject, now: float) -> list[Any]:
    ready, text, restarts = pod_state(pod)
    declared, state = spec(pod), status(pod)
    total = len(declared.get("containers") or []) + sum(map(_is_sidecar, declared.get("initContainers") or []))
    return [
        name(pod), f"{ready}/{total}", text, restarts.text(now), age(pod, now),
        state.get("podIP") or NONE, declared.get("nodeName") or NONE, state.get("nominatedNodeName") or NONE, _gates(pod),
    ]  # fmt: skip


def _gates(pod: JsonObject) -> str:
    gates = spec(pod).get("readinessGates") or []
    passed = sum(condition(pod, each.get("conditionType", "")).get("status") == "True" for each in gates)
    return f"{passed}/{len(gates)}" if gates else NONE


def _conditions(pod: JsonObject) -> list[JsonObject]:
    found = _COMPLETED.get(str(status(pod).get("phase")))
    return [dict(found)] if found else []


PODS = Printer(
    columns("Name, Ready, Status, Restarts, Age | IP, Node, Nominated Node, Readiness Gates"), _row, _conditions
)  # fmt: skip
