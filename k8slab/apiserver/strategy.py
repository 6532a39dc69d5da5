"""What differs from kind to kind.

The handlers treat all kinds alike; a `Strategy` holds what one kind adds: its defaults, its rules, what a client may not
set, how it is deleted, by which fields it can be selected. The base class is right for a kind that is only stored.
All hooks work on plain JSON objects; those that change one are given a private copy.

Models: k8s.io/apiserver/pkg/registry/rest (RESTCreateStrategy, RESTUpdateStrategy, RESTGracefulDeleteStrategy).
"""

from __future__ import annotations

from typing import ClassVar

from k8slab.apimachinery.errors import Cause
from k8slab.apimachinery.rest import JsonObject


class Strategy:
    """The rules of a kind. One shared, stateless instance per kind."""

    default_propagation: ClassVar[str] = "Background"
    """What happens to dependents when DELETE does not say: Background, Orphan (batch/v1 Job) or None (events)."""

    deletion_finalizers: ClassVar[tuple[str, ...]] = ()
    """Finalizers that an object is given when it begins to be deleted: for those who have to clear up first."""

    status_subresource: bool = True
    """Whether `status` is written through /status only."""

    counts_generations: ClassVar[bool] = True
    """Whether metadata.generation starts at 1 and rises with each change of anything but metadata and status."""

    def default(self, obj: JsonObject) -> None:
        """Fill in what the client left out. Called on create, update and patch, before admission."""

    def leave_out(self, obj: JsonObject) -> None:
        """Drop what upstream does not write: numbers that are 0. Part of `default`; called on a new status too."""

    def warnings(self, obj: JsonObject, old: JsonObject | None) -> list[str]:
        """What a client should be told of an object that is accepted; `old` is None for a new one."""
        return []

    def prepare_for_create(self, obj: JsonObject) -> None:
        """Drop what a client may not set on create (status), set what the kind starts with."""

    def validate(self, obj: JsonObject) -> list[Cause]:
        """What is wrong with a new object, beyond its schema; empty if nothing is."""
        return []

    def prepare_for_update(self, obj: JsonObject, old: JsonObject) -> None:
        """Carry over from `old` what this update may not change."""

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """What is wrong with the change from `old` to `obj` (spec or metadata): immutable fields, and `validate`."""
        return self.validate(obj)

    def prepare_for_status_update(self, obj: JsonObject, old: JsonObject) -> None:
        """Like prepare_for_update for a write to /status; the handler has already kept everything but status."""

    def validate_status_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """What is wrong with a status."""
        return []

    def begin_deletion(self, obj: JsonObject, now: str) -> None:
        """What an object that begins to be deleted is marked with (RFC 3339 time). Its metadata is private, all else shared."""

    def grace_period(self, obj: JsonObject, asked: int | None) -> int:
        """Seconds between the request to delete and the removal; 0 removes at once. Only pods wait."""
        return 0

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """The values of this kind's field selectors, besides metadata.name and metadata.namespace."""
        return {}

    def field_labels(self) -> frozenset[str]:
        """The names that `selectable_fields` can give: any other in a selector is a 400."""
        return frozenset()
