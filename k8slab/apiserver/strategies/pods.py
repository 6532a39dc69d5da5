"""Pods: born Pending, deleted gracefully, and hardly changed in between.

Models: pkg/registry/core/pod/strategy.go, pkg/apis/core/v1/helper/qos/qos.go, pkg/apis/core/validation (ValidatePodUpdate).
"""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.errors import Cause, forbidden
from k8slab.apimachinery.quantity import parse_quantity
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver import validation
from k8slab.apiserver.defaults import DEFAULTS
from k8slab.apiserver.strategy import Strategy

QOS_RESOURCES = ("cpu", "memory")
FIELDS = frozenset(
    {
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    }
)  # fmt: skip
UPDATE_REFUSED = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)


class PodStrategy(Strategy):
    """The rules of Pods."""

    def default(self, obj: JsonObject) -> None:
        """Fill in."""
        DEFAULTS["", "pods"](obj)

    def prepare_for_create(self, obj: JsonObject) -> None:
        """Pending, and of a quality-of-service class."""
        obj["status"] = {"phase": "Pending", "qosClass": qos_class(obj["spec"])}

    def validate(self, obj: JsonObject) -> list[Cause]:
        """A new Pod."""
        return validation.pod(obj)

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """Only a few fields may change."""
        if obj["spec"] == old["spec"]:
            return []
        causes = validation.pod(obj)
        if not causes and _fixed(obj["spec"], old["spec"]) != _fixed(old["spec"], old["spec"]):
            causes.append(forbidden("spec", UPDATE_REFUSED))
        return causes

    def prepare_for_status_update(self, obj: JsonObject, old: JsonObject) -> None:
        """The class is decided once."""
        if "status" in obj and "qosClass" in (old.get("status") or {}):
            obj["status"] = {**obj["status"], "qosClass": old["status"]["qosClass"]}

    def grace_period(self, obj: JsonObject, asked: int | None) -> int:
        """As asked, or as the Pod says; none for what never ran or has ended."""
        spec = obj.get("spec") or {}
        period = asked if asked is not None else spec.get("terminationGracePeriodSeconds", 30)
        if not spec.get("nodeName") or (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return 0
        return 1 if period < 0 else period

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """By node, phase and some more."""
        spec, status = obj.get("spec") or {}, obj.get("status") or {}
        return {
            "spec.nodeName": spec.get("nodeName", ""),
            "spec.restartPolicy": spec.get("restartPolicy", ""),
            "spec.schedulerName": spec.get("schedulerName", ""),
            "spec.serviceAccountName": spec.get("serviceAccountName", ""),
            "spec.hostNetwork": "true" if spec.get("hostNetwork") else "false",
            "status.phase": status.get("phase", ""),
            "status.podIP": status.get("podIP", ""),
            "status.podIPs": status.get("podIP", ""),
            "status.nominatedNodeName": status.get("nominatedNodeName", ""),
        }

    def field_labels(self) -> frozenset[str]:
        """Their names."""
        return FIELDS


def qos_class(spec: JsonObject) -> str:
    """Guaranteed, Burstable or BestEffort."""
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    requests: dict[str, Any] = {}
    limits: dict[str, Any] = {}
    guaranteed = True
    for container in containers:
        resources = container.get("resources") or {}
        limited = set()
        for table, total in (("requests", requests), ("limits", limits)):
            for name, value in (resources.get(table) or {}).items():
                amount = parse_quantity(value)
                if name in QOS_RESOURCES and amount > 0:
                    total[name] = total.get(name, 0) + amount
                    if table == "limits":
                        limited.add(name)
        guaranteed = guaranteed and len(limited) == len(QOS_RESOURCES)
    if not requests and not limits:
        return "BestEffort"
    return "Guaranteed" if guaranteed and requests == limits else "Burstable"


def _fixed(spec: JsonObject, old: JsonObject) -> JsonObject:
    """A spec without what may change."""
    fixed = {k: v for k, v in spec.items() if k not in ("activeDeadlineSeconds",)}
    for key in ("containers", "initContainers"):
        if key in spec:
            fixed[key] = [{k: v for k, v in container.items() if k != "image"} for container in spec[key]]
    before, now = old.get("tolerations") or [], spec.get("tolerations") or []
    if now[: len(before)] == before or all(each in now for each in before):
        fixed["tolerations"] = before
    if old.get("terminationGracePeriodSeconds", 0) < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        fixed["terminationGracePeriodSeconds"] = old["terminationGracePeriodSeconds"]
    return fixed
