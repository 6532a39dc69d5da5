"""Server-side apply and managedFields, as requests."""

from __future__ import annotations

import pytest

from tests.apiserver.harness import DEPLOYMENTS, JSON_PATCH, MAPS, MERGE, PODS, STRATEGIC

APPLY = {"content-type": "application/apply-patch+yaml"}
WEB = f"{DEPLOYMENTS}/web"


def config_map(**data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": data}


def deployment(**spec):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template} | spec
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def apply(api, path, config, manager="me", **query):
    return api.do("PATCH", path, config, APPLY, fieldManager=manager, **query)


def refusal(api, path, config, manager="me", **query):
    return api.refusal("PATCH", path, config, APPLY, fieldManager=manager, **query)


def owners(obj):
    """(manager, operation, subresource) of each entry."""
    entries = obj["metadata"].get("managedFields", [])
    return [(entry["manager"], entry["operation"], entry.get("subresource", "")) for entry in entries]


def owned(obj, manager):
    return next(entry["fieldsV1"] for entry in obj["metadata"]["managedFields"] if entry["manager"] == manager)


def test_creates_what_is_not_there(api):
    response = api.ask("PATCH", f"{MAPS}/m", config_map(a="1"), APPLY, fieldManager="me")
    assert response.code == 201
    assert owned(response.object, "me") == {"f:data": {"f:a": {}}}
    again = api.ask("PATCH", f"{MAPS}/m", config_map(a="1"), APPLY, fieldManager="me")
    assert again.code == 200
    assert again.object == response.object


def test_what_is_filled_in_is_nobodys(api):
    made = apply(api, WEB, deployment())
    assert made["spec"]["replicas"] == 1
    assert "f:replicas" not in owned(made, "me")["f:spec"]


def test_yaml_is_read_too(api):
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\ndata:\n  a: '1'\n"
    assert apply(api, f"{MAPS}/m", text)["data"] == {"a": "1"}


def test_what_is_left_out_is_removed_unless_somebody_else_owns_it(api):
    apply(api, f"{MAPS}/m", config_map(a="1", b="2"), "me")
    apply(api, f"{MAPS}/m", config_map(b="2", c="3"), "you")
    assert apply(api, f"{MAPS}/m", config_map(), "me")["data"] == {"b": "2", "c": "3"}


def test_a_conflict_writes_nothing_and_force_takes_over(api):
    apply(api, f"{MAPS}/m", config_map(a="1"), "you")
    code, message = refusal(api, f"{MAPS}/m", config_map(a="2"))
    assert (code, message) == (409, 'Apply failed with 1 conflict: conflict with "you": .data.a')
    forced = apply(api, f"{MAPS}/m", config_map(a="2"), force="true")
    assert forced["data"] == {"a": "2"}
    assert owners(forced) == [("me", "Apply", "")]


def test_an_update_takes_fields_without_asking(api):
    apply(api, f"{MAPS}/m", config_map(a="1", b="2"))
    api.do("PATCH", f"{MAPS}/m", {"data": {"a": "5"}}, MERGE, fieldManager="you")
    code, message = refusal(api, f"{MAPS}/m", config_map(a="1", b="2"))
    assert (code, message) == (409, 'Apply failed with 1 conflict: conflict with "you" using v1: .data.a')


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (MERGE, {"data": {"b": "2"}}),
        (STRATEGIC, {"data": {"b": "2"}}),
        (JSON_PATCH, [{"op": "add", "path": "/data/b", "value": "2"}]),
    ],
)
def test_every_patch_is_recorded_under_the_name_of_its_client(api, headers, body):
    api.do("POST", MAPS, config_map(a="1"), {"user-agent": "maker/1.0 (linux)"})
    changed = api.do("PATCH", f"{MAPS}/m", body, headers | {"user-agent": "changer"})
    assert owned(changed, "maker") == {"f:data": {".": {}, "f:a": {}}}
    assert owned(changed, "changer") == {"f:data": {"f:b": {}}}


def test_status_and_scale_are_recorded_as_such(api):
    api.do("POST", DEPLOYMENTS, deployment(), fieldManager="maker")
    api.do("PATCH", f"{WEB}/scale", {"spec": {"replicas": 4}}, MERGE, fieldManager="scaler")
    api.do("PATCH", f"{WEB}/status", {"status": {"replicas": 4}}, MERGE, fieldManager="controller")
    found = api.do("GET", WEB)
    assert set(owners(found)) == {
        ("maker", "Update", ""),
        ("scaler", "Update", "scale"),
        ("controller", "Update", "status"),
    }
    assert owned(found, "scaler") == {"f:spec": {"f:replicas": {}}}
    assert owned(found, "controller") == {"f:status": {"f:replicas": {}}}


def test_a_scale_can_be_applied(api):
    api.do("POST", DEPLOYMENTS, deployment(), fieldManager="maker")
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 3}}
    assert refusal(api, f"{WEB}/scale", scale)[0] == 409
    assert apply(api, f"{WEB}/scale", scale, force="true")["spec"]["replicas"] == 3
    assert owned(api.do("GET", WEB), "me") == {"f:spec": {"f:replicas": {}}}


def test_a_status_can_be_applied_and_only_that(api):
    api.do("POST", DEPLOYMENTS, deployment(), fieldManager="maker")
    config = deployment(replicas=7) | {"status": {"replicas": 2}}
    found = apply(api, f"{WEB}/status", config)
    assert (found["spec"]["replicas"], found["status"]["replicas"]) == (1, 2)
    assert owned(found, "me") == {"f:status": {"f:replicas": {}}}
    assert refusal(api, f"{DEPLOYMENTS}/other/status", config | {"metadata": {"name": "other"}})[0] == 404


def test_the_servers_own_changes_are_nobodys(api):
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
    made = api.do("POST", PODS, pod, fieldManager="me")
    assert made["spec"]["tolerations"]
    assert not {"f:tolerations", "f:serviceAccountName", "f:priority"} & set(owned(made, "me")["f:spec"])
    assert set(owned(made, "me")) == {"f:spec"}


def test_a_write_of_nothing_writes_nothing(api):
    apply(api, f"{MAPS}/m", config_map(a="1"))
    before = api.store.revision
    api.clock.advance_to(api.clock.now() + 60)
    apply(api, f"{MAPS}/m", config_map(a="1"))
    api.do("PATCH", f"{MAPS}/m", {"data": {"a": "1"}}, MERGE, fieldManager="you")
    api.do("PUT", f"{MAPS}/m", api.do("GET", f"{MAPS}/m"), fieldManager="you")
    assert api.store.revision == before


def test_a_dry_run_shows_and_stores_nothing(api):
    shown = apply(api, f"{MAPS}/m", config_map(a="1"), dryRun="All")
    assert shown["data"] == {"a": "1"}
    assert api.ask("GET", f"{MAPS}/m").code == 404


@pytest.mark.parametrize("sent", [[], [{}]])
def test_managed_fields_can_be_reset(api, sent):
    made = api.do("POST", MAPS, config_map(a="1"), fieldManager="maker")
    made = {**made, "data": {"a": "2"}, "metadata": {**made["metadata"], "managedFields": sent}}
    assert owners(api.do("PUT", f"{MAPS}/m", made, fieldManager="you")) == []
    # From then on nobody keeps account, until somebody applies.
    assert owners(api.do("PATCH", f"{MAPS}/m", {"data": {"c": "3"}}, MERGE)) == []
    assert refusal(api, f"{MAPS}/m", config_map(a="9"))[1] == (
        'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a'
    )


def test_managed_fields_can_be_edited_and_nonsense_is_left_alone(api):
    made = api.do("POST", MAPS, config_map(a="1"), fieldManager="maker")
    entry = made["metadata"]["managedFields"][0]
    edit = [{"op": "replace", "path": "/metadata/managedFields", "value": [{**entry, "manager": "heir"}]}]
    assert owners(api.do("PATCH", f"{MAPS}/m", edit, JSON_PATCH)) == [("heir", "Update", "")]
    edit[0]["value"] = [{**entry, "operation": "Guess"}]
    assert owners(api.do("PATCH", f"{MAPS}/m", edit, JSON_PATCH)) == [("heir", "Update", "")]


def test_identity_is_a_precondition(api):
    made = apply(api, f"{MAPS}/m", config_map(a="1"))

    def about(**meta):
        return config_map(a="2") | {"metadata": {"name": "m"} | meta}

    assert refusal(api, f"{MAPS}/m", about(uid="other"))[0] == 409
    assert refusal(api, f"{MAPS}/m", about(resourceVersion="1"))[0] == 409
    version = made["metadata"]["resourceVersion"]
    apply(api, f"{MAPS}/m", about(uid=made["metadata"]["uid"], resourceVersion=version))
    gone = config_map() | {"metadata": {"name": "n", "uid": "u"}}
    assert refusal(api, f"{MAPS}/n", gone)[1] == (
        'Operation cannot be fulfilled on configmaps "n": uid mismatch: the provided object specified uid u, '
        "and no existing object was found"
    )


@pytest.mark.parametrize(
    ("config", "code", "message"),
    [
        (config_map(a=1), 500, 'failed to create typed patch object (/m; /v1, Kind=ConfigMap): .data.a: expected string, got '
         "&value.valueUnstructured{Value:1}"),
        (config_map() | {"datum": 1}, 500,
         "failed to create typed patch object (/m; /v1, Kind=ConfigMap): .datum: field not declared in schema"),
        (config_map() | {"kind": "Secret"}, 400, "invalid object type: /v1, Kind=Secret"),
        (config_map() | {"metadata": {"name": "m", "managedFields": []}}, 400, "metadata.managedFields must be nil"),
        (config_map() | {"metadata": {"name": "n"}}, 400,
         "the name of the object (n) does not match the name on the URL (m)"),
        (config_map() | {"metadata": {}}, 400,
         "the name of the object (m based on URL) was undeterminable: name must be provided"),
        (config_map() | {"metadata": 5}, 400, "the configuration has no metadata"),
        (b"- a", 400, "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go "
         "value of type map[string]interface {}"),
        (b"a: [", 400, "error decoding YAML: error converting YAML to JSON: yaml: line 1: did not find expected "
             "node content"),
        (b"", 400, "invalid object type: /, Kind="),
    ],
)  # fmt: skip
def test_what_cannot_be_applied_is_refused_in_upstreams_words(api, config, code, message):
    assert refusal(api, f"{MAPS}/m", config) == (code, message)


def test_keys_that_are_there_twice_are_refused_when_asked_to(api):
    text = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"a":"1","a":"2"}}'
    code, message = refusal(api, f"{MAPS}/m", text, fieldValidation="Strict")
    assert code == 400
    assert message == (
        "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n"
        '  line 1: key "a" already set in map'
    )
    response = api.ask("PATCH", f"{MAPS}/m", text, APPLY, fieldManager="me")
    assert "already set in map" in response.headers["Warning"]


@pytest.mark.parametrize(
    ("headers", "query", "message"),
    [
        (
            APPLY,
            {},
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
        ),
        (
            MERGE,
            {"force": "true"},
            'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
        ),
        (
            APPLY,
            {"fieldManager": "a\n"},
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\n": invalid character U+000A '
            "(at position 1)",
        ),
        (
            MERGE,
            {"fieldManager": "m" * 129},
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(api, headers, query, message):
    api.do("POST", MAPS, config_map(a="1"))
    assert api.refusal("PATCH", f"{MAPS}/m", config_map(a="2"), headers, **query) == (422, message)


def test_a_service_keeps_its_address_when_it_is_applied_again(api):
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
    path = "/api/v1/namespaces/default/services/s"
    made = apply(api, path, service)
    service["spec"]["ports"].append({"port": 53, "protocol": "UDP", "name": "dns"})
    service["spec"]["ports"][0]["name"] = "web"
    changed = apply(api, path, service)
    assert changed["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert [port["port"] for port in changed["spec"]["ports"]] == [80, 53]
