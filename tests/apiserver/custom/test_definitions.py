"""Which definitions are sound, and what may change of them."""

from __future__ import annotations

import pytest

from k8slab.apiserver.custom.structural import schema_faults
from tests.apiserver.custom.world import CRONTABS, DEFINITIONS, GROUP, crontab, definition, version
from tests.apiserver.harness import MERGE

CRD = f"{DEFINITIONS}/crontabs.{GROUP}"


def change(path, value):
    """The CronTab's definition with another value somewhere: `spec.names.kind`, `spec.versions.0.name`."""
    found = crd = definition()
    *above, last = path.split(".")
    for part in above:
        found = found[int(part) if part.isdigit() else part]
    if value is None:
        del found[last]
    else:
        found[last] = value
    return crd


LABEL = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end "
    "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)


@pytest.mark.parametrize(
    ("path", "value", "field", "message"),
    [
        ("metadata.name", "x", "metadata.name", 'Invalid value: "x": must be spec.names.plural+"."+spec.group'),
        ("spec.group", "local", "spec.group", 'Invalid value: "local": should be a domain with at least one dot'),
        ("spec.scope", "Global", "spec.scope", 'Unsupported value: "Global": supported values: "Cluster", "Namespaced"'),
        ("spec.names.singular", "Cron", "spec.names.singular", f'Invalid value: "Cron": {LABEL}'),
        ("spec.names.kind", "Cron.Tab", "spec.names.kind",
         f'Invalid value: "Cron.Tab": may have mixed case, but should otherwise match: {LABEL}'),
        ("spec.names.listKind", "CronTab", "spec.names.listKind",
         'Invalid value: "CronTab": kind and listKind may not be the same'),
        ("spec.names.shortNames", ["C"], "spec.names.shortNames[0]", f'Invalid value: "C": {LABEL}'),
        ("spec.versions.0.name", "V1", "spec.versions[0].name", f'Invalid value: "V1": {LABEL}'),
        ("spec.versions.0.schema", None, "spec.versions[0].schema.openAPIV3Schema",
         "Required value: schemas are required"),
        ("spec.preserveUnknownFields", True, "spec.preserveUnknownFields",
         "Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
         "spec.versions[*].schema instead"),
        ("spec.conversion", {"strategy": "Magic"}, "spec.conversion.strategy",
         'Unsupported value: "Magic": supported values: "None", "Webhook"'),
        ("spec.conversion", {"strategy": "Webhook"}, "spec.conversion.strategy",
         'Invalid value: "Webhook": a conversion webhook is not called by k8slab: only None is served'),
        ("spec.versions.0.subresources", {"scale": {"specReplicasPath": ".replicas", "statusReplicasPath": ".status.r"}},
         "spec.versions[0].subresources.scale.specReplicasPath",
         'Invalid value: ".replicas": should be a json path under .spec'),
        ("spec.versions.0.additionalPrinterColumns", [{"name": "A", "type": "text", "jsonPath": ".a"}],
         "spec.versions[0].additionalPrinterColumns[0].type",
         'Invalid value: "text": must be one of boolean,date,integer,number,string'),
        ("spec.versions.0.additionalPrinterColumns", [{"name": "A", "type": "string", "jsonPath": "a"}],
         "spec.versions[0].additionalPrinterColumns[0].JSONPath",
         'Invalid value: "a": must be a simple json path starting with .'),
        ("spec.versions.0.selectableFields", [{"jsonPath": ".spec.nothing"}],
         "spec.versions[0].selectableFields[0].jsonPath",
         'Invalid value: ".spec.nothing": is an invalid path: does not refer to a valid field'),
    ],
)  # fmt: skip
def test_a_definition_that_is_not_sound_is_refused(api, path, value, field, message):
    assert (field, message) in api.causes("POST", DEFINITIONS, change(path, value))


@pytest.mark.parametrize("group", ["apps.k8s.io", "k8s.io", "x.kubernetes.io"])
def test_kubernetes_own_groups_need_an_approval(api, group):
    crd = definition()
    crd["spec"]["group"], crd["metadata"]["name"] = group, f"crontabs.{group}"
    [(field, _)] = api.causes("POST", DEFINITIONS, crd)
    assert field == "metadata.annotations[api-approved.kubernetes.io]"
    crd["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, for a test"}
    assert api.ask("POST", DEFINITIONS, crd).code == 201


@pytest.mark.parametrize("versions", [[], [version(storage=False)], [version("v1"), version("v2")]])
def test_one_version_is_the_one_that_is_stored(api, versions):
    crd = definition()
    crd["spec"]["versions"] = versions
    messages = [message for _, message in api.causes("POST", DEFINITIONS, crd)]
    assert any(each.endswith("must have exactly one version marked as storage version") for each in messages)


def test_versions_have_different_names(api):
    messages = api.causes("POST", DEFINITIONS, definition(version(), version(storage=False)))
    assert any(each.endswith("must contain unique version names") for _, each in messages)


def test_names_are_completed(api):
    names = api.define()["spec"]["names"]
    assert (names["singular"], names["listKind"]) == ("crontab", "CronTabList")


OBJECT, STRING = {"type": "object"}, {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "field", "message"),
    [
        ({}, "type", "Required value: must not be empty at the root"),
        (STRING, "type", 'Invalid value: "string": must be object at the root'),
        (OBJECT | {"properties": {"a": {}}}, "properties[a].type",
         "Required value: must not be empty for specified object fields"),
        (OBJECT | {"properties": {"a": {"type": "array"}}}, "properties[a].items", "Required value: must be specified"),
        (OBJECT | {"properties": {"a": {"type": "array", "items": {}}}}, "properties[a].items.type",
         "Required value: must not be empty for specified array items"),
        (OBJECT | {"properties": {"a": {"type": "text"}}}, "properties[a].type",
         'Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"'),
        (OBJECT | {"additionalProperties": STRING}, "additionalProperties",
         "Forbidden: must not be used at the root"),
        (OBJECT | {"properties": {"a": {"$ref": "#/b"}}}, "properties[a].$ref", "Forbidden: $ref is not supported"),
        (OBJECT | {"properties": {"a": OBJECT | {"properties": {"b": STRING}, "additionalProperties": STRING}}},
         "properties[a].additionalProperties",
         "Forbidden: additionalProperties and properties are mutual exclusive"),
        (OBJECT | {"anyOf": [{"type": "object"}]}, "anyOf[0].type", "Forbidden: must be empty to be structural"),
        (OBJECT | {"allOf": [{"properties": {"a": {}}}]}, "properties[a]",
         "Required value: because it is defined in schema.allOf[0].properties[a]"),
        (OBJECT | {"properties": {"metadata": OBJECT | {"properties": {"labels": OBJECT}}}}, "properties[metadata]",
         "Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified"),
        (OBJECT | {"properties": {"a": STRING | {"pattern": "("}}}, "properties[a].pattern", None),
        (OBJECT | {"properties": {"a": {"type": "integer", "default": "x"}}}, "properties[a].default", None),
        (OBJECT | {"properties": {"a": {"type": "array", "uniqueItems": True, "items": STRING}}},
         "properties[a].uniqueItems",
         "Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"),
        (OBJECT | {"properties": {"a": {"type": "array", "items": STRING, "x-kubernetes-list-type": "map"}}},
         "properties[a].x-kubernetes-list-map-keys",
         "Required value: must not be empty if x-kubernetes-list-type is map"),
        (OBJECT | {"x-kubernetes-preserve-unknown-fields": False}, "x-kubernetes-preserve-unknown-fields",
         "Invalid value: false: must be true or undefined"),
        (OBJECT | {"properties": {"a": STRING | {"x-kubernetes-embedded-resource": True}}}, "properties[a].type",
         'Invalid value: "string": must be object if x-kubernetes-embedded-resource is true'),
    ],
)  # fmt: skip
def test_a_schema_that_is_not_structural_is_refused(schema, field, message):
    found = {cause.field: cause.message for cause in schema_faults(schema, "schema")}
    assert f"schema.{field}" in found
    assert message in (None, found[f"schema.{field}"])


@pytest.mark.parametrize(
    "schema",
    [
        OBJECT | {"x-kubernetes-preserve-unknown-fields": True},
        OBJECT | {"properties": {"a": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}}},
        OBJECT | {"properties": {"a": {"x-kubernetes-preserve-unknown-fields": True}}},
        OBJECT | {"properties": {"a": STRING, "b": STRING}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        OBJECT | {"properties": {"a": STRING}, "not": {"properties": {"a": {"pattern": "x"}}}},
        OBJECT | {"properties": {"metadata": OBJECT | {"properties": {"name": STRING | {"pattern": "x"}}}}},
        OBJECT | {"properties": {"a": {"type": "object", "additionalProperties": STRING, "default": {"k": "v"}}}},
    ],
)  # fmt: skip
def test_a_structural_schema_is_accepted(schema):
    assert schema_faults(schema, "schema") == []


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"scope": "Cluster"}, "spec.scope"),
        ({"names": {"kind": "Other"}}, "spec.names.kind"),
        ({"names": {"plural": "others"}}, "spec.names.plural"),
        ({"group": "other.example.com"}, "spec.group"),
    ],
)
def test_an_established_definition_stays_what_it_is(api, patch, field):
    api.define()
    causes = api.causes("PATCH", CRD, {"spec": patch}, MERGE)
    assert any(each == field and text.endswith("field is immutable") for each, text in causes)


def test_a_version_in_which_objects_are_stored_stays(api):
    api.define(version("v1"))
    api.redefine(version("v1", storage=False), version("v2"))
    [(field, text)] = api.causes("PATCH", CRD, {"spec": {"versions": [version("v2")]}}, MERGE)
    assert field == "status.storedVersions[0]"
    assert text.startswith('Invalid value: "v1": missing from spec.versions; v1 was previously a storage version')
    api.do("PATCH", f"{CRD}/status", {"status": {"storedVersions": ["v2"]}}, MERGE)
    api.redefine(version("v2"))
    assert api.ask("GET", CRONTABS).code == 404


def test_rules_in_cel_are_kept_and_said_not_to_be_evaluated(api):
    rules = {"x-kubernetes-validations": [{"rule": "self.a < 1"}]}
    crd = definition(version(spec=OBJECT | {"properties": {"a": {"type": "integer"}}} | rules))
    answer = api.ask("POST", DEFINITIONS, crd)
    assert "CEL rules are not evaluated" in answer.headers["Warning"]
    api.settle()
    assert api.do("POST", CRONTABS, crontab(a=5))["spec"] == {"a": 5}


def test_a_format_that_nobody_knows_is_told_once(api):
    spec = OBJECT | {"properties": {"a": {"type": "string", "format": "poem"}}}
    answer = api.ask("POST", DEFINITIONS, definition(version(spec=spec)))
    assert answer.headers["Warning"] == '299 - "unrecognized format \\"poem\\""'
    again = api.ask("PATCH", CRD, {"spec": {"names": {"shortNames": ["ct"]}}}, MERGE)
    assert "Warning" not in again.headers
