"""Rules that many kinds share, in upstream's words.

Models: k8s.io/apimachinery/pkg/api/validation, pkg/util/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from k8slab.apimachinery.errors import Cause, invalid, required
from k8slab.apimachinery.labels import from_label_selector
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.metadata import label_causes, name_faults

NOT_NEGATIVE = "must be greater than or equal to 0"
PORT_RANGE = "must be between 1 and 65535, inclusive"
MAX_INT32 = 2**31 - 1
PROTOCOLS = ("SCTP", "TCP", "UDP")
_PERCENT = re.compile(r"[0-9]+%")
_PERCENT_TEXT = (
    "a valid percent string must be a numeric string followed by an ending '%' "
    "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
)


def not_negative(obj: JsonObject, path: str, *fields: str) -> Iterator[Cause]:
    """Numbers that may be 0 and more."""
    for field in fields:
        if (obj.get(field) or 0) < 0:
            yield invalid(f"{path}.{field}", obj[field], NOT_NEGATIVE)


def named(value: str, path: str, rule: str) -> Iterator[Cause]:
    """A name that must be there, and follow a rule (LABEL, SUBDOMAIN, DNS1035)."""
    if not value:
        yield required(path)
        return
    for fault in name_faults(value, rule):
        yield invalid(path, value, fault)


def port_name_faults(name: str) -> Iterator[str]:
    """What is wrong with the name of a port (IsValidPortName)."""
    if len(name) > 15:
        yield "must be no more than 15 characters"
    if not re.fullmatch(r"[-a-z0-9]+", name):
        yield "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not re.search(r"[a-z]", name):
        yield "must contain at least one letter (a-z)"
    if "--" in name:
        yield "must not contain consecutive hyphens"
    if name[:1] == "-" or name[-1:] == "-":
        yield "must not begin or end with a hyphen"


def target_port(value: Any, path: str) -> Iterator[Cause]:
    """A port by its number or its name."""
    if isinstance(value, str):
        for fault in port_name_faults(value) if value else ():
            yield invalid(path, value, fault)
    elif not 1 <= (value or 0) <= 65535:
        yield invalid(path, value or 0, PORT_RANGE)


def int_or_percent(value: Any, path: str, *, at_most_all: bool = False) -> Iterator[Cause]:
    """A number, or a share of all."""
    if isinstance(value, str):
        if not _PERCENT.fullmatch(value):
            yield invalid(path, value, _PERCENT_TEXT)
        elif at_most_all and int(value[:-1]) > 100:
            yield invalid(path, value, "must not be greater than 100%")
    elif isinstance(value, int) and value < 0:
        yield invalid(path, value, NOT_NEGATIVE)


def is_zero(value: Any) -> bool:
    """Whether a number or percentage is nothing."""
    return value in (0, "0%")


_NEEDS_VALUES, _TAKES_NONE = ("In", "NotIn"), ("Exists", "DoesNotExist")


def label_selector(selector: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """A label selector's maps and expressions."""
    yield from label_causes(f"{path}.matchLabels", selector.get("matchLabels") or {})
    for number, each in enumerate(selector.get("matchExpressions") or []):
        where, operator, values = f"{path}.matchExpressions[{number}]", each.get("operator"), each.get("values") or []
        if operator in _NEEDS_VALUES:
            if not values:
                yield required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in _TAKES_NONE:
            if values:
                text = "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield Cause(f"{where}.values", "FieldValueForbidden", text)
        else:
            yield invalid(f"{where}.operator", operator or "", "not a valid selector operator")
        yield from label_causes(f"{where}.key", {each.get("key", ""): ""})


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a selector chooses these labels; True for a selector that makes no sense, which is told elsewhere."""
    try:
        return bool(from_label_selector(selector).matches(dict(labels)))
    except ValueError:
        return True
