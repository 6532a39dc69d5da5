"""How Pods are written into Docker objects, and read back.

Docker is the memory of this runtime: whatever a kubelet must know after a restart stands in a container's name and labels.
Names and labels are those of cri-dockerd, so `docker ps` shows what it shows on any Kubernetes node with Docker; k8slab's
own labels say which cluster and which node an object belongs to.

Models: cri-dockerd core/naming.go, core/helpers.go (makeLabels, extractLabels), core/container_status.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from k8slab.cri.api import Container, ContainerConfig, ContainerState, Sandbox, SandboxConfig, SandboxState

CLUSTER = "k8slab.cluster"
RUN = "k8slab.run"
OWNER = "k8slab.owner"
NODE = "k8slab.node"
ATTEMPT = "k8slab.attempt"
IMAGE = "k8slab.image"
MESSAGE = "k8slab.termination-log"
TYPE = "io.kubernetes.docker.type"
SANDBOX_ID = "io.kubernetes.sandbox.id"
POD_NAME = "io.kubernetes.pod.name"
POD_NAMESPACE = "io.kubernetes.pod.namespace"
POD_UID = "io.kubernetes.pod.uid"
CONTAINER_NAME = "io.kubernetes.container.name"
ANNOTATION = "annotation."

LOG_CONFIG = {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "5"}}
"""Whatever the Engine's default is, logs must be readable; the numbers are the kubelet's."""

_INTERNAL = (CLUSTER, RUN, OWNER, NODE, ATTEMPT, IMAGE, MESSAGE, TYPE, SANDBOX_ID)

_STATES = {
    "created": ContainerState.CREATED,
    "running": ContainerState.RUNNING,
    "paused": ContainerState.RUNNING,
    "restarting": ContainerState.RUNNING,
}
"""Every other state is EXITED."""


def object_name(container: str, pod: SandboxConfig, attempt: int, run: str) -> str:
    """cri-dockerd's name, and the cluster: two clusters with one seed draw the same uids."""
    return f"k8s_{container}_{pod.name}_{pod.namespace}_{pod.uid}_{attempt}_{run}"


def sandbox_labels(config: SandboxConfig) -> dict[str, str]:
    """What a sandbox's labels say."""
    return {
        **config.labels,
        **{ANNOTATION + key: value for key, value in config.annotations.items()},
        TYPE: "podsandbox",
        POD_NAME: config.name,
        POD_NAMESPACE: config.namespace,
        POD_UID: config.uid,
        CONTAINER_NAME: "POD",
        ATTEMPT: str(config.attempt),
    }


def container_labels(config: ContainerConfig, pod: SandboxConfig, sandbox_id: str, message_path: str) -> dict[str, str]:
    """What a container's labels say."""
    return {
        **config.labels,
        **{ANNOTATION + key: value for key, value in config.annotations.items()},
        TYPE: "container",
        SANDBOX_ID: sandbox_id,
        POD_NAME: pod.name,
        POD_NAMESPACE: pod.namespace,
        POD_UID: pod.uid,
        CONTAINER_NAME: config.name,
        ATTEMPT: str(config.attempt),
        IMAGE: config.image,
        MESSAGE: message_path,
    }


def _told(labels: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The labels and annotations that the kubelet gave."""
    annotations = {key.removeprefix(ANNOTATION): value for key, value in labels.items() if key.startswith(ANNOTATION)}
    own = {k: value for k, value in labels.items() if not k.startswith(ANNOTATION) and k not in _INTERNAL}
    return own, annotations


def seconds(text: str) -> float:
    """Docker's time stamp in seconds since the epoch; 0 for its "never"."""
    if text.startswith("0001-"):
        return 0.0
    whole, _, rest = text.partition(".")
    # Python reads microseconds, Docker writes up to nanoseconds.
    digits = rest.rstrip("Z")[:6] or "0"
    return datetime.fromisoformat(f"{whole.rstrip('Z')}.{digits:0<6}+00:00").timestamp()


def sandbox_view(listed: Mapping[str, Any], inspected: Mapping[str, Any]) -> Sandbox:
    """A sandbox from Docker's list and inspection of its pause container."""
    labels, annotations = _told(listed["Labels"])
    networks = (listed.get("NetworkSettings") or {}).get("Networks") or {}
    ready = listed["State"] == "running"
    return Sandbox(
        id=listed["Id"],
        name=listed["Labels"][POD_NAME],
        namespace=listed["Labels"][POD_NAMESPACE],
        uid=listed["Labels"][POD_UID],
        attempt=int(listed["Labels"][ATTEMPT]),
        state=SandboxState.READY if ready else SandboxState.NOTREADY,
        created_at=seconds(inspected["Created"]),
        ip=next((network.get("IPAddress") or "" for network in networks.values()), "") if ready else "",
        labels=labels,
        annotations=annotations,
    )


def container_view(inspected: Mapping[str, Any], message: str) -> Container:
    """A container from Docker's inspection; `message` is its termination message."""
    stored, state = inspected["Config"]["Labels"], inspected["State"]
    labels, annotations = _told(stored)
    phase = _STATES.get(state["Status"], ContainerState.EXITED)
    could_not = phase is ContainerState.CREATED and bool(state["Error"])
    if could_not:
        phase = ContainerState.EXITED
    ended, code = phase is ContainerState.EXITED, state["ExitCode"]
    reason = "OOMKilled" if state["OOMKilled"] else "Error" if code else "Completed"
    created = seconds(inspected["Created"])
    return Container(
        id=inspected["Id"],
        sandbox_id=stored[SANDBOX_ID],
        name=stored[CONTAINER_NAME],
        attempt=int(stored[ATTEMPT]),
        image=stored[IMAGE],
        image_ref=inspected["Image"],
        state=phase,
        created_at=created,
        started_at=created if could_not else seconds(state["StartedAt"]),
        finished_at=created if could_not else seconds(state["FinishedAt"]) if ended else 0.0,
        exit_code=code if ended else 0,
        reason=("ContainerCannotRun" if could_not else reason) if ended else "",
        message=(state["Error"] if could_not else message) if ended else "",
        labels=labels,
        annotations=annotations,
    )
