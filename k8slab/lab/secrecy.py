"""What is not told: what stands in a Secret.

Instruments compare, explain and draw what clusters hold, and what they show ends up in notebooks. That a Secret changed, and
which of its keys, is told; its values are not. Whoever wants them asks for them: `kubectl get secret -o yaml`.

k8slab's own; kubectl's diff and describe do the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

HIDDEN = "(hidden)"
PARTS = ("data", "stringData")
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""An annotation in which kubectl keeps the whole object, as it was applied."""


def is_secret(group: str, kind: str) -> bool:
    """Whether what objects of a kind hold is nobody's business."""
    return (group, kind) == ("", "Secret")


def told(path: Sequence[str], value: Any) -> Any:
    """The value at a path in a Secret, as it may be told: names of keys stay."""
    if path and path[0] in PARTS:
        return dict.fromkeys(value, HIDDEN) if isinstance(value, dict) else HIDDEN
    if path and path[0] == "metadata":  # as a whole, in part, or the annotation alone
        return _without_last_applied(path[-1], value)
    if not path and isinstance(value, dict):
        return {name: told((name,), each) for name, each in value.items()}
    return value


def _without_last_applied(name: str, value: Any) -> Any:
    if LAST_APPLIED in name:
        return HIDDEN
    if isinstance(value, dict):
        return {name: _without_last_applied(name, each) for name, each in value.items()}
    return value
