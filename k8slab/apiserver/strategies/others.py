"""The few other kinds that are not just stored: namespaces, nodes, events, Secrets, ConfigMaps, volumes.

Models: pkg/registry/core/{namespace,node,event,secret,configmap,persistentvolumeclaim}/strategy.go.
"""

from __future__ import annotations

from typing import ClassVar

from k8slab.apimachinery.errors import Cause, forbidden, invalid
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.strategies.base import IMMUTABLE, KindStrategy, WithStatus

NAMESPACE_FINALIZER = "kubernetes"


class NamespaceStrategy(WithStatus):
    """Namespaces: what is in one must go before it does, so each starts with a finalizer of its own, in its spec."""

    initial_status: ClassVar[JsonObject | None] = {"phase": "Active"}

    def prepare_for_create(self, obj: JsonObject) -> None:
        """Begin Active, with the finalizer that only /finalize takes away."""
        super().prepare_for_create(obj)
        finalizers = (obj.get("spec") or {}).get("finalizers") or []
        if NAMESPACE_FINALIZER not in finalizers:
            finalizers = [*finalizers, NAMESPACE_FINALIZER]
        obj["spec"] = {"finalizers": finalizers}

    def prepare_for_update(self, obj: JsonObject, old: JsonObject) -> None:
        """The spec is written through /finalize only."""
        if "spec" in old:
            obj["spec"] = old["spec"]


class NodeStrategy(WithStatus):
    """Nodes register with their status: a kubelet creates the whole object."""

    def prepare_for_create(self, obj: JsonObject) -> None:
        """Keep what the kubelet says of itself."""
        obj.setdefault("spec", {})
        obj.setdefault("status", {})

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """A Pod network range, once given, stays."""
        causes = self.validate(obj)
        had = (old.get("spec") or {}).get("podCIDR")
        if had and (obj.get("spec") or {}).get("podCIDR") != had:
            text = 'node updates may not change podCIDR except from "" to valid'
            causes.append(forbidden("spec.podCIDRs", text))
        return causes


class EventStrategy(KindStrategy):
    """Events have no status and no dependents, and are not kept for long."""

    status_subresource = False
    default_propagation: ClassVar[str] = "None"


class SealableStrategy(KindStrategy):
    """Secrets and ConfigMaps: one that says `immutable` stays as it is."""

    immutable: ClassVar[tuple[str, ...]] = ("type",)

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """Nothing of a sealed one may change, not even that it is sealed."""
        causes = super().validate_update(obj, old)
        if old.get("immutable"):
            sealed = "field is immutable when `immutable` is set"
            if not obj.get("immutable"):
                causes.append(forbidden("immutable", sealed))
            causes += [forbidden(key, sealed) for key in ("data", "binaryData") if obj.get(key) != old.get(key)]
        return causes


class VolumeStrategy(WithStatus):
    """PersistentVolumes begin pending."""

    initial_status: ClassVar[JsonObject | None] = {"phase": "Pending"}


class VolumeClaimStrategy(WithStatus):
    """PersistentVolumeClaims begin pending; once bound, only more may be asked for."""

    initial_status: ClassVar[JsonObject | None] = {"phase": "Pending"}

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """All but the size, and the volume that is bound, stays."""
        causes = self.validate(obj)
        free = ("resources", "volumeName", "volumeAttributesClassName")
        new, before = ({k: v for k, v in each["spec"].items() if k not in free} for each in (obj, old))
        if new != before or (
            old["spec"].get("volumeName") and obj["spec"].get("volumeName") != old["spec"]["volumeName"]
        ):
            text = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
            causes.append(forbidden("spec", text))
        return causes


class RoleBindingStrategy(KindStrategy):
    """Role bindings: whom they bind may change, to what may not."""

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """The role that is referred to stays."""
        causes = self.validate(obj)
        if obj.get("roleRef") != old.get("roleRef"):
            causes.append(invalid("roleRef", obj.get("roleRef"), "cannot change roleRef"))
        return causes


class PriorityClassStrategy(KindStrategy):
    """Priority classes: Pods carry the number, so it stays."""

    counts_generations: ClassVar[bool] = True

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """Value and preemption policy stay."""
        causes = self.validate(obj)
        if obj.get("value") != old.get("value"):
            causes.append(forbidden("value", "may not be changed in an update."))
        if obj.get("preemptionPolicy") != old.get("preemptionPolicy"):
            causes.append(invalid("preemptionPolicy", obj.get("preemptionPolicy"), IMMUTABLE))
        return causes
