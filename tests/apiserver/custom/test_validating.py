"""Values against schemas, in upstream's words."""

from __future__ import annotations

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apiserver.custom.validating import faults


def told(value, schema, **more):
    return [(cause.field, cause.message) for cause in faults({"x": value}, {"properties": {"x": schema}}, **more)]


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "string"}, 1, 'Invalid value: "integer": x in body must be of type string: "integer"'),
        ({"type": "integer"}, 1.5, 'Invalid value: "number": x in body must be of type integer: "number"'),
        ({"type": "string"}, None, 'Invalid value: "null": x in body must be of type string: "null"'),
        ({"type": "array", "items": {}}, {}, 'Invalid value: "object": x in body must be of type array: "object"'),
        ({"x-kubernetes-int-or-string": True}, True,
         'Invalid value: "boolean": x in body must be of type integer,string: "boolean"'),
        ({"type": "string", "enum": ["a", "b"]}, "c", 'Unsupported value: "c": supported values: "a", "b"'),
        ({"type": "string", "maxLength": 2}, "abc", "Too long: may not be more than 2 bytes"),
        ({"type": "string", "minLength": 2}, "a", 'Invalid value: "a": x in body should be at least 2 chars long'),
        ({"type": "string", "pattern": "^a$"}, "b", "Invalid value: \"b\": x in body should match '^a$'"),
        ({"type": "string", "format": "date"}, "b", 'Invalid value: "b": x in body must be of type date: "b"'),
        ({"type": "integer", "minimum": 1}, 0, "Invalid value: 0: x in body should be greater than or equal to 1"),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, 1,
         "Invalid value: 1: x in body should be greater than 1"),
        ({"type": "integer", "maximum": 1}, 2, "Invalid value: 2: x in body should be less than or equal to 1"),
        ({"type": "number", "maximum": 0.5}, 0.75, "Invalid value: 0.75: x in body should be less than or equal to 0.5"),
        ({"type": "integer", "multipleOf": 2}, 3, "Invalid value: 3: x in body should be a multiple of 2"),
        ({"type": "array", "items": {}, "maxItems": 1}, [1, 2], "Too many: 2: must have at most 1 item"),
        ({"type": "array", "items": {}, "minItems": 1}, [], "Invalid value: 0: x in body should have at least 1 items"),
        ({"type": "object", "minProperties": 1}, {}, "Invalid value: 0: x in body should have at least 1 properties"),
        ({"type": "object", "maxProperties": 0}, {"a": 1}, "Too many: 1: must have at most 0 items"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_value(schema, value, message):
    assert told(value, schema) == [("x", message)]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 2.0),
        ({"type": "number"}, 2),
        ({"type": "string", "nullable": True}, None),
        ({"x-kubernetes-int-or-string": True}, "50%"),
        ({"type": "string", "format": "nobody-knows"}, "x"),
        ({"type": "string", "pattern": "[[:alpha:]]+$"}, "abc"),
        ({}, {"anything": 1}),
    ],
)
def test_what_is_right(schema, value):
    assert told(value, schema) == []


def test_what_is_missing():
    assert told({}, {"type": "object", "required": ["a"]}) == [("x.a", "Required value")]


def test_elements_and_values_have_their_places():
    schema = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}
    assert [field for field, _ in told({"k": ["a", 1]}, schema)] == ["x.k[1]"]


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"anyOf": [{"minimum": 5}, {"minimum": 6}]}, '"x" must validate at least one schema (anyOf)'),
        ({"oneOf": [{"minimum": 5}]}, '"x" must validate one and only one schema (oneOf). Found none valid'),
        ({"oneOf": [{}, {}]}, '"x" must validate one and only one schema (oneOf). Found 2 valid alternatives'),
        ({"allOf": [{"minimum": 5}]}, '"x" must validate all the schemas (allOf). None validated'),
        ({"not": {"minimum": 0}}, '"x" must not validate the schema (not)'),
    ],
)
def test_schemas_of_schemas(schema, text):
    assert ("<nil>", f'Invalid value: "": {text}') in told(1, schema)


def test_a_set_has_no_element_twice():
    schema = {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}
    assert told(["a", "b", "a"], schema) == [("x[2]", 'Duplicate value: "a"')]


def test_a_map_has_no_key_twice():
    schema = {"type": "array", "items": {}, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"]}
    assert told([{"n": 1, "v": 1}, {"n": 1, "v": 2}], schema) == [("x[1]", 'Duplicate value: {"n":1}')]


def test_an_embedded_resource_says_what_it_is():
    schema = {"type": "object", "x-kubernetes-embedded-resource": True}
    assert told({"kind": "Pod"}, schema) == [("x.apiVersion", "Required value: must not be empty")]


def test_what_did_not_change_is_not_told_again():
    schema = {"properties": {"a": {"maximum": 1}, "b": {"maximum": 1}}}
    assert [cause.field for cause in faults({"a": 5, "b": 6}, schema, {"a": 5, "b": 5})] == ["b"]


def test_an_element_of_a_map_is_compared_with_the_one_of_the_same_key():
    items = {"type": "object", "properties": {"v": {"maximum": 1}}}
    schema = {"items": items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"]}
    old = [{"n": 1, "v": 5}]
    found = faults([{"n": 2, "v": 5}, {"n": 1, "v": 5}], schema, old)
    assert [cause.field for cause in found] == ["[0].v"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "abc"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)
SCHEMAS = st.recursive(
    st.sampled_from(
        [{}, {"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {"minimum": 1}, {"maximum": 1},
         {"maxLength": 1}, {"minLength": 1}, {"pattern": "b"}, {"enum": ["a", 1, None]}, {"maxItems": 1}, {"minItems": 1},
         {"minProperties": 1}, {"maxProperties": 1}, {"required": ["a"]}, {"multipleOf": 2}]
    ),
    lambda inner: st.one_of(
        st.builds(lambda each: {"type": "array", "items": each}, inner),
        st.builds(lambda a, b: {"type": "object", "properties": {"a": a, "b": b}}, inner, inner),
        st.builds(lambda each: {"type": "object", "additionalProperties": each}, inner),
        st.builds(lambda a, b: {"anyOf": [a, b]}, inner, inner),
        st.builds(lambda a, b: {"oneOf": [a, b]}, inner, inner),
        st.builds(lambda a, b: {"allOf": [a, b]}, inner, inner),
        st.builds(lambda each: {"not": each}, inner),
    ),
    max_leaves=6,
)  # fmt: skip


def _nulls(value):
    if isinstance(value, dict):
        return any(map(_nulls, value.values()))
    return value is None or (isinstance(value, list) and any(map(_nulls, value)))


@given(VALUES.filter(lambda value: not _nulls(value)), SCHEMAS)
def test_a_value_is_valid_where_json_schema_says_so(value, schema):
    assert (not faults(value, schema)) == jsonschema.Draft7Validator(schema).is_valid(value)
