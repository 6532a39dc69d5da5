"""What is wrong with bytes that are no JSON, or no YAML, in the words of Go's decoders.

Python's decoders find the same faults at the same places, and say it differently: a learner who looks for the sentence
should find it.

Models: encoding/json/scanner.go (stateError), go.yaml.in/yaml/v2/decode.go (parser.fail).
"""

from __future__ import annotations

from typing import Any

import yaml

VALUE = "looking for beginning of value"
CONTEXTS = (
    ("expected ':' after key", "after object key"),
    ("expected a string key", "looking for beginning of object key string"),
    ("content after document", "after top-level value"),
    ("trailing comma", "looking for beginning of object key string"),
    ("expected ',' or '}'", "after object key:value pair"),
    ("expected ',' or ']'", "after array element"),
)
"""Words of Python's complaint, and what Go's decoder was about then."""


def json_fault(raw: bytes, fault: Exception) -> str:
    """What Go says of bytes that Python's decoder refused with `fault`."""
    complaint = str(fault)
    if isinstance(fault, RecursionError) or "depth" in complaint:
        return "exceeded max depth"
    text = raw.decode(errors="replace")
    place: int = getattr(fault, "pos", len(raw))
    if "trailing comma" in complaint:  # Go stumbles over what follows it
        place = len(text) - len(text[place:].lstrip(", \t\r\n"))
    if place >= len(text.rstrip()):
        return "unexpected end of JSON input"
    doing = next((words for mark, words in CONTEXTS if mark in complaint), VALUE)
    if "trailing comma" in complaint and text[place] == "]":
        doing = VALUE
    return f"invalid character {_quoted(text[place])} {doing}"


def _quoted(character: str) -> str:
    return "'\\''" if character == "'" else repr(character)


def yaml_fault(fault: Exception) -> str:
    """What Go says of a text that Python's parser refused with `fault`."""
    if not isinstance(fault, yaml.MarkedYAMLError):
        return f"yaml: {str(fault).splitlines()[0] if str(fault) else type(fault).__name__}"
    lines = [mark.line for mark in (fault.context_mark, fault.problem_mark) if mark is not None and mark.line]
    if not lines:
        return f"yaml: {fault.problem}"
    # Lines are counted from 0; Go adds one to what its scanner finds, and not to what its parser finds.
    return f"yaml: line {lines[0] + isinstance(fault, yaml.scanner.ScannerError)}: {fault.problem}"


def go_kind(value: Any) -> str:
    """What a value is called where it stands in the wrong place."""
    names = {list: "array", str: "string", bool: "bool", int: "number", float: "number"}
    return names.get(type(value), "object")
