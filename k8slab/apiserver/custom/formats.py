"""The formats that a string of a custom resource may be asked to have. An unknown format allows everything.

Models: k8s.io/kube-openapi/pkg/validation/strfmt, k8s.io/apiextensions-apiserver/pkg/apiserver/validation/formats.go.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date
from urllib.parse import urlsplit

from k8slab.apimachinery.checker import RFC3339
from k8slab.apimachinery.quantity import parse_quantity

_HEX = "[0-9a-fA-F]"
_LABEL = "[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?"


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check


def _is_uri(text: str) -> bool:
    return bool(urlsplit(text).scheme)


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "byte": _matches(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
    "cidr": _parses(lambda text: ipaddress.ip_network(text, strict=False) if "/" in text else int(text + "/")),
    "date": _parses(date.fromisoformat),
    "date-time": lambda text: RFC3339.fullmatch(text) is not None,
    "datetime": lambda text: RFC3339.fullmatch(text) is not None,
    "duration": _matches(r"[-+]?([0-9]*(\.[0-9]*)?(ns|us|µs|μs|ms|s|m|h))+|0|[0-9]+\s*(\w+)"),
    "email": _matches(r"[^@\s]+@[^@\s]+"),
    "hexcolor": _matches(rf"#?({_HEX}{{3}}|{_HEX}{{6}})"),
    "hostname": _matches(rf"(?=.{{1,255}}$){_LABEL}(\.{_LABEL})*"),
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "k8s-long-name": _matches(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"),
    "k8s-short-name": _matches(r"(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?"),
    "mac": _matches(rf"{_HEX}{{2}}([:-]{_HEX}{{2}}){{5}}"),
    "password": lambda text: True,
    "quantity": _parses(parse_quantity),
    "uri": _parses(lambda text: None if _is_uri(text) else int(text)),
    "uuid": _matches(rf"{_HEX}{{8}}-?{_HEX}{{4}}-?{_HEX}{{4}}-?{_HEX}{{4}}-?{_HEX}{{12}}"),
}
"""By name."""

KNOWN = frozenset(FORMATS) | {
    "bsonobjectid", "creditcard", "double", "float", "int32", "int64", "isbn", "isbn10", "isbn13", "rgbcolor", "ssn",
    "uuid3", "uuid4", "uuid5",
}  # fmt: skip
"""Those that upstream knows; the ones that are not in FORMATS allow everything here."""
