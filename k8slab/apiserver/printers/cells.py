"""What the cells of a table are made of: durations, missing values, lists that are too long.

Models: k8s.io/apimachinery/pkg/util/duration/duration.go, pkg/printers/internalversion/printers.go (the helpers).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from k8slab.apimachinery.rest import JsonObject
from k8slab.clock import from_rfc3339

UNKNOWN, NONE, UNSET = "<unknown>", "<none>", "<unset>"
WIDE = 1
"""The priority of a column that shows with `-o wide` only."""


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column."""

    name: str
    type: str = "string"
    priority: int = 0
    format: str = ""
    description: str = ""

    def to_json(self) -> JsonObject:
        """As it stands in a Table's columnDefinitions."""
        format_ = "name" if self.name == "Name" else self.format
        return {
            "name": self.name, "type": self.type, "format": format_, "description": self.description,
            "priority": self.priority,
        }  # fmt: skip


Row = Callable[[JsonObject, float], list[Any]]
"""From an object and the time now to its cells, one for each column."""


@dataclass(frozen=True, slots=True)
class Printer:
    """How a kind is shown."""

    columns: tuple[Column, ...]
    row: Row
    conditions: Callable[[JsonObject], list[JsonObject]] | None = None
    """What the row says of itself, such as Completed."""


def columns(text: str) -> tuple[Column, ...]:
    """Columns from their names: `Name, Desired#, Age | Selector`. `#` marks whole numbers; after `|` come the wide ones."""
    narrow, _, wide = text.partition("|")
    found = []
    for part, priority in ((narrow, 0), (wide, WIDE)):
        for name in filter(None, (each.strip() for each in part.split(","))):
            found.append(Column(name.rstrip("#"), "integer" if name.endswith("#") else "string", priority))
    return tuple(found)


def human_duration(seconds: float) -> str:
    """A duration in two units at most, the more roughly the longer: `45s`, `5m30s`, `3h`, `12d`, `2y40d`."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 120:
        return f"{whole}s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 24 * 8:
        return _two(days, "d", hours % 24, "h")
    if hours < 24 * 365 * 2:
        return f"{days}d"
    if hours < 24 * 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"


def since(timestamp: Any, now: float) -> str:
    """How long ago a moment was."""
    if not timestamp:
        return UNKNOWN
    try:
        return human_duration(now - from_rfc3339(timestamp))
    except (ValueError, TypeError):
        return UNKNOWN


def age(obj: JsonObject, now: float) -> str:
    """How old an object is."""
    return since(meta(obj).get("creationTimestamp"), now)


def name(obj: JsonObject) -> str:
    """An object's name."""
    return str(meta(obj).get("name", ""))


def meta(obj: JsonObject) -> JsonObject:
    """An object's metadata."""
    return obj.get("metadata") or {}


def spec(obj: JsonObject) -> JsonObject:
    """An object's spec; empty where there is none."""
    return obj.get("spec") or {}


def status(obj: JsonObject) -> JsonObject:
    """An object's status; empty where there is none."""
    return obj.get("status") or {}


def condition(obj: JsonObject, kind: str) -> JsonObject:
    """A condition of the status; empty where there is none."""
    return next((each for each in status(obj).get("conditions") or [] if each.get("type") == kind), {})


def labels_text(labels: JsonObject | None) -> str:
    """A map of labels: `app=web,tier=front`."""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) if labels else NONE


_OPERATORS = {"In": "in", "NotIn": "notin"}


def selector_text(selector: JsonObject | None) -> str:
    """A label selector as kubectl takes it: `app=web,tier in (a,b),!old`."""
    if selector is None:
        return NONE
    parts = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    for each in selector.get("matchExpressions") or []:
        key, operator = each.get("key", ""), each.get("operator")
        if operator == "Exists":
            parts.append((key, key))
        elif operator == "DoesNotExist":
            parts.append((key, f"!{key}"))
        else:
            values = ",".join(sorted(each.get("values") or []))
            parts.append((key, f"{key} {_OPERATORS.get(str(operator), operator)} ({values})"))
    return ",".join(text for _, text in sorted(parts)) or NONE


def container_texts(pod_spec: JsonObject) -> tuple[str, str]:
    """The names and the images of a Pod spec's containers."""
    containers = pod_spec.get("containers") or []
    names, images = ([str(each.get(key, "")) for each in containers] for key in ("name", "image"))
    return ",".join(names), ",".join(images)


def template_texts(obj: JsonObject) -> tuple[str, str]:
    """The names and the images of the containers in an object's Pod template."""
    return container_texts((spec(obj).get("template") or {}).get("spec") or {})
