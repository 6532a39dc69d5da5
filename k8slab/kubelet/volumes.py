"""Volumes: directories of the node that a Pod's containers can mount.

With a real runtime each Pod gets a folder; `emptyDir` is an empty one in it, a ConfigMap or a Secret one with a file for each
key. A claim's folder belongs to no Pod, so that the next Pod finds what the last one left. The simulated runtime has no disk:
there a mount is only a name.

Models: pkg/kubelet/volumemanager, pkg/volume/{emptydir,configmap,secret,hostpath}.
"""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

from k8slab.api.core import ConfigMap, Container, Pod, Secret, Volume
from k8slab.apimachinery.errors import NotFound
from k8slab.client.client import Client
from k8slab.cri.api import Mount
from k8slab.kubelet.container_config import ConfigError


class Volumes:
    """The volumes of one node's Pods. `root`: where they lie; None: nowhere."""

    def __init__(self, client: Client, root: Path | None) -> None:
        self._client, self._root = client, root

    def mounts(self, pod: Pod, container: Container) -> tuple[Mount, ...]:
        """What a container mounts; the volumes are made on the way. Raises ConfigError."""
        volumes = {volume.name: volume for volume in pod.spec.volumes}
        found = []
        for mount in container.volume_mounts:
            volume = volumes[mount.name]
            path = self._path(pod, volume)
            if mount.sub_path:
                path = f"{path}/{mount.sub_path}"
            if path:
                readonly = mount.read_only or volume.config_map is not None or volume.secret is not None
                found.append(Mount(mount.mount_path, path, readonly))
        return tuple(found)

    def remove(self, uid: str) -> None:
        """A Pod has gone: its volumes too."""
        if self._root is not None:
            shutil.rmtree(self._root / uid, ignore_errors=True)

    def _path(self, pod: Pod, volume: Volume) -> str:
        if volume.host_path is not None:
            return str(volume.host_path.get("path", ""))
        if self._root is None:
            return f"/var/lib/kubelet/pods/{pod.uid}/volumes/{volume.name}"
        folder = self._root / pod.uid / volume.name
        if volume.persistent_volume_claim is not None:
            folder = self._root / "claims" / pod.namespace / str(volume.persistent_volume_claim["claimName"])
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o777)
            folder.chmod(0o777)
            for name, content in self._files(pod, volume).items():
                (folder / name).write_bytes(content)
        return str(folder)

    def _files(self, pod: Pod, volume: Volume) -> dict[str, bytes]:
        if volume.config_map is not None:
            data = self._get(ConfigMap, pod.namespace, volume.config_map.get("name", "")).data
            return {name: text.encode() for name, text in data.items()}
        if volume.secret is not None:
            data = self._get(Secret, pod.namespace, volume.secret.get("secretName", "")).data
            return {name: base64.b64decode(text) for name, text in data.items()}
        return {}

    def _get(self, kind, namespace: str, name: str):  # type: ignore[no-untyped-def]
        try:
            return self._client.get(kind, name, namespace)
        except NotFound as error:
            raise ConfigError(f"MountVolume.SetUp failed: {error.message}") from None
