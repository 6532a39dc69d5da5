"""The strategy that most kinds share: rows of the tables of defaults, validations and selectable fields.

A kind with more to say (Pods, Services, Jobs...) has a subclass of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from k8slab.apimachinery.errors import Cause, invalid
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.defaults import DEFAULTS
from k8slab.apiserver.defaults.zeros import OMITTED, leave_out_zeros
from k8slab.apiserver.strategies.pod_warnings import TEMPLATES, pod_warnings
from k8slab.apiserver.strategies.selectable import SELECTABLE, values
from k8slab.apiserver.strategy import Strategy
from k8slab.apiserver.validation import VALIDATIONS

IMMUTABLE = "field is immutable"
_ADMISSION = "admissionregistration.k8s.io"
UNHEARD: Mapping[tuple[str, str], str] = {
    (_ADMISSION, "mutatingadmissionpolicies"): "its expressions are not evaluated",
    (_ADMISSION, "mutatingwebhookconfigurations"): "its webhooks are not called",
    (_ADMISSION, "validatingadmissionpolicies"): "its expressions are not evaluated",
    (_ADMISSION, "validatingwebhookconfigurations"): "its webhooks are not called",
    ("apiregistration.k8s.io", "apiservices"): "the server that it names is not asked",
}
"""Kinds that would have a say in other requests, and have none here: who creates one is warned."""


def _leave(obj: JsonObject) -> None:
    """A kind without defaults."""


def _accept(obj: JsonObject) -> list[Cause]:
    """A kind without rules beyond its schema."""
    return []


class KindStrategy(Strategy):
    """A kind by its tables."""

    counts_generations: ClassVar[bool] = False
    initial_status: ClassVar[JsonObject | None] = None
    """What `status` is at birth; None: no field of that name."""
    immutable: ClassVar[tuple[str, ...]] = ()
    """Paths of fields that stay as they were created, such as `spec.selector`."""

    def __init__(self, group: str, plural: str) -> None:
        self._complete: Callable[[JsonObject], None] = DEFAULTS.get((group, plural), _leave)
        self._faults: Callable[[JsonObject], list[Cause]] = VALIDATIONS.get((group, plural), _accept)
        self._zeros = OMITTED.get((group, plural))
        self._template = TEMPLATES.get((group, plural))
        self._unheard = UNHEARD.get((group, plural), "")
        self._rows = SELECTABLE.get((group, plural), ())
        self._labels = frozenset(row[0] for row in self._rows)

    def default(self, obj: JsonObject) -> None:
        """Fill in what the client left out."""
        self._complete(obj)
        self.leave_out(obj)

    def leave_out(self, obj: JsonObject) -> None:
        """Drop numbers that are 0, where the kind's types say so."""
        if self._zeros:
            leave_out_zeros(obj, self._zeros)

    def warnings(self, obj: JsonObject, old: JsonObject | None) -> list[str]:
        """That a kind is not heeded, where a client would rely on it; and what is odd about its Pods."""
        found = [f"{obj['kind']} is stored, but {self._unheard} by k8slab"] if self._unheard else []
        return found if self._template is None else found + pod_warnings(self._template, obj, old)

    def prepare_for_create(self, obj: JsonObject) -> None:
        """Start with the kind's own status, whatever the client sent."""
        if self.status_subresource and self.initial_status is not None:
            obj["status"] = dict(self.initial_status)

    def validate(self, obj: JsonObject) -> list[Cause]:
        """What is wrong with an object."""
        return self._faults(obj)

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """What is wrong with it, and what may not change."""
        causes = self.validate(obj)
        for path in self.immutable:
            if _at(obj, path) != _at(old, path):
                causes.append(invalid(path, _at(obj, path), IMMUTABLE))
        return causes

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """The values of the kind's field selectors."""
        return values(self._rows, obj)

    def field_labels(self) -> frozenset[str]:
        """Their names."""
        return self._labels


class WithStatus(KindStrategy):
    """A kind whose status is written through /status only, and begins empty."""

    initial_status: ClassVar[JsonObject | None] = {}


class Counted(KindStrategy):
    """A kind that counts the changes of its content in metadata.generation."""

    counts_generations: ClassVar[bool] = True


class CountedWithStatus(WithStatus):
    """A kind with both: its controller says in status.observedGeneration how far it has come."""

    counts_generations: ClassVar[bool] = True


def _at(obj: JsonObject, path: str) -> Any:
    found: Any = obj
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
