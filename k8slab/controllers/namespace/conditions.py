"""What a namespace says of itself while it is being deleted: five conditions, so that somebody who waits knows for what.

A condition is `True` where something is in the way, and stays in the list as `False` where nothing is.

Models: pkg/controller/namespace/deletion/status_condition_utils.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8slab.apimachinery.rest import JsonObject
from k8slab.controllers.namespace.deleter import Left

NOTHING_IN_THE_WAY = {
    "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
}
"""The conditions in their order, each with its reason and message where it is False."""


def updated(before: list[JsonObject], left: Left, now: str) -> list[JsonObject]:
    """The conditions as they are to be; the same list if nothing has changed."""
    in_the_way = {type_: (reason, message) for type_, reason, message in problems(left)}
    known = {each["type"]: each for each in before}
    conditions = [each for each in before if each["type"] not in NOTHING_IN_THE_WAY]
    for type_, fine in NOTHING_IN_THE_WAY.items():
        reason, message = in_the_way.get(type_, fine)
        status = "True" if type_ in in_the_way else "False"
        old = known.get(type_)
        since = old["lastTransitionTime"] if old and old["status"] == status else now
        conditions.append(
            {"type": type_, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}
        )
    return conditions


def problems(left: Left) -> Iterator[tuple[str, str, str]]:
    """(type, reason, message) of all that is in the way."""
    if left.discovery_error:
        yield "NamespaceDeletionDiscoveryFailure", "DiscoveryFailed", left.discovery_error
    if left.delete_errors:
        errors = ", ".join(sorted(left.delete_errors))
        message = f"Failed to delete all resource types, {len(left.delete_errors)} remaining: {errors}"
        yield "NamespaceDeletionContentFailure", "ContentDeletionFailed", message
    if left.objects:
        remain = ", ".join(sorted(f"{kind} has {count} resource instances" for kind, count in left.objects.items()))
        yield "NamespaceContentRemaining", "SomeResourcesRemain", f"Some resources are remaining: {remain}"
    if left.finalizers:
        remain = ", ".join(sorted(f"{name} in {count} resource instances" for name, count in left.finalizers.items()))
        message = f"Some content in the namespace has finalizers remaining: {remain}"
        yield "NamespaceFinalizersRemaining", "SomeFinalizersRemain", message
