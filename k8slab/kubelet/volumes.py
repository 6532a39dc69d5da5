"""Volumes: directories of the node that a Pod's containers can mount.

With a real runtime each Pod gets a folder; `emptyDir` is an empty one in it, a ConfigMap or a Secret one with a file for each
key, a projected volume one with the files of several sources, the Pod's token among them. A claim's folder belongs to no Pod,
so that the next Pod finds what the last one left. The simulated runtime's node has files too (`NodeFiles`), which are made
when a container first looks: most never do.

Tokens are not renewed here: those that admission mounts live for a year.

Models: pkg/kubelet/volumemanager, pkg/kubelet/token, pkg/volume/{emptydir,configmap,secret,projected,downwardapi,hostpath}.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from sys import intern
from typing import Any

from k8slab.api.core import ConfigMap, Container, Pod, Secret, ServiceAccount, Volume
from k8slab.apimachinery.errors import ApiError, NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import Client
from k8slab.cri.api import Mount
from k8slab.cri.machine import NodeFiles
from k8slab.kubelet.container_config import ConfigError

Files = dict[str, bytes]
"""Contents by the path below the volume's directory."""
TOKEN_SECONDS = 3600


class Volumes:
    """The volumes of one node's Pods. `root`: where they lie, or `disk`, for simulated ones; neither: nowhere."""

    def __init__(self, client: Client, root: Path | None, disk: NodeFiles | None = None) -> None:
        self._client, self._root, self._disk = client, root, disk
        if disk is not None:
            disk.make = self._files_or_none

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
                found.append(Mount(intern(mount.mount_path), path, mount.read_only or _is_read_only(volume)))
        return tuple(found)

    def remove(self, uid: str) -> None:
        """A Pod has gone: its volumes too."""
        if self._root is not None:
            shutil.rmtree(self._root / uid, ignore_errors=True)
        elif self._disk is not None:
            self._disk.remove_below(_simulated(uid))

    def _path(self, pod: Pod, volume: Volume) -> str:
        if volume.host_path is not None:
            return str(volume.host_path.get("path", ""))
        if self._root is None:
            path = intern(f"{_simulated(pod.uid)}/{volume.name}")
            if self._disk is not None and _is_read_only(volume) and not self._disk.has_folder(path):
                self._disk.promise(path, pod.namespace, pod.name, volume.name)
            return path
        folder = self._root / pod.uid / volume.name
        if volume.persistent_volume_claim is not None:
            folder = self._root / "claims" / pod.namespace / str(volume.persistent_volume_claim["claimName"])
        if not folder.exists():
            files = self._files(pod, volume)
            folder.mkdir(parents=True, mode=0o777)
            folder.chmod(0o777)
            for name, content in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
        return str(folder)

    def _files_or_none(self, namespace: str, name: str, volume: str) -> Files:
        """What can be read now; a simulated container finds an empty directory where nothing can."""
        try:
            pod = self._client.get(Pod, name, namespace)
            return self._files(pod, next(each for each in pod.spec.volumes if each.name == volume))
        except (ConfigError, ApiError):
            return {}

    def _files(self, pod: Pod, volume: Volume) -> Files:
        sources = volume.projected.get("sources") or [] if volume.projected is not None else [_source_of(volume)]
        found: Files = {}
        for source in sources:
            for kind, content in source.items():
                if kind in SOURCES and content is not None:
                    found |= SOURCES[kind](self, pod, content)
        return found

    def _config_map(self, pod: Pod, source: Mapping[str, Any]) -> Files:
        data = self._get(ConfigMap, pod.namespace, source.get("name", "")).data
        return _chosen({key: text.encode() for key, text in data.items()}, source)

    def _secret(self, pod: Pod, source: Mapping[str, Any]) -> Files:
        name = source.get("secretName") or source.get("name", "")
        data = self._get(Secret, pod.namespace, name).data
        return _chosen({key: base64.b64decode(text) for key, text in data.items()}, source)

    def _token(self, pod: Pod, source: Mapping[str, Any]) -> Files:
        """A token that is good as long as the Pod is there."""
        bound = {"kind": "Pod", "apiVersion": "v1", "name": pod.name, "uid": pod.uid}
        spec: JsonObject = {
            "expirationSeconds": source.get("expirationSeconds") or TOKEN_SECONDS, "boundObjectRef": bound
        }  # fmt: skip
        if source.get("audience"):
            spec["audiences"] = [source["audience"]]
        path = ServiceAccount.resource.path(pod.namespace, pod.spec.service_account_name, "token")
        try:
            answer = self._client.raw("POST", path, body={"spec": spec})
        except ApiError as error:
            raise ConfigError(f"MountVolume.SetUp failed: failed to fetch token: {error.message}") from None
        return {source.get("path", "token"): answer["status"]["token"].encode()}

    def _downward(self, pod: Pod, source: Mapping[str, Any]) -> Files:
        items = source.get("items") or []
        return {item["path"]: _field(pod, (item.get("fieldRef") or {}).get("fieldPath", "")).encode() for item in items}

    def _get(self, kind, namespace: str, name: str):  # type: ignore[no-untyped-def]
        try:
            return self._client.get(kind, name, namespace)
        except NotFound as error:
            raise ConfigError(f"MountVolume.SetUp failed: {error.message}") from None


SOURCES: Mapping[str, Callable[[Volumes, Pod, Mapping[str, Any]], Files]] = {
    "configMap": Volumes._config_map,
    "secret": Volumes._secret,
    "serviceAccountToken": Volumes._token,
    "downwardAPI": Volumes._downward,
}
"""What files can come from."""


def _source_of(volume: Volume) -> JsonObject:
    return {"configMap": volume.config_map, "secret": volume.secret, "downwardAPI": volume.downward_api}


def _is_read_only(volume: Volume) -> bool:
    """Whether a volume is made from objects, and stays as it is."""
    return any(
        source is not None for source in (volume.config_map, volume.secret, volume.downward_api, volume.projected)
    )


def _chosen(files: Files, source: Mapping[str, Any]) -> Files:
    """All keys, or those that are listed, at their paths."""
    items = source.get("items")
    if not items:
        return files
    missing = [item["key"] for item in items if item["key"] not in files]
    if missing and not source.get("optional"):
        raise ConfigError(f"MountVolume.SetUp failed: references non-existent key: {missing[0]}")
    return {item["path"]: files[item["key"]] for item in items if item["key"] in files}


def _field(pod: Pod, path: str) -> str:
    """A field of the Pod, for the downward API: `metadata.name`, `metadata.labels['app']`, all labels as lines."""
    meta = pod.metadata
    simple = {
        "metadata.name": meta.name, "metadata.namespace": meta.namespace, "metadata.uid": meta.uid,
        "spec.nodeName": pod.spec.node_name, "spec.serviceAccountName": pod.spec.service_account_name,
    }  # fmt: skip
    if path in simple:
        return simple[path]
    name, _, key = path.partition("[")
    found = {"metadata.labels": meta.labels, "metadata.annotations": meta.annotations}.get(name, {})
    if key:
        return str(found.get(key.rstrip("]").strip("'\""), ""))
    return "\n".join(f'{each}="{found[each]}"' for each in sorted(found))


def _simulated(uid: str) -> str:
    return f"/var/lib/kubelet/pods/{uid}/volumes"
