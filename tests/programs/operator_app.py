"""A kopf operator for Robots: it creates a ConfigMap and a Pod for each, notes what it did, counts the time, and clears up.

Run by the test as `kopf run`, unmodified.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import kopf
from kubernetes import client, config
from kubernetes.client.rest import ApiException

from tests.programs.manifests import IMAGE, NETEXEC

GROUP = "kopf.example.com"


@contextmanager
def suppress_conflict() -> Iterator[None]:
    """A handler may be called again where its success could not be noted: then what it made is there already."""
    try:
        yield
    except ApiException as fault:
        if fault.status != 409:
            raise


@kopf.on.startup()
def begin(settings: kopf.OperatorSettings, **_: Any) -> None:
    config.load_kube_config()
    settings.persistence.finalizer = f"{GROUP}/operator"
    settings.background.cancellation_polling = (
        0.2  # else a daemon that takes a moment to end is looked at after a minute
    )


@kopf.on.create(GROUP, "v1", "robots")
def build(spec: kopf.Spec, name: str, namespace: str, **_: Any) -> dict[str, Any]:
    """What is returned is kept in the status."""
    data = {"metadata": {"name": f"{name}-settings"}, "data": {"legs": str(spec["legs"])}}
    body = {
        "metadata": {"name": f"{name}-body"},
        "spec": {"containers": [{"name": "main", "image": IMAGE, "command": NETEXEC}]},
    }
    kopf.adopt(data)
    kopf.adopt(body)
    core = client.CoreV1Api()
    with suppress_conflict():
        core.create_namespaced_config_map(namespace, data)
    with suppress_conflict():
        core.create_namespaced_pod(namespace, body)
    return {"children": 2}


@kopf.on.field(GROUP, "v1", "robots", field="spec.legs")
def walk(old: int | None, new: int | None, name: str, namespace: str, patch: kopf.Patch, **_: Any) -> None:
    if old is not None and new is not None:
        client.CoreV1Api().patch_namespaced_config_map(f"{name}-settings", namespace, {"data": {"legs": str(new)}})
        patch.status["walks"] = f"{old}->{new}"


@kopf.timer(GROUP, "v1", "robots", interval=0.2)
def tick(status: kopf.Status, patch: kopf.Patch, **_: Any) -> None:
    patch.status["ticks"] = status.get("ticks", 0) + 1


@kopf.daemon(GROUP, "v1", "robots")
def watchdog(stopped: kopf.DaemonStopped, name: str, namespace: str, **_: Any) -> None:
    body = {"status": {"watched": True}}
    client.CustomObjectsApi().patch_namespaced_custom_object_status(GROUP, "v1", namespace, "robots", name, body)
    stopped.wait(60)


@kopf.on.delete(GROUP, "v1", "robots")
def retire(name: str, namespace: str, **_: Any) -> None:
    body = {"metadata": {"name": f"{name}-was-here"}}
    with suppress_conflict():
        client.CoreV1Api().create_namespaced_config_map(namespace, body)


@kopf.on.event("", "v1", "configmaps", labels={"watched-by": "kopf"})
def seen(name: str, logger: kopf.Logger, **_: Any) -> None:
    logger.info("seen %s", name)
