"""What several programs use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

NETEXEC = ["/agnhost", "netexec", "--http-port=8080"]
IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.39"


def refusal(call: Callable[[], Any]) -> Any:
    """The error that a call ends with."""
    try:
        call()
    except Exception as fault:
        return fault
    raise AssertionError("it was not refused")


def definition(group: str = "robots.example.com", kind: str = "Robot") -> dict[str, Any]:
    """A kind Robot, with a default, a rule, a status and a scale."""
    spec = {
        "type": "object",
        "properties": {
            "legs": {"type": "integer", "minimum": 0, "default": 2},
            "name": {"type": "string"},
        },
    }
    status = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}},
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.legs", "statusReplicasPath": ".status.legs"},
        },
        "additionalPrinterColumns": [{"name": "Legs", "type": "integer", "jsonPath": ".spec.legs"}],
    }
    singular = kind.lower()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{singular}s.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": f"{singular}s", "singular": singular, "kind": kind, "shortNames": [f"x{singular}"]},
            "versions": [version],
        },
    }


ROBOTS = definition()


def robot(name: str, group: str = "robots.example.com", kind: str = "Robot", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def deployment(name: str, replicas: int = 2) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "main", "image": IMAGE, "command": NETEXEC, "ports": [{"containerPort": 8080}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
    }


def peering() -> dict[str, Any]:
    """The kind by which kopf's operators know of each other, as kopf's documentation has it."""
    status = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"status": status}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "clusterkopfpeerings.kopf.dev"},
        "spec": {
            "group": "kopf.dev",
            "scope": "Cluster",
            "names": {"kind": "ClusterKopfPeering", "plural": "clusterkopfpeerings", "singular": "clusterkopfpeering"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
