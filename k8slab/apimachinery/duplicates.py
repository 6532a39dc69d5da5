"""Keys that a body gives twice.

JSON and YAML decoders keep the last and say nothing, and so does every dict. A server that is asked to be strict looks
at the bytes again. It does so only then: this costs more than decoding.

Models: sigs.k8s.io/json (strict), sigs.k8s.io/yaml (YAMLToJSONStrict).
"""

from __future__ import annotations

import json
from typing import Any


def find_duplicate_fields(raw: bytes) -> list[str]:
    """A sentence for each key that is given twice: `duplicate field "spec.replicas"`, or what the YAML reader says.

    The bytes are a body that was decoded already; of one that can't be, nothing is reported.
    """
    if not raw.lstrip().startswith((b"{", b"[")):
        return find_repeated_keys(raw)
    repeated = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        found = dict(items)
        if len(found) < len(items):
            repeated = True
            return _Repeated(found, items)
        return found

    try:
        document = json.loads(raw, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return []
    return [f'duplicate field "{path}"' for path in dict.fromkeys(_paths(document, ""))] if repeated else []


class _Repeated(dict[str, Any]):
    """An object of which some key was given more than once."""

    def __init__(self, found: dict[str, Any], pairs: list[tuple[str, Any]]) -> None:
        super().__init__(found)
        self.pairs = pairs


def _paths(value: Any, path: str) -> list[str]:
    if isinstance(value, list):
        return [found for i, each in enumerate(value) for found in _paths(each, f"{path}[{i}]")]
    if not isinstance(value, dict):
        return []
    seen: set[str] = set()
    found = []
    for key, each in value.pairs if isinstance(value, _Repeated) else value.items():
        here = f"{path}.{key}" if path else key
        if key in seen:
            found.append(here)
        seen.add(key)
        found += _paths(each, here)
    return found


def find_repeated_keys(raw: bytes) -> list[str]:
    """What a YAML reader says of keys that are given twice, in one sentence for all; nothing where there are none."""
    import yaml

    try:
        node = yaml.compose(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        lines = _repeated_keys(node)
    except (yaml.YAMLError, RecursionError, ValueError):
        return []
    return ["yaml: unmarshal errors:\n" + "\n".join(lines)] if lines else []


def _repeated_keys(node: Any) -> list[str]:
    import yaml

    if isinstance(node, yaml.SequenceNode):
        return [line for each in node.value for line in _repeated_keys(each)]
    if not isinstance(node, yaml.MappingNode):
        return []
    seen: set[str] = set()
    lines = []
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                lines.append(f'  line {key.start_mark.line + 1}: key "{key.value}" already set in map')
            seen.add(key.value)
        lines += _repeated_keys(value)
    return lines
