"""What a Pod is, in the words of the API: phase, conditions, container statuses. Pure functions.

Models: pkg/kubelet/kubelet_pods.go (getPhase, generateAPIPodStatus), pkg/kubelet/status/generate.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from k8slab.api.core import Container, ContainerStatus, Pod
from k8slab.apimachinery.rest import JsonObject
from k8slab.clock import to_rfc3339
from k8slab.cri.api import Container as Running
from k8slab.cri.api import ContainerState
from k8slab.kubelet.actions import should_restart
from k8slab.kubelet.pod_state import PodState

PENDING, RUNNING, SUCCEEDED, FAILED = "Pending", "Running", "Succeeded", "Failed"
Waiting = Mapping[str, tuple[str, str]]
"""Why containers wait, by name: reason and message."""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a Pod's status says about its node."""

    runtime: str
    """`docker`, `simulated`: the scheme of container ids."""
    address: str


def pod_status(pod: Pod, state: PodState, waiting: Waiting, node: NodeFacts, now: float, started: float) -> JsonObject:
    """The whole status but for what the kubelet does not decide."""
    init_done = _initialized(pod, state)
    init = [_container_status(pod, each, state, waiting, node, True) for each in pod.spec.init_containers]
    containers = [_container_status(pod, each, state, waiting, node, init_done) for each in pod.spec.containers]
    phase = get_phase(pod, init, containers)
    status: JsonObject = {
        "phase": phase,
        "observedGeneration": pod.metadata.generation,
        "conditions": _conditions(pod, state, phase, init_done, containers, now),
        "hostIP": node.address,
        "hostIPs": [{"ip": node.address}],
        "startTime": pod.status.start_time or to_rfc3339(started),
        "containerStatuses": containers,
    }
    if init:
        status["initContainerStatuses"] = init
    if pod.spec.ephemeral_containers:
        status["ephemeralContainerStatuses"] = [
            _container_status(pod, each, state, waiting, node, True) | {"ready": False}
            for each in pod.spec.ephemeral_containers
        ]
    address = state.ready_sandbox.ip if state.ready_sandbox else ""
    if pod.spec.host_network:
        address = node.address
    address = address or pod.status.pod_ip
    if address:
        status["podIP"], status["podIPs"] = address, [{"ip": address}]
    return status


def get_phase(pod: Pod, init: list[JsonObject], containers: list[JsonObject]) -> str:
    """One word for a Pod."""
    for status in init:
        ended = status["state"].get("terminated") or status["lastState"].get("terminated")
        if ended and ended["exitCode"] and pod.spec.restart_policy == "Never":
            return FAILED
    if any("waiting" in each["state"] or "running" in each["state"] for each in init if not each["ready"]):
        return PENDING
    running = sum(1 for each in containers if "running" in each["state"])
    ended = [each["state"]["terminated"] for each in containers if "terminated" in each["state"]]
    again = [each for each in containers if "waiting" in each["state"] and "terminated" in each["lastState"]]
    if len(running_or_ended := [*ended, *again]) + running < len(containers):
        return PENDING
    if running:
        return RUNNING
    if pod.spec.restart_policy == "Always" and running_or_ended:
        return RUNNING
    failed = [each for each in ended if each["exitCode"]]
    if again:
        return RUNNING
    if not failed:
        return SUCCEEDED
    return FAILED if pod.spec.restart_policy == "Never" else RUNNING


def _container_status(
    pod: Pod, container: Container, state: PodState, waiting: Waiting, node: NodeFacts, may_start: bool
) -> JsonObject:
    found = state.containers.get(container.name, [])
    current = found[0] if found else None
    previous = next((each for each in found[1:] if each.state is ContainerState.EXITED), None)
    before = next((each for each in pod.status.container_statuses if each.name == container.name), None)
    is_running = current is not None and current.state is ContainerState.RUNNING
    is_init = container in pod.spec.init_containers and container.restart_policy != "Always"
    done = current is not None and current.state is ContainerState.EXITED and current.exit_code == 0
    status: JsonObject = {
        "name": container.name,
        "image": container.image,
        "imageID": current.image_ref if current else "",
        "restartCount": current.attempt if current else (before.restart_count if before else 0),
        "ready": done if is_init else is_running,
        "started": is_running,
        "state": {},
        "lastState": {},
    }
    if current is not None:
        status["containerID"] = f"{node.runtime}://{current.id}"
    elif before is not None and before.container_id:
        status["containerID"] = before.container_id
    reason = waiting.get(container.name)
    if is_running and current is not None:
        status["state"] = {"running": {"startedAt": to_rfc3339(current.started_at)}}
        if previous is not None:
            status["lastState"] = _terminated(previous, node)
    elif current is not None and current.state is ContainerState.EXITED:
        if reason is not None and should_restart(pod, current.exit_code):
            status["state"] = _waiting(*reason)
            status["lastState"] = _terminated(current, node)
        else:
            status["state"] = _terminated(current, node)
            if previous is not None:
                status["lastState"] = _terminated(previous, node)
    else:
        default = ("ContainerCreating", "") if may_start else ("PodInitializing", "")
        status["state"] = _waiting(*(reason or default))
        if previous is not None:
            status["lastState"] = _terminated(previous, node)
    if not status["lastState"] and before is not None:
        status["lastState"] = _remembered(before, lost=current is None)
    return status


def _remembered(before: ContainerStatus, lost: bool) -> JsonObject:
    """What only the API still knows: how the container before this one ended, or that it was lost with its runtime."""
    if before.last_state.terminated is not None:
        return before.last_state.model_dump(by_alias=True, exclude_defaults=True)
    if not lost or not before.container_id:
        return {}
    message = "The container could not be located when the pod was deleted.  The container used to be Running"
    ended = {
        "exitCode": 137,
        "reason": "ContainerStatusUnknown",
        "message": message,
        "containerID": before.container_id,
    }
    return {"terminated": ended}


def _waiting(reason: str, message: str) -> JsonObject:
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}


def _terminated(container: Running, node: NodeFacts) -> JsonObject:
    found = {
        "exitCode": container.exit_code,
        "reason": container.reason or ("Completed" if container.exit_code == 0 else "Error"),
        "startedAt": to_rfc3339(container.started_at) if container.started_at else None,
        "finishedAt": to_rfc3339(container.finished_at) if container.finished_at else None,
        "containerID": f"{node.runtime}://{container.id}",
    }
    if container.message:
        found["message"] = container.message
    return {"terminated": {key: value for key, value in found.items() if value is not None}}


def _initialized(pod: Pod, state: PodState) -> bool:
    for container in pod.spec.init_containers:
        current = state.newest(container.name)
        if current is None:
            return False
        if container.restart_policy == "Always":
            if current.state is not ContainerState.RUNNING:
                return False
        elif current.state is not ContainerState.EXITED or current.exit_code:
            return False
    return True


def _conditions(
    pod: Pod, state: PodState, phase: str, initialized: bool, containers: list[JsonObject], now: float
) -> list[JsonObject]:
    unready = [each["name"] for each in containers if not each["ready"]]
    message = f"containers with unready status: [{' '.join(unready)}]"
    if phase == SUCCEEDED:
        ready = ("False", "PodCompleted", "")
    elif unready:
        ready = ("False", "ContainersNotReady", message)
    else:
        ready = ("True", "", "")
    pending = [each.name for each in pod.spec.init_containers if not _one_initialized(pod, state, each)]
    not_initialized = ("False", "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(pending)}]")
    completed = ("True", "PodCompleted", "") if phase == SUCCEEDED and pod.spec.init_containers else ("True", "", "")
    wanted = {
        "PodReadyToStartContainers": ("True" if state.ready_sandbox else "False", "", ""),
        "Initialized": completed if initialized else not_initialized,
        "Ready": ready,
        "ContainersReady": ready,
        "PodScheduled": ("True", "", ""),
    }
    found = []
    for type_, (status, reason, text) in wanted.items():
        before = pod.condition(type_)
        since = before.last_transition_time if before and before.status == status else None
        condition: JsonObject = {
            "type": type_,
            "status": status,
            "observedGeneration": pod.metadata.generation,
            "lastTransitionTime": since or to_rfc3339(now),
        }
        if reason:
            condition["reason"] = reason
        if text:
            condition["message"] = text
        found.append(condition)
    kept = [
        each.model_dump(by_alias=True, exclude_none=True) for each in pod.status.conditions if each.type not in wanted
    ]
    return found + kept


def _one_initialized(pod: Pod, state: PodState, container: Container) -> bool:
    current = state.newest(container.name)
    if container.restart_policy == "Always":
        return current is not None and current.state is ContainerState.RUNNING
    return current is not None and current.state is ContainerState.EXITED and current.exit_code == 0
