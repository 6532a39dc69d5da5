"""From a Pod's words to the runtime's: environment, mounts, limits, labels.

Models: pkg/kubelet/kuberuntime/kuberuntime_container.go (generateContainerConfig), pkg/kubelet/kubelet_pods.go
(makeEnvironmentVariables), pkg/apis/core/v1/helper expansion ($(NAME) in commands).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from sys import intern
from typing import Any

from k8slab.api.core import ConfigMap, Container, Pod, Secret
from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.quantity import millis, value
from k8slab.client.client import Client
from k8slab.cri.api import ContainerConfig, Mount, Resources, SandboxConfig
from k8slab.kubelet.actions import container_hash

NO_RESOURCES = Resources()
REFERENCE = re.compile(r"\$(\$|\(([^)]*)\))")


class ConfigError(Exception):
    """A container can't be configured: what it refers to is not there."""


def sandbox_config(pod: Pod, attempt: int) -> SandboxConfig:
    """What the Pod's sandbox is made from."""
    return SandboxConfig(
        name=pod.name,
        namespace=pod.namespace,
        uid=pod.uid,
        attempt=attempt,
        hostname=pod.spec.hostname or pod.name[:63],
        host_network=pod.spec.host_network,
        labels=pod_labels(pod),
        annotations=dict(pod.metadata.annotations),
    )


def container_config(
    client: Client,
    pod: Pod,
    container: Container,
    attempt: int,
    address: str,
    node: Mapping[str, str],
    mounts: tuple[Mount, ...],
) -> ContainerConfig:
    """What a container is made from. Raises ConfigError."""
    env = _environment(client, pod, container, address, node)
    known = dict(env)
    return ContainerConfig(
        name=container.name,
        image=intern(container.image),
        attempt=attempt,
        command=tuple(expand(each, known) for each in container.command),
        args=tuple(expand(each, known) for each in container.args),
        working_dir=container.working_dir,
        env=env,
        mounts=mounts,
        resources=_resources(container),
        stdin=container.stdin,
        stdin_once=container.stdin_once,
        tty=container.tty,
        labels={**pod_labels(pod), "io.kubernetes.container.name": container.name},
        annotations={
            "io.kubernetes.container.hash": container_hash(container),
            "io.kubernetes.container.restartCount": str(attempt),
        },
    )


def _resources(container: Container) -> Resources:
    limits, requests = container.resources.limits, container.resources.requests
    if not limits and not requests:
        return NO_RESOURCES
    return Resources(
        cpu_millis=millis(limits["cpu"]) if "cpu" in limits else 0,
        cpu_request_millis=millis(requests["cpu"]) if "cpu" in requests else 0,
        memory_bytes=value(limits["memory"]) if "memory" in limits else 0,
    )


def pod_labels(pod: Pod) -> dict[str, str]:
    """By these a kubelet finds its Pods in the runtime again."""
    return {
        "io.kubernetes.pod.name": pod.name,
        "io.kubernetes.pod.namespace": pod.namespace,
        "io.kubernetes.pod.uid": pod.uid,
    }


def expand(text: str, known: Mapping[str, str]) -> str:
    """`$(NAME)` replaced, where NAME is known; `$$` is a dollar sign."""

    def replaced(match: re.Match[str]) -> str:
        if match.group(1) == "$":
            return "$"
        return known.get(match.group(2), match.group(0))

    return REFERENCE.sub(replaced, text)


def _environment(
    client: Client, pod: Pod, container: Container, address: str, node: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:  # fmt: skip
    found: dict[str, str] = {}
    for source in container.env_from:
        found |= _all_of(client, pod, source)
    for variable in container.env:
        if variable.value_from is None:
            found[variable.name] = expand(variable.value, found)
            continue
        text = _value_from(client, pod, container, variable.value_from, address, node)
        if text is not None:
            found[variable.name] = text
    return tuple(found.items())


def _value_from(
    client: Client, pod: Pod, container: Container, source: Mapping[str, Any], address: str, node: Mapping[str, str]
) -> str | None:
    if reference := source.get("fieldRef"):
        return _field(pod, reference.get("fieldPath", ""), address, node)
    if reference := source.get("resourceFieldRef"):
        table, _, name = reference.get("resource", "").partition(".")
        amounts = container.resources.limits if table == "limits" else container.resources.requests
        return str(value(amounts[name])) if name in amounts else "0"
    for key, kind in (("configMapKeyRef", ConfigMap), ("secretKeyRef", Secret)):
        if reference := source.get(key):
            data = _data(client, kind, pod.namespace, reference["name"], reference.get("optional", False))
            if data is not None and reference["key"] in data:
                return data[reference["key"]]
            if reference.get("optional"):
                return None
            what = "secret" if kind is Secret else "ConfigMap"
            raise ConfigError(f"couldn't find key {reference['key']} in {what} {pod.namespace}/{reference['name']}")
    return ""


def _all_of(client: Client, pod: Pod, source: Mapping[str, Any]) -> dict[str, str]:
    prefix = source.get("prefix", "")
    for key, kind in (("configMapRef", ConfigMap), ("secretRef", Secret)):
        if reference := source.get(key):
            data = _data(client, kind, pod.namespace, reference["name"], reference.get("optional", False)) or {}
            return {prefix + name: text for name, text in sorted(data.items())}
    return {}


def _data(
    client: Client, kind: type[ConfigMap] | type[Secret], namespace: str, name: str, optional: bool
) -> dict[str, str] | None:
    try:
        found = client.get(kind, name, namespace)
    except NotFound:
        if optional:
            return None
        raise ConfigError(f'{"secret" if kind is Secret else "configmap"} "{name}" not found') from None
    if isinstance(found, Secret):
        return {key: base64.b64decode(text).decode(errors="replace") for key, text in found.data.items()}
    return dict(found.data)


def _field(pod: Pod, path: str, address: str, node: Mapping[str, str]) -> str:
    fields = {
        "metadata.name": pod.name,
        "metadata.namespace": pod.namespace,
        "metadata.uid": pod.uid,
        "spec.nodeName": pod.spec.node_name,
        "spec.serviceAccountName": pod.spec.service_account_name,
        "status.hostIP": node.get("address", ""),
        "status.hostIPs": node.get("address", ""),
        "status.podIP": address,
        "status.podIPs": address,
    }
    if path in fields:
        return fields[path]
    for table, values in (("metadata.labels", pod.metadata.labels), ("metadata.annotations", pod.metadata.annotations)):
        if path.startswith(f"{table}['"):
            return values.get(path[len(table) + 2 : -2], "")
    raise ConfigError(f"unsupported fieldPath: {path}")
