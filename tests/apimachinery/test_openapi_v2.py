from __future__ import annotations

import orjson
import pytest

from k8slab.apimachinery.protobuf_wire import wire_fields
from tests.apiserver.custom.world import CRONTABS, GROUP, CustomApi
from tests.apiserver.harness import Api

PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


@pytest.fixture(scope="module")
def document():
    return orjson.loads(Api().ask("GET", "/openapi/v2").body)


def references(value):
    if isinstance(value, dict):
        yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_every_reference_leads_somewhere(document):
    names = {each.removeprefix("#/definitions/") for each in references(document)}
    assert names <= set(document["definitions"])
    assert "io.k8s.api.core.v1.Pod" in names


def test_a_body_is_a_parameter(document):
    patch = document["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"]
    assert "application/strategic-merge-patch+json" in patch["consumes"]
    assert [each["in"] for each in patch["parameters"] if each["name"] == "body"] == ["body"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "", "version": "v1", "kind": "Pod"}


def test_a_reference_keeps_the_words_beside_it(document):
    spec = document["definitions"]["io.k8s.api.core.v1.Pod"]["properties"]["spec"]
    assert spec["$ref"] == "#/definitions/io.k8s.api.core.v1.PodSpec"
    assert spec["description"]


def test_custom_kinds_are_in_it_at_once():
    api = CustomApi()
    before = api.ask("GET", "/openapi/v2")
    api.define()
    after = api.ask("GET", "/openapi/v2")
    found = orjson.loads(after.body)
    assert before.headers["ETag"] != after.headers["ETag"]
    assert found["definitions"]["com.example.stable.v1.CronTab"]["properties"]["spec"]["properties"]["image"]
    assert CRONTABS.replace("default", "{namespace}") in found["paths"]
    assert f"/apis/{GROUP}/v1/crontabs" in found["paths"]


def test_it_is_sent_once():
    api = Api()
    etag = api.ask("GET", "/openapi/v2").headers["ETag"]
    assert api.ask("GET", "/openapi/v2", headers={"if-none-match": etag}).code == 304


def test_who_wants_protobuf_is_given_an_empty_document():
    response = Api().ask("GET", "/openapi/v2", headers={"accept": PROTOBUF})
    assert response.content_type == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    fields = {number: value for number, _, value in wire_fields(response.body, "Document")}
    assert fields.keys() == {1, 2}
    assert fields[1] == b"2.0"
    assert b"Kubernetes" in fields[2]
