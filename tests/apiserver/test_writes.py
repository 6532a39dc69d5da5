"""create, update, patch, delete, deletecollection: in process, without the HTTP front."""

from __future__ import annotations

import pytest

from k8slab.clock import to_rfc3339
from tests.apiserver.harness import (
    DEPLOYMENTS,
    JSON_PATCH,
    MAPS,
    MERGE,
    NAMESPACE,
    PODS,
    STRATEGIC,
    Api,
    config_map,
    deployment,
    pod,
)

# create


def test_a_new_object_gets_its_metadata_from_the_server(api):
    meta = api.do("POST", DEPLOYMENTS, deployment())["metadata"]
    assert meta["creationTimestamp"] == to_rfc3339(api.clock.now())
    assert meta["generation"] == 1
    assert meta["resourceVersion"] == str(api.store.revision)
    assert len(meta["uid"]) == 36


def test_the_same_name_twice_already_exists(api):
    api.do("POST", PODS, pod())
    assert api.refusal("POST", PODS, pod()) == (409, 'pods "web" already exists')


def test_generate_name_adds_five_letters(api):
    body = config_map() | {"metadata": {"generateName": "web-"}}
    names = [api.do("POST", MAPS, body | {"metadata": {"generateName": "web-"}})["metadata"]["name"] for _ in range(3)]
    assert len(set(names)) == 3
    assert all(len(name) == 9 and name.startswith("web-") for name in names)


def test_the_same_seed_gives_the_same_names_and_uids():
    def made(seed):
        api = Api(seed)
        body = config_map() | {"metadata": {"generateName": "web-"}}
        meta = api.do("POST", MAPS, body)["metadata"]
        return meta["name"], meta["uid"]

    assert made(1) == made(1) != made(2)


def test_the_status_of_a_new_object_is_not_the_clients(api):
    made = api.do("POST", DEPLOYMENTS, deployment() | {"status": {"replicas": 7}})
    assert made.get("status", {}).get("replicas") is None


def test_a_dry_run_answers_but_stores_nothing(api):
    before = api.store.revision
    assert api.ask("POST", MAPS, config_map(), dryRun="All").code == 201
    assert api.store.revision == before
    assert api.refusal("POST", MAPS, config_map(), dryRun="Some")[0] == 422


@pytest.mark.parametrize(("validation", "code"), [("Strict", 400), ("Warn", 201), ("Ignore", 201)])
def test_field_validation(api, validation, code):
    response = api.ask("POST", MAPS, config_map() | {"dta": {}}, fieldValidation=validation)
    assert response.code == code
    assert ("Warning" in response.headers) == (validation == "Warn")


def test_what_the_schema_does_not_know_is_dropped(api):
    assert "dta" not in api.do("POST", MAPS, config_map() | {"dta": {}})


def test_fields_given_twice_are_refused_when_strict(api):
    raw = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"1","k":"2"}}'
    assert 'duplicate field "data.k"' in api.refusal("POST", MAPS, raw, fieldValidation="Strict")[1]


# update


def test_an_update_of_an_old_state_conflicts(api):
    old = api.do("POST", MAPS, config_map())
    api.do("PATCH", f"{MAPS}/settings", {"data": {"a": "1"}}, MERGE)
    assert api.refusal("PUT", f"{MAPS}/settings", {**old, "data": {"a": "2"}}) == (
        409,
        'Operation cannot be fulfilled on configmaps "settings": the object has been modified; '
        "please apply your changes to the latest version and try again",
    )


def test_an_update_keeps_what_is_the_servers(api):
    old = api.do("POST", MAPS, config_map())
    new = api.do("PUT", f"{MAPS}/settings", config_map(a="1"))
    kept = ("uid", "creationTimestamp")
    assert [new["metadata"][field] for field in kept] == [old["metadata"][field] for field in kept]
    assert new["data"] == {"a": "1"}


def test_an_update_that_changes_nothing_writes_nothing(api):
    old = api.do("POST", MAPS, config_map(a="1", b="2"))
    same = api.do("PUT", f"{MAPS}/settings", config_map(b="2", a="1"))
    assert same["metadata"]["resourceVersion"] == old["metadata"]["resourceVersion"]


def test_an_update_of_nothing_is_not_found(api):
    assert api.refusal("PUT", f"{MAPS}/settings", config_map()) == (404, 'configmaps "settings" not found')


def test_an_update_must_name_the_object_of_the_url(api):
    api.do("POST", MAPS, config_map())
    assert api.refusal("PUT", f"{MAPS}/settings", config_map("other")) == (
        400,
        "the name of the object (other) does not match the name on the URL (settings)",
    )


def test_only_a_change_of_the_spec_counts_as_a_generation(api):
    api.do("POST", DEPLOYMENTS, deployment())
    patches = [{"metadata": {"labels": {"a": "b"}}}, {"spec": {"replicas": 5}}, {"status": {"replicas": 5}}]
    found = [api.do("PATCH", f"{DEPLOYMENTS}/web", patch, MERGE)["metadata"]["generation"] for patch in patches]
    assert found == [1, 2, 2]


def test_status_and_the_rest_are_written_apart(api):
    api.do("POST", DEPLOYMENTS, deployment())
    both = {"spec": {"replicas": 5}, "status": {"replicas": 5}}
    by_status = api.do("PATCH", f"{DEPLOYMENTS}/web/status", both, MERGE)
    assert (by_status["spec"]["replicas"], by_status["status"]["replicas"]) == (1, 5)
    by_object = api.do("PATCH", f"{DEPLOYMENTS}/web", {"spec": {"replicas": 2}, "status": {"replicas": 2}}, MERGE)
    assert (by_object["spec"]["replicas"], by_object["status"]["replicas"]) == (2, 5)


# patch


def test_a_merge_patch_removes_with_null(api):
    api.do("POST", MAPS, config_map(a="1", b="2"))
    assert api.do("PATCH", f"{MAPS}/settings", {"data": {"a": None}}, MERGE)["data"] == {"b": "2"}


def test_a_strategic_patch_merges_containers_by_name(api):
    api.do("POST", DEPLOYMENTS, deployment())
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "busybox"}]}}}}
    found = api.do("PATCH", f"{DEPLOYMENTS}/web", patch, STRATEGIC)
    assert sorted(each["name"] for each in found["spec"]["template"]["spec"]["containers"]) == ["main", "side"]


def test_a_json_patch_tests_and_replaces(api):
    api.do("POST", MAPS, config_map(a="1"))
    patch = [{"op": "test", "path": "/data/a", "value": "1"}, {"op": "replace", "path": "/data/a", "value": "2"}]
    assert api.do("PATCH", f"{MAPS}/settings", patch, JSON_PATCH)["data"] == {"a": "2"}


def test_a_patch_without_a_version_never_conflicts(api):
    api.do("POST", MAPS, config_map())
    for number in range(3):
        api.do("PATCH", f"{MAPS}/settings", {"data": {str(number): "x"}}, MERGE)
    assert len(api.do("GET", f"{MAPS}/settings")["data"]) == 3


# delete


def test_what_nobody_holds_is_gone_at_once(api):
    made = api.do("POST", MAPS, config_map())
    answer = api.do("DELETE", f"{MAPS}/settings")
    assert answer["status"] == "Success"
    assert answer["details"]["uid"] == made["metadata"]["uid"]
    assert api.refusal("GET", f"{MAPS}/settings")[0] == 404


def test_a_finalizer_holds_an_object_until_it_is_taken_away(api):
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/wait"]
    api.do("POST", MAPS, body)
    assert api.do("DELETE", f"{MAPS}/settings")["metadata"]["deletionTimestamp"]
    api.do("PATCH", f"{MAPS}/settings", {"metadata": {"finalizers": None}}, MERGE)
    assert api.refusal("GET", f"{MAPS}/settings")[0] == 404


def test_no_finalizer_is_added_to_what_is_being_deleted(api):
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/wait"]
    api.do("POST", MAPS, body)
    api.do("DELETE", f"{MAPS}/settings")
    patch = {"metadata": {"finalizers": ["example.com/wait", "example.com/more"]}}
    assert "no new finalizers can be added" in api.refusal("PATCH", f"{MAPS}/settings", patch, MERGE)[1]


@pytest.mark.parametrize(("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
def test_a_propagation_policy_is_a_finalizer(api, policy, finalizer):
    api.do("POST", DEPLOYMENTS, deployment())
    left = api.do("DELETE", f"{DEPLOYMENTS}/web", {"propagationPolicy": policy})
    assert left["metadata"]["finalizers"] == [finalizer]
    assert left["metadata"]["generation"] == 2


@pytest.mark.parametrize(
    ("kind", "asked", "finalizers"),
    [
        ("apps", {}, None),
        ("batch", {}, ["orphan"]),
        ("batch", {"propagationPolicy": "Background"}, None),
        ("batch", {"orphanDependents": False}, None),
        ("apps", {"orphanDependents": True}, ["orphan"]),
    ],
)
def test_what_becomes_of_dependents_is_asked_for_or_the_kinds_own_habit(api, kind, asked, finalizers):
    jobs = "/apis/batch/v1/namespaces/default/jobs"
    path, body = (DEPLOYMENTS, deployment()) if kind == "apps" else (jobs, job())
    body["metadata"]["finalizers"] = ["example.com/wait"]
    api.do("POST", path, body)
    left = api.do("DELETE", f"{path}/web", asked)
    assert left["metadata"]["finalizers"] == ["example.com/wait", *(finalizers or [])]


def job():
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "web"}, "spec": {"template": template}}


def test_the_last_word_about_dependents_counts(api):
    body = deployment()
    body["metadata"]["finalizers"] = ["example.com/wait"]
    api.do("POST", DEPLOYMENTS, body)
    for policy, finalizers in (("Orphan", ["orphan"]), ("Foreground", ["foregroundDeletion"]), ("Background", [])):
        left = api.do("DELETE", f"{DEPLOYMENTS}/web", {"propagationPolicy": policy})
        assert left["metadata"]["finalizers"] == ["example.com/wait", *finalizers]
    api.do("PATCH", f"{DEPLOYMENTS}/web", {"metadata": {"labels": {"a": "b"}}}, MERGE)


def test_what_goes_later_is_accepted_if_it_was_asked_for_in_the_old_way(api):
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/wait"]
    api.do("POST", MAPS, body)
    assert api.ask("DELETE", f"{MAPS}/settings", {"orphanDependents": False}).code == 202
    assert api.ask("DELETE", f"{MAPS}/settings", {"propagationPolicy": "Foreground"}).code == 200


def test_an_event_owns_nothing_and_is_owned_as_nothing(api):
    events = f"{NAMESPACE}/events"
    about = {"kind": "Pod", "name": "web", "namespace": "default"}
    api.do("POST", events, {"metadata": {"name": "e", "namespace": "default"}, "involvedObject": about})
    api.do("DELETE", f"{events}/e", {"propagationPolicy": "Foreground"})
    assert api.refusal("GET", f"{events}/e")[0] == 404
    body = config_map()
    body["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "Event", "name": "e", "uid": "1"}]
    code, text = api.refusal("POST", MAPS, body)
    assert code == 422
    assert "/v1, Kind=Event is disallowed from being an owner" in text


def test_an_unknown_propagation_policy_is_refused(api):
    api.do("POST", MAPS, config_map())
    assert api.refusal("DELETE", f"{MAPS}/settings", propagationPolicy="Never")[0] == 422


@pytest.mark.parametrize(
    ("field", "name", "happened"),
    [("uid", "UID", "deleted and then recreated"), ("resourceVersion", "ResourceVersion", "modified")],
)
def test_a_precondition_that_fails_conflicts(api, field, name, happened):
    found = api.do("POST", MAPS, config_map())["metadata"][field]
    code, text = api.refusal("DELETE", f"{MAPS}/settings", {"preconditions": {field: "7"}})
    assert code == 409
    assert text == (
        f'Operation cannot be fulfilled on ConfigMap "settings": the {name} in the precondition (7) does not match '
        f"the {name} in record ({found}). The object might have been {happened}"
    )


def test_a_pod_on_no_node_goes_at_once(api):
    api.do("POST", PODS, pod())
    api.do("DELETE", f"{PODS}/web")
    assert api.refusal("GET", f"{PODS}/web")[0] == 404


def test_a_pod_on_a_node_gets_its_grace_and_a_second_request_shortens_it(api):
    api.do("POST", PODS, pod(nodeName="node-1"))
    assert api.do("DELETE", f"{PODS}/web")["metadata"]["deletionGracePeriodSeconds"] == 30
    assert api.do("DELETE", f"{PODS}/web", {"gracePeriodSeconds": 5})["metadata"]["deletionGracePeriodSeconds"] == 5
    assert api.do("DELETE", f"{PODS}/web", {"gracePeriodSeconds": 9})["metadata"]["deletionGracePeriodSeconds"] == 5
    api.do("DELETE", f"{PODS}/web", {"gracePeriodSeconds": 0})
    assert api.refusal("GET", f"{PODS}/web")[0] == 404


def test_a_dry_run_deletes_nothing(api):
    api.do("POST", MAPS, config_map())
    api.do("DELETE", f"{MAPS}/settings", dryRun="All")
    api.do("GET", f"{MAPS}/settings")


def test_delete_collection_deletes_what_the_selector_chooses(api):
    for name, label in (("a", "x"), ("b", "y"), ("c", "x")):
        api.do("POST", MAPS, {**config_map(name), "metadata": {"name": name, "labels": {"l": label}}})
    api.do("DELETE", MAPS, labelSelector="l=x")
    assert [item["metadata"]["name"] for item in api.do("GET", MAPS)["items"]] == ["b"]


def test_a_namespace_goes_when_its_finalizers_are_taken_away(api):
    api.do("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
    going = api.do("DELETE", "/api/v1/namespaces/team")
    assert going["status"]["phase"] == "Terminating"
    api.do("PUT", "/api/v1/namespaces/team/finalize", {**going, "spec": {}})
    assert api.refusal("GET", "/api/v1/namespaces/team")[0] == 404


# events


def test_an_event_of_one_group_is_read_in_the_other(api):
    event = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "web.1"},
        "regarding": {"kind": "Pod", "name": "web", "namespace": "default"},
        "note": "here it is",
        "reason": "Scheduled",
        "action": "Binding",
        "type": "Normal",
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "example.com/x",
        "reportingInstance": "x-1",
    }
    api.do("POST", "/apis/events.k8s.io/v1/namespaces/default/events", event)
    found = api.do("GET", f"{NAMESPACE}/events/web.1")
    assert (found["apiVersion"], found["message"], found["involvedObject"]["name"]) == ("v1", "here it is", "web")
    assert api.do("GET", "/apis/events.k8s.io/v1/namespaces/default/events/web.1")["note"] == "here it is"


def test_an_event_ends_after_an_hour(api):
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "web.1"},
        "involvedObject": {"namespace": "default"},
    }
    api.do("POST", f"{NAMESPACE}/events", event)
    api.clock.advance_to(api.clock.now() + 3700)
    api.store.expire_leases()
    assert api.refusal("GET", f"{NAMESPACE}/events/web.1")[0] == 404


ADMISSION = "admissionregistration.k8s.io/v1"


@pytest.mark.parametrize(
    ("version", "plural", "kind", "content", "text"),
    [
        (ADMISSION, "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", {}, "its webhooks are not called"),
        (ADMISSION, "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", {}, "its webhooks are not called"),
        (ADMISSION, "validatingadmissionpolicies", "ValidatingAdmissionPolicy", {}, "its expressions are not evaluated"),
        ("apiregistration.k8s.io/v1", "apiservices", "APIService",
         {"spec": {"groupPriorityMinimum": 1, "versionPriority": 1}}, "the server that it names is not asked"),
    ],
)  # fmt: skip
def test_who_registers_for_a_say_is_told_that_nobody_listens(api, version, plural, kind, content, text):
    body = {"apiVersion": version, "kind": kind, "metadata": {"name": "v1.example.com"}, **content}
    response = api.ask("POST", f"/apis/{version}/{plural}", body)
    assert (response.code, response.headers["Warning"]) == (201, f'299 - "{kind} is stored, but {text} by k8slab"')
