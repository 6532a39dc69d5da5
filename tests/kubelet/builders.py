"""Pods and runtime states in a few words."""

from __future__ import annotations

from typing import Any

from k8slab.api.core import Pod
from k8slab.cri.api import Container, ContainerState, Sandbox, SandboxState
from k8slab.kubelet.pod_state import PodState, group

STATES = {"created": ContainerState.CREATED, "running": ContainerState.RUNNING, "exited": ContainerState.EXITED}


def pod(*containers: str, init: tuple[str, ...] = (), sidecars: tuple[str, ...] = (), **spec: Any) -> Pod:
    """A Pod with containers of these names."""
    spec.setdefault("restartPolicy", "Always")
    spec["containers"] = [{"name": name, "image": "app:1"} for name in containers or ("main",)]
    spec["initContainers"] = [{"name": name, "image": "app:1"} for name in init]
    spec["initContainers"] += [{"name": name, "image": "app:1", "restartPolicy": "Always"} for name in sidecars]
    metadata = {"name": "web", "namespace": "default", "uid": "u1", "generation": 1}
    return Pod.of({"metadata": metadata, "spec": spec})


def sandbox(attempt: int = 0, ready: bool = True) -> Sandbox:
    """The Pod's sandbox."""
    state = SandboxState.READY if ready else SandboxState.NOTREADY
    return Sandbox(f"s{attempt}", "web", "default", "u1", attempt, state, 100.0 + attempt, ip="10.0.0.1")


def container(name: str, state: str, attempt: int = 0, code: int = 0, **more: Any) -> Container:
    """One of its containers: `container("main", "exited", code=1)`."""
    times = {"started_at": 100.0, "finished_at": 110.0 if state == "exited" else 0.0}
    ids = (f"{name}-{attempt}", "s0", name, attempt, "app:1", "app@sha256:1")
    return Container(*ids, STATES[state], 100.0 + attempt, exit_code=code, **(times | more))


def state(*containers: Container, ready: bool = True) -> PodState:
    """A sandbox with these containers in it."""
    return group([sandbox(ready=ready)], containers)["u1"]
