"""The chain: who asks, may they, what is recorded; and what the server says of itself."""

from __future__ import annotations

import logging

import orjson
import pytest

from k8slab.apimachinery.rest import ANONYMOUS, UserInfo
from tests.apiserver.harness import MAPS, PODS, config_map, pod

ALICE = UserInfo("alice", ("system:authenticated",))
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


# Authentication and authorization.


@pytest.mark.parametrize("path", ["/version", "/healthz", "/livez", "/readyz", "/version/"])
def test_the_anonymous_may_ask_how_the_server_is(api, path):
    assert api.ask("GET", path, user=None).code == 200


def test_the_anonymous_may_ask_nothing_else(api):
    answer = api.ask("GET", "/api", user=None)
    assert answer.object["message"] == 'forbidden: User "system:anonymous" cannot get path "/api"'


def test_a_refusal_says_who_may_not_do_what_where(api):
    assert api.ask("GET", PODS, user=ALICE).object["message"] == (
        'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default"'
    )
    assert api.ask("DELETE", "/apis/apps/v1/namespaces/default/deployments/web", user=ALICE).object["message"] == (
        'deployments.apps "web" is forbidden: User "alice" cannot delete resource "deployments" '
        'in API group "apps" in the namespace "default"'
    )


def test_a_wrong_token_is_not_anonymous(api):
    assert api.ask("GET", "/version", headers={"authorization": "Bearer x"}, user=None).code == 401


@pytest.mark.parametrize("name", ["system:kube-scheduler", "system:kube-controller-manager"])
def test_the_control_planes_components_may_do_their_work(api, name):
    assert api.ask("GET", PODS, user=UserInfo(name)).code == 200


# Errors of our own.


def test_a_fault_in_a_handler_is_an_internal_error(api, monkeypatch, caplog):
    monkeypatch.setattr(api.server.registry, "get", lambda *args: 1 / 0)
    with caplog.at_level(logging.CRITICAL):
        answer = api.ask("GET", f"{PODS}/web")
    assert (answer.code, answer.object["reason"]) == (500, "InternalError")


# Audit.


def test_each_write_is_recorded_with_its_revision(api):
    api.do("POST", PODS, pod())
    record = api.server.audit[-1]
    assert (record.user, record.verb, record.plural, record.name) == ("kubernetes-admin", "create", "pods", "web")
    assert (record.code, record.revision) == (201, api.store.revision)


def test_observers_see_reads_and_refusals_too(api):
    seen = []
    api.server.observers["test"] = lambda record: seen.append((record.verb, record.code, record.revision))
    api.ask("GET", PODS)
    api.ask("GET", f"{PODS}/web")
    assert seen == [("list", 200, 0), ("get", 404, 0)]


def test_reads_and_dry_runs_are_no_writes(api):
    before = len(api.server.audit)
    api.do("GET", MAPS)
    api.do("POST", MAPS, config_map(), dryRun="All")
    assert len(api.server.audit) == before


# Discovery, OpenAPI, health, version.


def test_aggregated_discovery_echoes_its_form(api):
    answer = api.ask("GET", "/apis", headers={"accept": AGGREGATED + ",application/json"})
    assert answer.content_type == AGGREGATED
    groups = {item["metadata"]["name"]: item for item in orjson.loads(answer.payload())["items"]}
    resources = {each["resource"]: each for each in groups["apps"]["versions"][0]["resources"]}
    assert resources["deployments"]["shortNames"] == ["deploy"]
    assert [each["subresource"] for each in resources["deployments"]["subresources"]] == ["status", "scale"]


def test_who_has_it_already_gets_nothing(api):
    accept = {"accept": AGGREGATED}
    etag = api.ask("GET", "/api", headers=accept).headers["ETag"]
    again = api.ask("GET", "/api", headers=accept | {"if-none-match": etag})
    assert (again.code, again.payload()) == (304, b"")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api", "APIVersions"),
        ("/api/v1", "APIResourceList"),
        ("/apis", "APIGroupList"),
        ("/apis/apps", "APIGroup"),
        ("/apis/apps/v1", "APIResourceList"),
    ],
)
def test_legacy_discovery(api, path, kind):
    assert orjson.loads(api.ask("GET", path).payload())["kind"] == kind
    assert orjson.loads(api.ask("GET", path + "/").payload())["kind"] == kind


def test_every_document_of_the_openapi_index_is_there_and_keeps(api):
    paths = api.do("GET", "/openapi/v3")["paths"]
    answer = api.ask("GET", paths["apis/apps/v1"]["serverRelativeURL"].partition("?")[0])
    assert "immutable" in answer.headers["Cache-Control"]
    assert "io.k8s.api.apps.v1.Deployment" in orjson.loads(answer.payload())["components"]["schemas"]
    assert all(api.ask("GET", f"/openapi/v3/{path}").code == 200 for path in ("api/v1", "apis/batch/v1"))


def test_version_and_health(api):
    assert api.do("GET", "/version")["gitVersion"] == "v1.37.1"
    assert api.ask("GET", "/readyz").payload() == b"ok"
    assert b"[+]etcd ok" in api.ask("GET", "/readyz", verbose="").payload()


def test_the_front_page_lists_paths_that_exist(api):
    paths = api.do("GET", "/")["paths"]
    assert [path for path in paths if api.ask("GET", path).code != 200] == []


def test_reviews_answer_who_i_am_and_what_i_may(api):
    group = "/apis/authorization.k8s.io/v1"
    question = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": "alice", "resourceAttributes": {"verb": "get", "resource": "pods"}},
    }
    assert api.do("POST", f"{group}/subjectaccessreviews", question)["status"] == {"allowed": False}
    who = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = api.do("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", who)
    assert answer["status"]["userInfo"]["username"] == "kubernetes-admin"


def test_nobody_becomes_somebody_by_asking(api):
    assert api.ask("GET", PODS, user=ANONYMOUS).code == 403
