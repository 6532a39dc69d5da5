"""What all calls of a Docker node share: the cluster's connection, and what is remembered of the node's containers.

Docker is asked for a list each time, which is cheap; it is asked for the details of a container only when the list says that
its state is another one. A state is entered only once (nothing here restarts a container), so what was seen in it holds.

k8slab's own.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound

from k8slab.cri.api import CriError
from k8slab.cri.docker_cleanup import Run
from k8slab.cri.docker_engine import Engine, translated
from k8slab.cri.docker_images import DockerImages
from k8slab.cri.docker_objects import MESSAGE, NODE, POD_UID, RUN


class DockerCluster:
    """What the nodes of one cluster share; the last to close it closes the connection."""

    def __init__(self, engine: Engine, run: Run, images: DockerImages, subnet: IPv4Network, users: int) -> None:
        self.engine, self.run, self.images, self.subnet, self._users = engine, run, images, subnet, users
        self._lock = threading.Lock()

    def leave(self) -> None:
        """One node less."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self.engine.close()


class DockerNode:
    """One node on the Engine."""

    def __init__(self, node_name: str, shared: DockerCluster) -> None:
        self.node_name, self.shared = node_name, shared
        self.engine, self.images = shared.engine, shared.images
        self.lock = threading.Lock()
        """Guards what this object remembers."""
        self.inspected: dict[str, tuple[str, dict[str, Any]]] = {}
        """By container: its state, and what Docker said of it then."""

    def own_labels(self) -> dict[str, str]:
        """Whose everything is."""
        return {**self.shared.run.labels, NODE: self.node_name}

    def make(self, name: str, body: dict[str, Any]) -> str:
        """Docker's create; AlreadyExists if the name is taken."""
        try:
            with translated():
                return self.engine.create(name, body)
        except CriError as error:
            if error.code == "FailedPrecondition" and "already in use" in error.message:
                raise CriError("AlreadyExists", error.message) from None
            raise

    def listed(self, pod_uid: str = "") -> list[dict[str, Any]]:
        """Docker's list of the containers of both kinds, of the node or of one of its Pods, oldest first."""
        filters = {"label": [f"{RUN}={self.shared.run.id}", f"{NODE}={self.node_name}"]}
        with translated():
            listed = self.engine.containers(all=True, filters=filters)
        here = {one["Id"] for one in listed}
        with self.lock:
            for gone in [known for known in self.inspected if known not in here]:
                del self.inspected[gone]
        return [one for one in reversed(listed) if pod_uid in ("", one["Labels"].get(POD_UID))]

    def inspect(self, container_id: str, state: str = "") -> dict[str, Any] | None:
        """Docker's inspection of a container, from memory if it is known to be in the same state still."""
        with self.lock:
            known = self.inspected.get(container_id)
        if known is not None and state and known[0] == state != "created":
            return known[1]
        with translated():
            try:
                seen = dict(self.engine.inspect_container(container_id))
            except NotFound:
                return None
        with self.lock:
            self.inspected[container_id] = seen["State"]["Status"], seen
        return seen

    def kill(self, container_id: str) -> None:
        """SIGKILL, and wait for the end. What has ended or is gone already is fine."""
        with translated():
            try:
                self.engine.kill(container_id)
                self.engine.wait(container_id)
            except NotFound:
                return
            except APIError as error:
                if "is not running" not in str(error.explanation):
                    raise

    def destroy(self, container_id: str, labels: Mapping[str, str]) -> None:
        """Remove a container, its anonymous volumes, and the file that its labels name. One that is gone is fine."""
        with translated():
            try:
                self.engine.remove_container(container_id, force=True, v=True)
            except NotFound:
                pass
            except APIError as error:
                if "already in progress" not in str(error.explanation):
                    raise
        if path := labels.get(MESSAGE):
            Path(path).unlink(missing_ok=True)
