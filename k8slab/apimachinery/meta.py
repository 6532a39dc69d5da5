"""Metadata: what every object has, whatever its kind.

Models: k8s.io/apimachinery/pkg/apis/meta/v1/types.go (ObjectMeta, OwnerReference), controller_ref.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from k8slab.apimachinery.naming import json_name
from k8slab.apimachinery.rest import JsonObject


def no_entries() -> Any:
    """The default of a field that holds a map. (Of a plain `{}` pydantic would make a deep copy for each object.)"""
    return Field(default_factory=dict)


_CONFIG = ConfigDict(alias_generator=json_name, populate_by_name=True, frozen=True, extra="ignore")


class OwnerReference(BaseModel):
    """The dependent names its owner; the owner knows nothing of it."""

    model_config = _CONFIG

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False
    block_owner_deletion: bool = False


class ObjectMeta(BaseModel):
    """Names, labels, owners, and where the object is in its life."""

    model_config = _CONFIG

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    labels: Mapping[str, str] = no_entries()
    annotations: Mapping[str, str] = no_entries()
    owner_references: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()

    @property
    def deleting(self) -> bool:
        """Whether someone asked for its deletion."""
        return self.deletion_timestamp is not None

    @property
    def controller(self) -> OwnerReference | None:
        """The one owner that manages it, if it has one."""
        return next((owner for owner in self.owner_references if owner.controller), None)


def controller_reference(api_version: str, kind: str, name: str, uid: str) -> JsonObject:
    """An owner reference to the controller that manages an object, which the garbage collector then waits for."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(conditions: list[dict[str, Any]], kind: str) -> dict[str, Any] | None:
    """The condition of a type in a list of raw conditions, None where there is none."""
    return next((item for item in conditions if item.get("type") == kind), None)
