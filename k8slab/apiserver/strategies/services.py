"""Services: a cluster IP is for life, as long as the type has one.

Models: pkg/registry/core/service/strategy.go, storage/alloc.go (the allocation itself is in service_ip.py),
pkg/apis/core/validation/validation.go (ValidateServiceUpdate).
"""

from __future__ import annotations

from typing import ClassVar

from k8slab.apimachinery.errors import Cause, invalid
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.strategies.base import WithStatus

WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
_OF_ADDRESSES = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


class ServiceStrategy(WithStatus):
    """The rules of Services."""

    initial_status: ClassVar[JsonObject | None] = {"loadBalancer": {}}

    def prepare_for_create(self, obj: JsonObject) -> None:
        """Only the type decides which addresses there are."""
        super().prepare_for_create(obj)
        self._settle(obj)

    def prepare_for_update(self, obj: JsonObject, old: JsonObject) -> None:
        """An address that the client leaves out is kept: a Service is put back as it was read."""
        spec, before = obj["spec"], old["spec"]
        if "ExternalName" not in (spec.get("type"), before.get("type")):
            for field in _OF_ADDRESSES:
                if not spec.get(field) and before.get(field):
                    spec[field] = before[field]
        elif before.get("type") != spec.get("type") and spec.get("clusterIP") == before.get("clusterIP"):
            for field in _OF_ADDRESSES:
                spec.pop(field, None)
        self._keep_node_ports(spec, before)
        self._settle(obj)

    @staticmethod
    def _keep_node_ports(spec: JsonObject, before: JsonObject) -> None:
        """A port that the client names without its node port keeps it; a type without node ports gives them back."""
        if spec.get("type") != before.get("type") == "LoadBalancer":
            spec.pop("allocateLoadBalancerNodePorts", None)
        if spec.get("type") not in WITH_NODE_PORTS:
            if before.get("type") in WITH_NODE_PORTS:
                for port in spec.get("ports") or []:
                    port.pop("nodePort", None)
                spec.pop("externalTrafficPolicy", None)
            return
        had = {
            (port.get("protocol"), port.get("port")): port.get("nodePort")
            for port in before.get("ports") or []
            if port.get("nodePort")
        }
        taken = {port.get("nodePort") for port in spec.get("ports") or []}
        for port in spec.get("ports") or []:
            kept = had.get((port.get("protocol"), port.get("port")))
            if not port.get("nodePort") and kept and kept not in taken:
                port["nodePort"] = kept

    @staticmethod
    def _settle(obj: JsonObject) -> None:
        spec = obj["spec"]
        if spec.get("type") == "ExternalName":
            if not spec.get("clusterIP"):
                for field in _OF_ADDRESSES:
                    spec.pop(field, None)
            return
        if not spec.get("clusterIP") and spec.get("clusterIPs"):
            spec["clusterIP"] = spec["clusterIPs"][0]
        elif spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        if not spec.get("ipFamilies"):
            spec["ipFamilies"] = ["IPv4"]
        if not spec.get("ipFamilyPolicy"):
            spec["ipFamilyPolicy"] = "SingleStack"

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """Besides the rules of a new one: the cluster IP stays."""
        causes = self.validate(obj)
        spec, before = obj["spec"], old["spec"]
        had = before.get("clusterIP")
        if had and "ExternalName" not in (spec.get("type"), before.get("type")) and spec.get("clusterIP") != had:
            text = "may not change once set"
            causes.append(invalid("spec.clusterIPs[0]", spec.get("clusterIP", ""), text))
        return causes
