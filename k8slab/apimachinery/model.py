"""The base of every typed view.

A view is a short pydantic model of those fields of a kind that the engine reads. Python names are snake_case; the JSON
names are Kubernetes' own, initialisms included (`podIP`, `clusterIPs`), which a plain camel-caser gets wrong.
Views are frozen: to change an object, write through the client.
"""

from __future__ import annotations

from sys import intern
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

from k8slab.apimachinery.meta import ObjectMeta
from k8slab.apimachinery.naming import json_name
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource


class _Unkept:
    """Which fields were given is not remembered: nobody asks a view, and it would be half of its size."""

    def __get__(self, view: object, kind: type | None = None) -> set[str]:
        return set()

    def __set__(self, view: object, fields: set[str]) -> None:
        pass


class View(BaseModel):
    """Some fields of a JSON object, typed; the fields it does not name are left alone."""

    model_config = ConfigDict(alias_generator=json_name, populate_by_name=True, frozen=True, extra="ignore")
    __pydantic_fields_set__ = _Unkept()


class KubeObject(View):
    """An object of the API: `kind`, `apiVersion` and `metadata`. `resource` is its address."""

    resource: ClassVar[Resource]

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()

    @classmethod
    def of(cls, raw: JsonObject) -> Self:
        """The view of a JSON object."""
        return cls.model_validate(raw)

    @property
    def name(self) -> str:
        """`metadata.name`."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """`metadata.namespace`; empty for cluster-scoped kinds."""
        return self.metadata.namespace

    @property
    def uid(self) -> str:
        """`metadata.uid`."""
        return self.metadata.uid

    @property
    def key(self) -> str:
        """`namespace/name`, or `name` for cluster-scoped kinds: what a workqueue holds."""
        meta = self.metadata
        return intern(f"{meta.namespace}/{meta.name}") if meta.namespace else meta.name

    def reference(self) -> JsonObject:
        """An ObjectReference, as an event's `involvedObject` holds it."""
        reference: dict[str, Any] = {
            "kind": self.resource.kind,
            "namespace": self.metadata.namespace,
            "name": self.metadata.name,
            "uid": self.metadata.uid,
            "apiVersion": self.resource.api_version,
            "resourceVersion": self.metadata.resource_version,
        }
        return {key: value for key, value in reference.items() if value}
