"""The audit log: what is told of requests, and what never is."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from k8slab.apimachinery.rest import UserInfo
from k8slab.apiserver.audit_log import AuditLog, Rule
from tests.apiserver.harness import DEPLOYMENTS, MAPS, NAMESPACE, PODS, Api, config_map, deployment, pod

ALL = (Rule("RequestResponse"),)
ANN = UserInfo("ann", ("system:authenticated",))
SECRETS, ACCOUNTS = f"{NAMESPACE}/secrets", f"{NAMESPACE}/serviceaccounts"
HIDDEN = "hunter2-and-nothing-else"


def log(api: Api, *policy: Rule, path: Path | None = None) -> AuditLog:
    made = api.server.audit_log = AuditLog(policy or ALL, path)
    return made


def test_a_write_is_told_with_who_what_and_what_came_of_it(api):
    events = log(api).events
    made = api.do("POST", PODS, orjson.dumps(pod()), {"user-agent": "kubectl/v1", "content-type": "application/json"})
    (event,) = events
    assert (event["kind"], event["apiVersion"], event["level"]) == ("Event", "audit.k8s.io/v1", "RequestResponse")
    assert (event["stage"], event["verb"], event["requestURI"]) == ("ResponseComplete", "create", PODS)
    assert event["user"] == {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]}
    assert event["objectRef"] == {
        "resource": "pods",
        "namespace": "default",
        "name": "web",
        "uid": made["metadata"]["uid"],
        "apiVersion": "v1",
        "resourceVersion": made["metadata"]["resourceVersion"],
    }
    assert event["responseStatus"] == {"metadata": {}, "code": 201}
    assert event["requestObject"] == pod()
    assert event["responseObject"]["spec"]["serviceAccountName"] == "default"
    assert event["requestReceivedTimestamp"] == "2026-01-01T00:00:00.000000Z"
    assert event["userAgent"] == "kubectl/v1"


def test_what_was_sent_is_told_as_it_was_sent(api):
    events = log(api, Rule("Request")).events
    api.do("POST", PODS, pod())  # an object from the same process, which the server makes its own
    assert events[0]["requestObject"] == pod()
    assert "responseObject" not in events[0]


def test_a_refusal_is_told_too(api):
    events = log(api, Rule("Metadata")).events
    api.ask("GET", PODS, user=ANN)
    assert events[0]["annotations"] == {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": ""}
    assert events[0]["responseStatus"]["reason"] == "Forbidden"
    api.ask("GET", "/version", headers={"authorization": "Bearer x"}, user=None)
    assert (events[1]["user"], events[1]["responseStatus"]["code"]) == ({}, 401)


def test_whoever_acts_as_somebody_else_is_told_with_both_names(api):
    events = log(api, Rule("Metadata")).events
    api.ask("GET", PODS, headers={"impersonate-user": "ann", "impersonate-group": "system:masters"})
    assert (events[0]["user"]["username"], events[0]["impersonatedUser"]["username"]) == ("kubernetes-admin", "ann")


def test_an_answer_says_by_which_binding_it_was_allowed(api):
    events = log(api, Rule("Metadata")).events
    api.ask("GET", "/api", user=ANN)
    assert events[0]["annotations"] == {
        "authorization.k8s.io/decision": "allow",
        "authorization.k8s.io/reason": 'RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole '
        '"system:discovery" to Group "system:authenticated"',
    }


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (Rule("None"), []),
        (Rule("Metadata", verbs=("get",)), ["get", "get"]),
        (Rule("Metadata", users=("ann",)), []),
        (Rule("Metadata", groups=("system:masters",), namespaces=("default",)), ["create", "get"]),
        (Rule("Metadata", resources=("deployments.apps",)), ["create", "get"]),
        (Rule("Metadata", resources=("pods",)), []),
        (Rule("Metadata", paths=("/ver*",)), ["get"]),
    ],
)
def test_the_first_rule_that_fits_decides_and_without_one_nothing_is_told(api, rule, told):
    events = log(api, rule).events
    api.do("POST", DEPLOYMENTS, deployment())
    api.ask("GET", f"{DEPLOYMENTS}/web")
    api.ask("GET", "/version")
    assert [event["verb"] for event in events] == told


def test_no_secret_is_told_whatever_the_policy_says(api, tmp_path):
    file = tmp_path / "audit.jsonl"
    events = log(api, path=file).events
    body = {"metadata": {"name": "s"}, "stringData": {"password": HIDDEN}}
    api.do("POST", SECRETS, body)
    api.ask("POST", SECRETS, {"metadata": {"name": "S"}, "data": {"password": HIDDEN}})
    api.do("PATCH", f"{SECRETS}/s", {"stringData": {"b": HIDDEN}}, {"content-type": "application/merge-patch+json"})
    api.do("GET", f"{SECRETS}/s")
    api.do("GET", SECRETS)
    api.do("POST", MAPS, config_map(password=HIDDEN))
    token = api.do("POST", f"{ACCOUNTS}/default/token", {})["status"]["token"]
    api.do("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": token}})
    api.ask("GET", "/api", headers={"authorization": f"Bearer {token}"}, user=None)
    text = file.read_text()
    assert len(events) == len(text.splitlines()) == 9
    assert [HIDDEN in text, token in text, "Bearer" in text] == [False] * 3
    assert {event["level"] for event in list(events)[:-1]} == {"Metadata"}


def test_the_file_is_for_its_user_alone_and_is_added_to(api, tmp_path):
    file = tmp_path / "audit.jsonl"
    for _ in range(2):
        made = log(api, path=file)
        api.do("GET", PODS)
        made.close()
    assert file.stat().st_mode & 0o077 == 0
    assert [json.loads(line)["verb"] for line in file.read_text().splitlines()] == ["list", "list"]


def test_the_front_door_names_every_request_and_answers_with_the_name(api, front, pki):
    import http.client
    import ssl

    events = log(api, Rule("Metadata")).events
    context = ssl.create_default_context(cadata=pki.ca_pem.decode())
    connection = http.client.HTTPSConnection("127.0.0.1", front.port, context=context)
    names = []
    for headers in ({}, {"Audit-Id": "mine"}):
        connection.request("GET", "/version", headers=headers)
        response = connection.getresponse()
        response.read()
        names.append(response.headers["Audit-Id"])
    connection.close()
    assert names == [event["auditID"] for event in events]
    assert (len(names[0]), names[1]) == (36, "mine")
