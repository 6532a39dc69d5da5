"""Server-side apply of custom objects: by their schema, and by what can be deduced where it says nothing."""

from __future__ import annotations

import orjson
import pytest

from tests.apiserver.custom.world import CRONTABS, GROUP, crontab, version
from tests.apiserver.harness import MERGE

APPLY = {"content-type": "application/apply-patch+yaml"}
STRING = {"type": "string"}
PORTS = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {"type": "object", "required": ["name"], "properties": {"name": STRING, "port": {"type": "integer"}}},
}
SPEC = {
    "type": "object",
    "properties": {
        "image": STRING,
        "args": {"type": "array", "items": STRING},
        "tags": {"type": "array", "items": STRING, "x-kubernetes-list-type": "set"},
        "ports": PORTS,
        "selector": {"type": "object", "additionalProperties": STRING, "x-kubernetes-map-type": "atomic"},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "replicas": {"type": "integer", "default": 1},
    },
}
SCALE = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}


@pytest.fixture
def api(api):
    api.define(version(spec=SPEC, subresources={"status": {}, "scale": SCALE}))
    return api


def apply(api, manager, *, path=f"{CRONTABS}/job", force="false", **spec):
    return api.ask("PATCH", path, orjson.dumps(crontab(**spec)), APPLY, fieldManager=manager, force=force)


def spec_of(api):
    return api.do("GET", f"{CRONTABS}/job")["spec"]


def owned(obj, manager):
    [entry] = [each for each in obj["metadata"]["managedFields"] if each["manager"] == manager]
    return entry["fieldsV1"]["f:spec"]


def test_an_object_that_is_not_there_is_created(api):
    answer = apply(api, "a", image="x")
    assert answer.code == 201
    assert answer.object["spec"] == {"image": "x", "replicas": 1}
    assert owned(answer.object, "a") == {"f:image": {}}


def test_what_a_manager_leaves_out_goes(api):
    apply(api, "a", image="x", tags=["t"])
    apply(api, "a", image="x")
    assert "tags" not in spec_of(api)


def test_a_field_of_another_manager_is_a_conflict_unless_forced(api):
    apply(api, "a", image="x")
    refused = apply(api, "b", image="y")
    assert refused.code == 409
    assert 'conflict with "a"' in refused.object["message"]
    assert refused.object["details"]["causes"][0]["field"] == ".spec.image"
    assert apply(api, "b", image="y", force="true").object["spec"]["image"] == "y"


@pytest.mark.parametrize(
    ("field", "mine", "theirs", "both"),
    [
        ("tags", ["a"], ["b"], ["a", "b"]),
        ("ports", [{"name": "a", "port": 1}], [{"name": "b"}], [{"name": "a", "port": 1}, {"name": "b"}]),
        ("free", {"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
    ],
)
def test_what_the_schema_says_is_owned_piece_by_piece_is_shared(api, field, mine, theirs, both):
    apply(api, "a", **{field: mine})
    assert apply(api, "b", **{field: theirs}).code == 200
    assert spec_of(api)[field] == both


@pytest.mark.parametrize(("field", "mine", "theirs"), [("args", ["a"], ["b"]), ("selector", {"a": "1"}, {"b": "2"})])
def test_what_is_atomic_has_one_owner(api, field, mine, theirs):
    apply(api, "a", **{field: mine})
    assert apply(api, "b", **{field: theirs}).code == 409


def test_a_list_that_is_a_map_names_its_items_by_their_keys(api):
    obj = apply(api, "a", ports=[{"name": "http", "port": 80}]).object
    assert owned(obj, "a") == {"f:ports": {'k:{"name":"http"}': {".": {}, "f:name": {}, "f:port": {}}}}


def test_what_breaks_the_schema_is_not_applied(api):
    assert apply(api, "a", image=5).code >= 400
    assert api.ask("GET", f"{CRONTABS}/job").code == 404


def test_other_writers_own_what_they_write(api):
    api.do("POST", CRONTABS, crontab(image="x"), fieldManager="maker")
    obj = api.do("PATCH", f"{CRONTABS}/job", {"spec": {"image": "y"}}, MERGE, fieldManager="changer")
    assert owned(obj, "changer") == {"f:image": {}}


def test_a_status_is_applied_by_itself(api):
    apply(api, "a", image="x")
    body = {"apiVersion": f"{GROUP}/v1", "kind": "CronTab", "metadata": {"name": "job"}, "status": {"ready": True}}
    path = f"{CRONTABS}/job/status"
    obj = api.do("PATCH", path, orjson.dumps(body), APPLY, fieldManager="controller")
    assert (obj["status"], obj["spec"]["image"]) == ({"ready": True}, "x")


def test_a_scale_is_applied_to_its_path(api):
    apply(api, "a", image="x")
    body = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "job"}, "spec": {"replicas": 4}}
    api.do("PATCH", f"{CRONTABS}/job/scale", orjson.dumps(body), APPLY, fieldManager="scaler")
    assert spec_of(api)["replicas"] == 4
