"""Custom objects: pruned, defaulted, checked, counted, scaled and shown as their definitions say."""

from __future__ import annotations

import pytest

from k8slab.apiserver.custom.pruning import defaulted, pruned
from tests.apiserver.custom.world import CRONTABS, GROUP, crontab, version
from tests.apiserver.harness import JSON_PATCH, MERGE

STATUS = {"subresources": {"status": {}}}
SCALE = {
    "subresources": {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    }
}
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


def fields(**properties):
    return {"type": "object", "properties": properties}


# Unknown fields.


def test_an_unknown_field_is_refused_where_the_client_is_strict(api):
    api.define()
    code, text = api.refusal("POST", CRONTABS, crontab(some=1), fieldValidation="Strict")
    what = 'CronTab in version "v1" cannot be handled as a CronTab'
    assert (code, text) == (400, f'{what}: strict decoding error: unknown field "spec.some"')


def test_an_unknown_field_is_dropped_with_a_warning(api):
    api.define()
    answer = api.ask("POST", CRONTABS, crontab(some=1, image="x"))
    assert answer.headers["Warning"] == '299 - "unknown field \\"spec.some\\""'
    assert api.do("GET", f"{CRONTABS}/job")["spec"] == {"image": "x"}


def test_an_unknown_field_of_the_metadata_is_told_too(api):
    api.define()
    body = crontab() | {"metadata": {"name": "job", "lables": {}}}
    assert 'unknown field "metadata.lables"' in api.refusal("POST", CRONTABS, body, fieldValidation="Strict")[1]


def test_a_patch_adds_no_unknown_field(api):
    api.define()
    api.do("POST", CRONTABS, crontab())
    api.do("PATCH", f"{CRONTABS}/job", {"spec": {"some": 1, "image": "x"}}, MERGE)
    assert api.do("GET", f"{CRONTABS}/job")["spec"] == {"image": "x"}


PRESERVE = {"x-kubernetes-preserve-unknown-fields": True}


@pytest.mark.parametrize(
    ("schema", "value", "kept", "unknown"),
    [
        (fields(a={"type": "string"}), {"a": "1", "b": "2"}, {"a": "1"}, ["b"]),
        (fields(a=fields(b={"type": "string"})) | PRESERVE, {"x": {"y": 1}, "a": {"c": 1}}, {"x": {"y": 1}, "a": {}}, ["a.c"]),
        ({"type": "array", "items": fields(a={})}, [{"a": 1}, {"b": 1}], [{"a": 1}, {}], ["[1].b"]),
        ({"type": "object", "additionalProperties": fields(a={})}, {"k": {"a": 1, "b": 2}}, {"k": {"a": 1}}, ["k.b"]),
        ({"type": "object", "additionalProperties": True}, {"k": {"a": 1}}, {"k": {"a": 1}}, []),
        ({"type": "object"}, {"a": 1}, {}, ["a"]),
        (
            fields(e=fields() | {"x-kubernetes-embedded-resource": True}),
            {"e": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "no": 1}, "spec": {}}},
            {"e": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}},
            ["e.metadata.no", "e.spec"],
        ),
    ],
)  # fmt: skip
def test_pruning(schema, value, kept, unknown):
    assert pruned(value, schema) == (kept, unknown)


def test_what_needs_no_pruning_is_shared():
    value = {"a": {"b": [1]}}
    assert pruned(value, fields(a={"type": "object", **PRESERVE}))[0] is value


# Defaults.


def test_defaults_are_filled_in(api):
    api.define(version(spec=fields(replicas={"type": "integer", "default": 2})))
    assert api.do("POST", CRONTABS, crontab())["spec"] == {"replicas": 2}


def test_a_default_that_is_new_is_seen_in_old_objects(api):
    api.define(version(spec=fields(a={"type": "string"})))
    api.do("POST", CRONTABS, crontab())
    api.redefine(version(spec=fields(a={"type": "string", "default": "x"})))
    assert api.do("GET", f"{CRONTABS}/job")["spec"] == {"a": "x"}
    assert api.do("GET", CRONTABS)["items"][0]["spec"] == {"a": "x"}
    assert api.watch(CRONTABS).poll()[0].object["spec"] == {"a": "x"}


@pytest.mark.parametrize(
    ("schema", "value", "wanted"),
    [
        (fields(a={"default": 1}), {}, {"a": 1}),
        (fields(a={"default": 1}), {"a": None}, {"a": 1}),
        (fields(a={"default": 1, "nullable": True}), {"a": None}, {"a": None}),
        (fields(a={}), {"a": None}, {}),
        (fields(a={"nullable": True}), {"a": None}, {"a": None}),
        (fields(a=fields(b={"default": 1})), {}, {}),
        (fields(a=fields(b={"default": 1}) | {"default": {}}), {}, {"a": {"b": 1}}),
        ({"items": fields(b={"default": 1})}, [{}, {"b": 2}], [{"b": 1}, {"b": 2}]),
        ({"additionalProperties": fields(b={"default": 1})}, {"k": {}}, {"k": {"b": 1}}),
    ],
)
def test_defaulting(schema, value, wanted):
    found = defaulted(value, schema)
    assert found == wanted
    assert defaulted(found, schema) is found


# Rules.


def test_what_breaks_the_schema_is_told_in_upstreams_words(api):
    api.define()
    causes = api.causes("POST", CRONTABS, crontab(cronSpec="* * * *", replicas=15))
    pattern = r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"
    assert causes == [
        ("spec.cronSpec", f"Invalid value: \"* * * *\": spec.cronSpec in body should match '{pattern}'"),
        ("spec.replicas", "Invalid value: 15: spec.replicas in body should be less than or equal to 10"),
    ]


def test_a_patch_is_checked(api):
    api.define()
    api.do("POST", CRONTABS, crontab())
    patch = [{"op": "add", "path": "/spec/replicas", "value": "x"}]
    text = 'Invalid value: "string": spec.replicas in body must be of type integer: "string"'
    assert api.causes("PATCH", f"{CRONTABS}/job", patch, JSON_PATCH) == [("spec.replicas", text)]


def test_the_kind_must_be_the_one_of_the_path(api):
    api.define()
    assert api.causes("POST", CRONTABS, crontab() | {"kind": "Other"}) == [
        ("kind", 'Invalid value: "Other": must be CronTab')
    ]


def test_what_was_wrong_before_may_stay_as_it_is(api):
    api.define()
    api.do("POST", CRONTABS, crontab(replicas=10, image="a"))
    api.redefine(version(spec=fields(replicas={"type": "integer", "maximum": 5}, image={"type": "string"})))
    api.do("PATCH", f"{CRONTABS}/job", {"spec": {"image": "b"}}, MERGE)
    [(field, _)] = api.causes("PATCH", f"{CRONTABS}/job", {"spec": {"replicas": 9}}, MERGE)
    assert field == "spec.replicas"


# Generations and status.


def test_a_change_of_anything_counts_where_the_status_has_no_path(api):
    api.define()
    api.do("POST", CRONTABS, crontab())
    changes = [{"spec": {"image": "x"}}, {"status": {"a": 1}}, {"metadata": {"labels": {"a": "b"}}}]
    counted = [api.do("PATCH", f"{CRONTABS}/job", change, MERGE)["metadata"]["generation"] for change in changes]
    assert counted == [2, 3, 3]


def test_a_status_with_its_own_path_is_written_there_only(api):
    api.define(version(**STATUS))
    assert "status" not in api.do("POST", CRONTABS, crontab() | {"status": {"a": 1}})
    api.do("PATCH", f"{CRONTABS}/job", {"status": {"a": 1}}, MERGE)
    assert "status" not in api.do("GET", f"{CRONTABS}/job")
    new = api.do("PATCH", f"{CRONTABS}/job/status", {"status": {"a": 1}, "spec": {"image": "x"}}, MERGE)
    assert (new["status"], new["spec"], new["metadata"]["generation"]) == ({"a": 1}, {}, 1)


def test_a_status_without_a_path_has_none(api):
    api.define()
    api.do("POST", CRONTABS, crontab())
    assert api.ask("GET", f"{CRONTABS}/job/status").code == 404


# Scale.


def test_a_scale_is_read_and_written_by_its_paths(api):
    api.define(version(**SCALE))
    api.do("POST", CRONTABS, crontab(replicas=2))
    api.do("PATCH", f"{CRONTABS}/job/status", {"status": {"replicas": 1, "selector": "a=b"}}, MERGE)
    scale = api.do("GET", f"{CRONTABS}/job/scale")
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 1, "selector": "a=b"})
    api.do("PATCH", f"{CRONTABS}/job/scale", {"spec": {"replicas": 5}}, MERGE)
    assert api.do("GET", f"{CRONTABS}/job")["spec"]["replicas"] == 5


def test_a_scale_follows_the_schema_too(api):
    api.define(version(**SCALE))
    api.do("POST", CRONTABS, crontab(replicas=2))
    [(field, _)] = api.causes("PATCH", f"{CRONTABS}/job/scale", {"spec": {"replicas": 11}}, MERGE)
    assert field == "spec.replicas"


# Shown and selected.


def test_columns_are_those_of_the_definition(api):
    columns = [
        {"name": "Image", "type": "string", "jsonPath": ".spec.image", "description": "What runs"},
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status', "priority": 1},
        {"name": "N", "type": "integer", "jsonPath": ".spec.replicas"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    api.define(version(additionalPrinterColumns=columns))
    api.do("POST", CRONTABS, crontab(image="x"))
    api.clock.advance_to(api.clock.now() + 90)
    table = api.do("GET", CRONTABS, headers=TABLE)
    assert [each["name"] for each in table["columnDefinitions"]] == ["Name", "Image", "Ready", "N", "Age"]
    assert table["columnDefinitions"][1]["description"] == "What runs"
    assert table["rows"][0]["cells"] == ["job", "x", None, None, "90s"]


def test_without_columns_there_is_the_age(api):
    api.define()
    api.do("POST", CRONTABS, crontab())
    assert api.do("GET", CRONTABS, headers=TABLE)["rows"][0]["cells"] == ["job", "0s"]


def test_objects_are_selected_by_the_definitions_fields(api):
    api.define(version(selectableFields=[{"jsonPath": ".spec.image"}]))
    for name in ("a", "b"):
        api.do("POST", CRONTABS, crontab(name, image=name))
    found = api.do("GET", CRONTABS, fieldSelector="spec.image=b")["items"]
    assert [each["metadata"]["name"] for each in found] == ["b"]
    assert api.refusal("GET", CRONTABS, fieldSelector="spec.replicas=1") == (
        400,
        "field label not supported: spec.replicas",
    )


def test_a_kind_may_live_outside_of_namespaces(api):
    api.define(scope="Cluster")
    api.do("POST", f"/apis/{GROUP}/v1/crontabs", crontab())
    assert api.store.get(f"/registry/{GROUP}/crontabs/job")
    assert api.ask("POST", CRONTABS, crontab("other")).code == 404


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"null", b'"x"', b'{"metadata": 3}', b'{"metadata": {"labels": []}}']
)
def test_a_body_that_makes_no_sense_is_a_400(api, body):
    api.define()
    assert api.refusal("POST", CRONTABS, body)[0] == 400


@pytest.mark.parametrize("spec", [[], "x", {"cronSpec": {}}, {"replicas": []}])
def test_an_object_of_another_shape_is_refused(api, spec):
    api.define()
    assert api.refusal("POST", CRONTABS, crontab() | {"spec": spec})[0] == 422
