"""CustomResourceDefinitions: kinds that users define.

Models: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from k8slab.apimachinery.model import KubeObject, View
from k8slab.apimachinery.scheme import Resource


class DefinitionNames(View):
    """What a kind is called."""

    plural: str = ""
    singular: str = ""
    short_names: tuple[str, ...] = ()
    kind: str = ""
    list_kind: str = ""
    categories: tuple[str, ...] = ()


class DefinitionVersion(View):
    """A version of it."""

    name: str = ""
    served: bool = False
    storage: bool = False


class DefinitionSpec(View):
    """Group, names, scope and versions."""

    group: str = ""
    scope: str = ""
    names: DefinitionNames = DefinitionNames()
    versions: tuple[DefinitionVersion, ...] = ()


class DefinitionCondition(View):
    """NamesAccepted, Established or Terminating."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None


class DefinitionStatus(View):
    """Whether it is served, and under which names."""

    conditions: tuple[DefinitionCondition, ...] | None = None
    accepted_names: DefinitionNames = DefinitionNames()
    stored_versions: tuple[str, ...] = ()


class CustomResourceDefinition(KubeObject):
    """A kind that a user defines."""

    resource: ClassVar = Resource(
        "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
    )

    spec: DefinitionSpec = DefinitionSpec()
    status: DefinitionStatus = DefinitionStatus()

    def condition(self, type_: str) -> DefinitionCondition | None:
        """A condition of its status."""
        return next((each for each in self.status.conditions or () if each.type == type_), None)

    def is_true(self, type_: str) -> bool:
        """Whether a condition holds."""
        found = self.condition(type_)
        return found is not None and found.status == "True"
