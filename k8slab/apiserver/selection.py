"""Which objects a list or a watch is about: label selector and field selector.

Models: k8s.io/apiserver/pkg/storage/selection_predicate.go.
"""

from __future__ import annotations

from dataclasses import dataclass

from k8slab.apimachinery import fields, labels
from k8slab.apimachinery.errors import BadRequest
from k8slab.apimachinery.fields import FieldSelector
from k8slab.apimachinery.labels import Selector
from k8slab.apimachinery.rest import JsonObject, Request
from k8slab.apiserver.resources import ResourceInfo
from k8slab.apiserver.strategies.selectable import REFUSALS
from k8slab.apiserver.strategy import Strategy

NAME, NAMESPACE = "metadata.name", "metadata.namespace"


@dataclass(frozen=True, slots=True)
class Selection:
    """A label selector and a field selector of one kind."""

    labels: Selector
    fields: FieldSelector
    strategy: Strategy

    @property
    def everything(self) -> bool:
        """Whether it chooses all objects."""
        return self.labels.empty and self.fields.empty

    def matches(self, obj: JsonObject) -> bool:
        """Whether an object is chosen."""
        meta = obj["metadata"]
        if not self.labels.empty and not self.labels.matches(meta.get("labels") or {}):
            return False
        if self.fields.empty:
            return True
        for each in self.fields.requirements:
            name = each.field
            if name == NAME:
                value = meta.get("name", "")
            elif name == NAMESPACE:
                value = meta.get("namespace", "")
            else:
                value = self.strategy.selectable_fields(obj).get(name, "")
            if (value == each.value) != (each.op == "="):
                return False
        return True


def selection_of(request: Request, resource: ResourceInfo, strategy: Strategy) -> Selection:
    """The selectors of a request. Raises BadRequest in upstream's words."""
    try:
        by_labels = labels.parse_selector(request.param("labelSelector"))
    except ValueError as fault:
        raise BadRequest(
            f"unable to parse requirement: {fault}" if "requirement" not in str(fault) else str(fault)
        ) from None
    try:
        by_fields = fields.parse_field_selector(request.param("fieldSelector"))
    except ValueError as fault:
        raise BadRequest(str(fault)) from None
    for each in by_fields.requirements:
        _check_field(each.field, resource, strategy)
    return Selection(by_labels, by_fields, strategy)


def _check_field(name: str, resource: ResourceInfo, strategy: Strategy) -> None:
    """Raises BadRequest for a field that cannot be selected by."""
    own = strategy.field_labels()
    if name == NAME or name in own:
        return
    if not own and resource.custom is None:
        if name != NAMESPACE:
            raise BadRequest(f'"{name}" is not a known field selector: only "{NAME}", "{NAMESPACE}"')
    elif name != NAMESPACE or not resource.namespaced:
        raise BadRequest(REFUSALS.get(resource.group_plural, "field label not supported: {}").format(name))
