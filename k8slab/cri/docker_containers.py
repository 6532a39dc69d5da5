"""Containers on Docker: members of their sandbox's namespaces, with limits as cgroups.

The termination message is a file of the machine, mounted at /dev/termination-log, so that it outlives the container.

Models: cri-dockerd core/container_create.go, core/container_status.go.
"""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import Any

from docker.errors import NotFound

from k8slab.cri.api import Container, ContainerConfig, ContainerStats, CriError, Resources, SandboxConfig
from k8slab.cri.docker_engine import translated
from k8slab.cri.docker_images import own_name
from k8slab.cri.docker_node import DockerNode
from k8slab.cri.docker_objects import LOG_CONFIG, MESSAGE, TYPE, container_labels, container_view, object_name
from k8slab.cri.references import parse_reference

_CPU_PERIOD = 100_000
_MIN_SHARES, _SHARES_PER_CPU = 2, 1024
_TERMINATION_LOG = "/dev/termination-log"
_MESSAGE_LIMIT = 4096


class DockerContainers(DockerNode):
    """The calls about containers."""

    def create_container(self, sandbox_id: str, config: ContainerConfig, sandbox_config: SandboxConfig) -> str:
        """Make a container in a sandbox's namespaces."""
        sandbox = self.inspect(sandbox_id)
        if sandbox is None or not sandbox["State"]["Running"]:
            raise CriError("NotFound", f'failed to find sandbox id "{sandbox_id}": not found')
        message_path = self.shared.run.message_file()
        name = object_name(config.name, sandbox_config, config.attempt, self.shared.run.id)
        body: dict[str, Any] = {
            "Image": own_name(self.shared.run.id, parse_reference(config.image)),
            "Env": [f"{key}={value}" for key, value in config.env],
            "Labels": {**self.own_labels(), **container_labels(config, sandbox_config, sandbox_id, message_path)},
            "OpenStdin": config.stdin,
            "StdinOnce": config.stdin_once,
            "Tty": config.tty,
            "Healthcheck": {"Test": ["NONE"]},
            "HostConfig": {
                "NetworkMode": f"container:{sandbox_id}",
                "IpcMode": f"container:{sandbox_id}",
                "Binds": [
                    *(f"{m.host_path}:{m.container_path}{':ro' if m.readonly else ''}" for m in config.mounts),
                    *([f"{message_path}:{_TERMINATION_LOG}"] if message_path else []),
                ],
                "LogConfig": LOG_CONFIG,
                **_limits(config.resources),
            },
        }
        if config.command:
            body["Entrypoint"] = list(config.command)
        if config.args:
            body["Cmd"] = list(config.args)
        if config.working_dir:
            body["WorkingDir"] = config.working_dir
        try:
            made = self.make(name, body)
        except CriError as error:
            Path(message_path).unlink(missing_ok=True)
            if error.code == "NotFound" and "No such image" in error.message:
                raise CriError("NotFound", f"failed to create container: No such image: {config.image}") from None
            raise
        with self.lock:
            self.inspected[made] = "created", {}
        return made

    def start_container(self, container_id: str) -> None:
        """Start it: only once, although Docker would start an ended container again."""
        with self.lock:
            known = self.inspected.pop(container_id, None)
        state = known[0] if known is not None else self._status_of(container_id)
        try:
            with translated():
                started = state == "created" and self.engine.start_created(container_id)
        except CriError as error:
            raise CriError("Unknown", f'failed to start container "{container_id}": {error.message}') from error
        if not started:
            message = f'failed to start container "{container_id}": container is not in created state'
            raise CriError("Unknown", message)

    def _status_of(self, container_id: str) -> str:
        with translated():
            return str(self.engine.inspect_container(container_id)["State"]["Status"])

    def stop_container(self, container_id: str, timeout: float) -> float:
        """The image's stop signal, SIGKILL after `timeout`; blocks until the container has ended."""
        with translated(), suppress(NotFound):
            self.engine.stop(container_id, timeout=math.ceil(timeout))
        return 0.0

    def remove_container(self, container_id: str) -> None:
        """Remove it, killing it first if need be."""
        if (seen := self.inspect(container_id)) is not None:
            self.destroy(container_id, seen["Config"]["Labels"])

    def list_containers(self, pod_uid: str = "") -> list[Container]:
        """Oldest first."""
        found = [listed for listed in self.listed(pod_uid) if listed["Labels"][TYPE] == "container"]
        return [self._view(seen) for one in found if (seen := self.inspect(one["Id"], one["State"]))]

    def container_status(self, container_id: str) -> Container:
        """One container."""
        seen = self.inspect(container_id)
        if seen is None:
            raise CriError("NotFound", f"Error response from daemon: No such container: {container_id}")
        return self._view(seen)

    def _view(self, inspected: dict[str, Any]) -> Container:
        message = ""
        if inspected["State"]["Status"] == "exited" and (path := inspected["Config"]["Labels"].get(MESSAGE)):
            message = _read_message(path)
        return container_view(inspected, message)

    def container_stats(self, container_id: str) -> ContainerStats:
        """What Docker measures."""
        with translated():
            stats = self.engine.get_json(f"/containers/{container_id}/stats", stream="false", **{"one-shot": "true"})
        memory = stats.get("memory_stats") or {}
        # The working set: without the file cache that the kernel can take back.
        details = memory.get("stats") or {}
        inactive = details.get("total_inactive_file", details.get("inactive_file", 0))
        usage = max(0, int(memory.get("usage", 0)) - int(inactive))
        return ContainerStats(int(stats["cpu_stats"]["cpu_usage"]["total_usage"]), usage)


def _limits(resources: Resources) -> dict[str, int]:
    """A container's cgroup."""
    limits = {}
    if resources.cpu_request_millis or resources.cpu_millis:
        millis = resources.cpu_request_millis or resources.cpu_millis
        limits["CpuShares"] = max(_MIN_SHARES, millis * _SHARES_PER_CPU // 1000)
    if resources.cpu_millis:
        limits |= {"CpuPeriod": _CPU_PERIOD, "CpuQuota": max(1000, resources.cpu_millis * _CPU_PERIOD // 1000)}
    if resources.memory_bytes:
        # The same limit for memory and swap together: no swap.
        limits |= {"Memory": resources.memory_bytes, "MemorySwap": resources.memory_bytes}
    return limits


def _read_message(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(_MESSAGE_LIMIT).decode("utf-8", "replace")
    except OSError:
        return ""
