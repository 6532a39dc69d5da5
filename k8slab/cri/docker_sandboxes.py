"""Pod sandboxes on Docker: pause containers that hold a network and an IPC namespace.

Models: cri-dockerd core/sandbox_run.go, core/sandbox_stop.go.
"""

from __future__ import annotations

from typing import Any

from k8slab.cri.addresses import Addresses
from k8slab.cri.api import CriError, Sandbox, SandboxConfig, SandboxState
from k8slab.cri.docker_engine import translated
from k8slab.cri.docker_images import own_name
from k8slab.cri.docker_network import slice_of
from k8slab.cri.docker_node import DockerCluster, DockerNode
from k8slab.cri.docker_objects import LOG_CONFIG, SANDBOX_ID, TYPE, object_name, sandbox_labels, sandbox_view
from k8slab.cri.images import PAUSE_IMAGE
from k8slab.cri.references import parse_reference

_ADDRESS_TAKEN = "ddress already in use"


class DockerSandboxes(DockerNode):
    """The calls about sandboxes."""

    def __init__(self, node_name: str, shared: DockerCluster) -> None:
        super().__init__(node_name, shared)
        self.addresses: Addresses | None = None

    def update_runtime_config(self, pod_cidr: str) -> None:
        """Pod addresses come from this range, or from the part of the cluster's bridge that stands for it."""
        cidr = str(slice_of(self.shared.subnet, pod_cidr))
        with self.lock:
            if self.addresses is not None and self.addresses.cidr == cidr:
                return
        addresses = Addresses(cidr)
        for sandbox in self.list_pod_sandboxes():
            if sandbox.ip:
                addresses.reserve(sandbox.ip)
        with self.lock:
            self.addresses = addresses

    def run_pod_sandbox(self, config: SandboxConfig) -> str:
        """Start a pause container with an address of its own."""
        name = object_name("POD", config, config.attempt, self.shared.run.id)
        body = self._body(config)
        while not config.host_network:
            address = self._take_address()
            endpoint = {"IPAMConfig": {"IPv4Address": address}}
            body["NetworkingConfig"] = {"EndpointsConfig": {self.shared.run.network: endpoint}}
            try:
                return self._make_sandbox(name, body)
            except CriError as error:
                # One that somebody else has taken stays taken; then the next is tried.
                if _ADDRESS_TAKEN not in error.message:
                    self._give_back(address)
                    raise
        return self._make_sandbox(name, body)

    def _body(self, config: SandboxConfig) -> dict[str, Any]:
        host: dict[str, Any] = {"IpcMode": "shareable", "LogConfig": LOG_CONFIG, "NetworkMode": self.shared.run.network}
        if config.dns_servers:
            host["Dns"] = list(config.dns_servers)
        if config.dns_searches:
            host["DnsSearch"] = list(config.dns_searches)
        body: dict[str, Any] = {
            "Image": own_name(self.shared.run.id, parse_reference(PAUSE_IMAGE)),
            "Labels": {**self.own_labels(), **sandbox_labels(config)},
            "HostConfig": host,
        }
        if config.host_network:
            host["NetworkMode"] = "host"
        else:
            body["Hostname"] = config.hostname or config.name
        return body

    def _make_sandbox(self, name: str, body: dict[str, Any]) -> str:
        try:
            sandbox_id = self.make(name, body)
        except CriError as error:
            if "No such image" not in error.message:
                raise
            self.images.pull(PAUSE_IMAGE)
            sandbox_id = self.make(name, body)
        try:
            with translated():
                self.engine.start(sandbox_id)
        except CriError:
            self.destroy(sandbox_id, {})
            raise
        return sandbox_id

    def _take_address(self) -> str:
        with self.lock:
            if self.addresses is None:
                raise CriError("Unknown", "failed to set up network for sandbox: the node has no podCIDR")
            return self.addresses.take()

    def _give_back(self, address: str) -> None:
        with self.lock:
            if self.addresses is not None and address:
                self.addresses.give_back(address)

    def stop_pod_sandbox(self, sandbox_id: str) -> None:
        """Kill what runs in it, then its pause container, which gives the address back."""
        sandbox = next((found for found in self.list_pod_sandboxes() if found.id == sandbox_id), None)
        if sandbox is None or sandbox.state is SandboxState.NOTREADY:
            return
        for container in self._containers_of(sandbox_id):
            self.kill(container["Id"])
        self.kill(sandbox_id)
        self._give_back(sandbox.ip)

    def remove_pod_sandbox(self, sandbox_id: str) -> None:
        """Remove it and its containers."""
        sandbox = next((found for found in self.list_pod_sandboxes() if found.id == sandbox_id), None)
        for container in self._containers_of(sandbox_id):
            self.destroy(container["Id"], container["Labels"])
        if sandbox is not None:
            self.destroy(sandbox_id, {})
            self._give_back(sandbox.ip)

    def _containers_of(self, sandbox_id: str) -> list[dict[str, Any]]:
        return [one for one in self.listed() if one["Labels"].get(SANDBOX_ID) == sandbox_id]

    def list_pod_sandboxes(self, pod_uid: str = "") -> list[Sandbox]:
        """Oldest first."""
        found = [listed for listed in self.listed(pod_uid) if listed["Labels"][TYPE] == "podsandbox"]
        return [sandbox_view(one, seen) for one in found if (seen := self.inspect(one["Id"], one["State"]))]
