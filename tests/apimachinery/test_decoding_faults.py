from __future__ import annotations

import orjson
import pytest
import yaml

from k8slab.apimachinery.decoding_faults import go_kind, json_fault, yaml_fault


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "unexpected end of JSON input"),
        (b'{"a":', "unexpected end of JSON input"),
        (b"nope", "invalid character 'n' looking for beginning of value"),
        (b'{"a":}', "invalid character '}' looking for beginning of value"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b'{"a":1, }', "invalid character '}' looking for beginning of object key string"),
        (b"[1,]", "invalid character ']' looking for beginning of value"),
        (b"{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
        (b"{}x", "invalid character 'x' after top-level value"),
        (b"[" * 20_000 + b"]" * 20_000, "exceeded max depth"),
    ],
)
def test_json_that_is_none_is_told_in_gos_words(raw, sentence):
    with pytest.raises(orjson.JSONDecodeError) as fault:
        orjson.loads(raw)
    assert json_fault(raw, fault.value) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: b: c", "yaml: mapping values are not allowed in this context"),
        ("a: b\n c: d: e", "yaml: line 2: mapping values are not allowed in this context"),
        ("a: [", "yaml: line 1: did not find expected node content"),
        ("- a\nb: c", "yaml: line 1: did not find expected '-' indicator"),
        ("a:\n\t- b", "yaml: line 2: found character that cannot start any token"),
    ],
)
def test_yaml_that_is_none_is_told_in_gos_words(text, sentence):
    with pytest.raises(yaml.YAMLError) as fault:
        yaml.load(text, Loader=yaml.CSafeLoader)
    assert yaml_fault(fault.value) == sentence


def test_any_other_fault_says_its_first_line():
    assert yaml_fault(ValueError("too\nlong")) == "yaml: too"
    assert yaml_fault(ValueError()) == "yaml: ValueError"


@pytest.mark.parametrize(
    ("value", "name"), [([], "array"), ({}, "object"), ("", "string"), (1, "number"), (True, "bool")]
)
def test_values_have_the_names_that_json_gives_them(value, name):
    assert go_kind(value) == name
