import json

import pytest

from k8slab.apimachinery.openapi import COMPONENTS, PATCH_TYPES, openapi_v3
from k8slab.apimachinery.scheme import Resource

from .recorder import Recorder, discovery

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
ITEM = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"


@pytest.fixture(scope="module")
def document():
    return openapi_v3("apps", "v1", [DEPLOYMENTS])


@pytest.fixture(scope="module")
def server(document, tmp_path_factory):
    row = {"name": "deployments", "kind": "Deployment", "namespaced": True, "verbs": ["get", "patch", "create"]}
    pages = discovery("apps", "v1", [row]) | {
        "/openapi/v3": {"paths": {"apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1"}}},
        "/openapi/v3/apis/apps/v1": document,
    }
    with Recorder(tmp_path_factory.mktemp("kubectl"), pages) as recorder:
        yield recorder


def references(value):
    if isinstance(value, dict):
        yield from ([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from references(each)


def test_no_reference_leads_nowhere(document):
    found = document["components"]["schemas"]
    assert {each.removeprefix(COMPONENTS) for each in references(document)} <= found.keys()


def test_patch_says_that_the_server_validates_and_merges(document):
    patch = document["paths"][ITEM]["patch"]
    assert "fieldValidation" in [each["name"] for each in patch["parameters"]]
    assert tuple(patch["requestBody"]["content"]) == PATCH_TYPES
    assert patch["x-kubernetes-action"] == "patch"
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}


def test_a_cluster_scoped_kind_has_no_namespace_in_its_paths():
    assert set(openapi_v3("", "v1", [NODES])["paths"]) == {"/api/v1/nodes", "/api/v1/nodes/{name}"}


def test_schemas_are_openapi_and_not_json_schema(document):
    pod = document["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"]["properties"]
    assert pod["hostname"]["type"] == "string"
    assert pod["containers"]["x-kubernetes-patch-merge-key"] == "name"
    assert pod["securityContext"]["allOf"] == [{"$ref": COMPONENTS + "io.k8s.api.core.v1.PodSecurityContext"}]
    assert "enum" not in document["components"]["schemas"]["io.k8s.api.apps.v1.Deployment"]["properties"]["kind"]


def test_a_kind_without_a_schema_has_paths_only():
    found = openapi_v3("example.com", "v1", [Resource("example.com", "v1", "whales", "Whale")])
    assert "/apis/example.com/v1/namespaces/{namespace}/whales" in found["paths"]


def test_kubectl_explains_from_it(server):
    ran = server.kubectl("explain", "deployments.spec.template.spec.containers.image")
    assert ran.returncode == 0, ran.stderr
    assert "FIELD: image <string>" in ran.stdout
    assert ran.stdout.startswith("GROUP:      apps\nKIND:       Deployment\nVERSION:    v1")


def test_kubectl_leaves_validation_to_the_server(server):
    server.bodies.clear()
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": {"nonsense": 1}}
    server.kubectl("create", "-f", "-", stdin=json.dumps(manifest))
    assert [json.loads(body)["spec"] for _, body in server.bodies] == [{"nonsense": 1}]
