"""The rules of the kinds, beyond their schemas."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8slab.apimachinery.errors import Cause
from k8slab.apimachinery.rest import JsonObject

VALIDATIONS: Mapping[tuple[str, str], Callable[[JsonObject], list[Cause]]] = {}
