"""The rules of the other kinds.

Models: pkg/registry/<group>/<kind>/strategy.go, one each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from k8slab.apimachinery.errors import Cause
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver import validation
from k8slab.apiserver.defaults import DEFAULTS
from k8slab.apiserver.strategy import Strategy


class Defaulted(Strategy):
    """A kind with defaults, and no rules of its own."""

    counts_generations = False
    status_subresource = False

    def __init__(self, fill: Callable[[JsonObject], None] | None = None, *, generations: bool = False, status: bool = False) -> None:
        self._fill = fill
        self.counts_generations = generations  # type: ignore[misc]
        self.status_subresource = status  # type: ignore[misc]

    def default(self, obj: JsonObject) -> None:
        """Fill in."""
        if self._fill:
            self._fill(obj)

    def prepare_for_create(self, obj: JsonObject) -> None:
        """Nobody is born with a status."""
        if self.status_subresource:
            obj.pop("status", None)


class WorkloadStrategy(Strategy):
    """Deployments, ReplicaSets, StatefulSets, DaemonSets."""

    def __init__(
        self, fill: Callable[[JsonObject], None], check: Callable[[JsonObject], list[Cause]], *fixed: str
    ) -> None:  # fmt: skip
        self._fill, self._check, self._fixed = fill, check, fixed

    def default(self, obj: JsonObject) -> None:
        """Fill in."""
        self._fill(obj)

    def prepare_for_create(self, obj: JsonObject) -> None:
        """Nothing runs yet."""
        obj["status"] = {"replicas": 0} if obj["kind"] == "ReplicaSet" else {}

    def validate(self, obj: JsonObject) -> list[Cause]:
        """Selector, template, replicas."""
        return self._check(obj)

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """The selector stays."""
        if obj.get("spec") == old.get("spec"):
            return []
        return self._check(obj) + validation.immutable(obj, old, *self._fixed)

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """ReplicaSets can be chosen by their size."""
        return {"status.replicas": str((obj.get("status") or {}).get("replicas", 0))}

    def field_labels(self) -> frozenset[str]:
        """Their names."""
        return frozenset({"status.replicas"})


class JobStrategy(WorkloadStrategy):
    """Jobs leave their Pods behind unless told otherwise."""

    default_propagation = "Orphan"

    def prepare_for_create(self, obj: JsonObject) -> None:
        """Nothing runs yet; the server makes the selector."""
        obj["status"] = {}
        spec = obj["spec"]
        if not spec.get("selector") and not spec.get("manualSelector"):
            uid, name = obj["metadata"]["uid"], obj["metadata"]["name"]
            labels = {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name}
            spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
            meta = spec["template"].setdefault("metadata", {})
            meta["labels"] = {**(meta.get("labels") or {}), **labels, "controller-uid": uid, "job-name": name}

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """By how many Pods succeeded."""
        return {"status.successful": str((obj.get("status") or {}).get("succeeded", 0))}

    def field_labels(self) -> frozenset[str]:
        """Their names."""
        return frozenset({"status.successful"})


class ServiceStrategy(Strategy):
    """Services keep their address."""

    counts_generations = False

    def default(self, obj: JsonObject) -> None:
        """Fill in."""
        DEFAULTS["", "services"](obj)

    def prepare_for_create(self, obj: JsonObject) -> None:
        """No load balancer yet."""
        obj["status"] = {"loadBalancer": {}}

    def prepare_for_update(self, obj: JsonObject, old: JsonObject) -> None:
        """What the client leaves out stays."""
        spec, before = obj["spec"], old.get("spec") or {}
        if spec.get("type") != "ExternalName":
            for field in ("clusterIP", "clusterIPs"):
                if not spec.get(field) and before.get(field):
                    spec[field] = before[field]
        ports = {(port.get("protocol"), port.get("port")): port for port in before.get("ports") or []}
        if spec.get("type") in ("NodePort", "LoadBalancer"):
            for port in spec.get("ports") or []:
                same = ports.get((port.get("protocol"), port.get("port")))
                if not port.get("nodePort") and same and same.get("nodePort"):
                    port["nodePort"] = same["nodePort"]
        elif before.get("type") in ("NodePort", "LoadBalancer"):
            for port in spec.get("ports") or []:
                port.pop("nodePort", None)

    def validate(self, obj: JsonObject) -> list[Cause]:
        """Ports, names, type."""
        return validation.service(obj)

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """The address stays."""
        causes = validation.service(obj)
        before = (old.get("spec") or {}).get("clusterIP")
        if before and obj["spec"].get("type") != "ExternalName" and obj["spec"].get("clusterIP") != before:
            path = "spec.clusterIPs[0]"
            value = [obj["spec"].get("clusterIP")]
            causes.append(Cause(path, "FieldValueInvalid", f"Invalid value: {value}: may not change once set"))
        return causes

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """By address and type."""
        spec = obj.get("spec") or {}
        return {"spec.clusterIP": spec.get("clusterIP", ""), "spec.type": spec.get("type", "")}

    def field_labels(self) -> frozenset[str]:
        """Their names."""
        return frozenset({"spec.clusterIP", "spec.type"})


class NamespaceStrategy(Strategy):
    """Namespaces go away in two steps: `spec.finalizers` holds them until they are empty."""

    counts_generations = False

    def default(self, obj: JsonObject) -> None:
        """Fill in."""
        DEFAULTS["", "namespaces"](obj)

    def prepare_for_create(self, obj: JsonObject) -> None:
        """Active, and held by the namespace controller."""
        obj["status"] = {"phase": "Active"}
        spec = obj.setdefault("spec", {})
        if "kubernetes" not in (spec.get("finalizers") or []):
            spec["finalizers"] = [*(spec.get("finalizers") or []), "kubernetes"]

    def prepare_for_update(self, obj: JsonObject, old: JsonObject) -> None:
        """Its finalizers change through /finalize only."""
        obj["spec"] = old.get("spec") or {}

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """By phase."""
        return {"status.phase": (obj.get("status") or {}).get("phase", "")}

    def field_labels(self) -> frozenset[str]:
        """Their names."""
        return frozenset({"status.phase", "name"})


class NodeStrategy(Strategy):
    """Nodes may be born with a status: the kubelet registers itself whole."""

    counts_generations = False

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """By whether it is cordoned."""
        return {"spec.unschedulable": "true" if (obj.get("spec") or {}).get("unschedulable") else "false"}

    def field_labels(self) -> frozenset[str]:
        """Their names."""
        return frozenset({"spec.unschedulable"})


class EventStrategy(Strategy):
    """Events: written once or patched, forgotten after an hour, never waited for."""

    default_propagation = "None"
    status_subresource = False
    counts_generations = False
    INVOLVED: ClassVar[tuple[str, ...]] = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """By the object that they are about, and by who says what."""
        involved = obj.get("involvedObject") or obj.get("regarding") or {}
        source = (obj.get("source") or {}).get("component", "") or obj.get("reportingComponent", "")
        found = {f"involvedObject.{name}": involved.get(name, "") for name in self.INVOLVED}
        found |= {f"regarding.{name}": involved.get(name, "") for name in self.INVOLVED}
        return found | {
            "reason": obj.get("reason", ""),
            "reportingComponent": obj.get("reportingComponent", ""),
            "source": source,
            "type": obj.get("type", ""),
        }

    def field_labels(self) -> frozenset[str]:
        """Their names."""
        return frozenset(self.selectable_fields({}))


class DataStrategy(Defaulted):
    """ConfigMaps and Secrets: keys have a form, and what is immutable stays."""

    def validate(self, obj: JsonObject) -> list[Cause]:
        """The keys."""
        return validation.data_keys(obj)

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """What was declared immutable."""
        causes = validation.data_keys(obj)
        if old.get("immutable"):
            if not obj.get("immutable"):
                causes.append(Cause("immutable", "FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set"))
            for field in ("data", "binaryData"):
                if obj.get(field) != old.get(field):
                    causes.append(Cause(field, "FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set"))
        if obj.get("kind") == "Secret" and obj.get("type") != old.get("type"):
            causes.append(Cause("type", "FieldValueInvalid", f'Invalid value: "{obj.get("type")}": field is immutable'))
        return causes

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """Secrets by type."""
        return {"type": obj.get("type", "")}

    def field_labels(self) -> frozenset[str]:
        """Their names."""
        return frozenset({"type"})
