"""Which objects concern a controller, and how it finds them: those of its kind, and those of nobody.

Every controller watches all Pods; most Pods are another's. An informer that accepts only these keeps nothing of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from k8slab.apimachinery.model import KubeObject

OWNER, NO_OWNER = "owner", "no-owner"
"""Indexes: by the UID of the controller; by the namespace, of what has none."""


def by_owner() -> Mapping[str, Callable[[Any], Iterable[str]]]:
    """The two indexes."""
    return {OWNER: _owners, NO_OWNER: _without_owner}


def orphan_or_owned_by(kind: str) -> Callable[[KubeObject], bool]:
    """Accepts what is managed by a controller of this kind, or by nobody."""

    def accept(obj: KubeObject) -> bool:
        owner = obj.metadata.controller
        return owner is None or owner.kind == kind

    return accept


def _owners(obj: KubeObject) -> list[str]:
    owner = obj.metadata.controller
    return [owner.uid] if owner else []


def _without_owner(obj: KubeObject) -> list[str]:
    return [] if obj.metadata.controller else [obj.namespace]
