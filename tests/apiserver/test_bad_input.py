"""Bad input gets a clear answer and changes nothing."""

from __future__ import annotations

import json
from functools import reduce
from operator import getitem
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.apimachinery.rest import copy_of
from tests.apiserver.harness import (
    DEPLOYMENTS,
    JSON_PATCH,
    MAPS,
    MERGE,
    PODS,
    STRATEGIC,
    Api,
    config_map,
    deployment,
    pod,
)

NO_JSON = "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: "
MISMATCH = "the API version in the data (v2) does not match the expected API version (v1)"
PROTOBUF = {"content-type": "application/vnd.kubernetes.protobuf"}
YAML = {"content-type": "application/yaml"}
BOMB = b"a: &a [x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (n + 1, n + 1, b",".join([b"*%c" % n] * 10)) for n in range(97, 106)
)

WRONG_BODIES: dict[str, tuple[Any, Any, int, str]] = {
    "no JSON": (b"{", None, 400, NO_JSON),
    "no bytes": (b"", None, 400, ""),
    "a list": (
        b"[]",
        None,
        400,
        NO_JSON + "json: cannot unmarshal array into Go value of type struct { APIVersion string ",
    ),
    "a text of YAML": (b"x", YAML, 400, NO_JSON + "json: cannot unmarshal string into Go value of type struct { "),
    "a null": (b"null", None, 400, ""),
    "no UTF-8": (b'{"kind": "\xff"}', None, 400, NO_JSON),
    "too deep": (b"[" * 100_000, None, 400, "exceeded max depth"),
    "no YAML": (b"a: b: c", YAML, 400, "(must be of type Pod): yaml: mapping values are not allowed in this context"),
    "YAML with a loop": (b"&a [*a]", YAML, 400, ""),
    "YAML that names a billion": (BOMB, YAML, 400, "excessive aliasing"),
    "no protobuf": (b"k8s\0\xff\xff\xff", PROTOBUF, 400, ""),
    "JSON called protobuf": (b"{}", PROTOBUF, 400, ""),
    "a media type nobody knows": (b"{}", {"content-type": "text/html"}, 415, ""),
    "too big": (b" " * (3 * 1024 * 1024 + 1), None, 413, "Request entity too large: limit is 3145728"),
    "another version": (pod() | {"apiVersion": "v2"}, None, 400, MISMATCH),
    "another kind": (pod() | {"kind": "Service"}, None, 400, "cannot be handled as a Pod"),
    "a kind that is a number": (pod() | {"kind": 1}, None, 400, ""),
    "metadata that is a list": (pod() | {"metadata": []}, None, 400, "cannot unmarshal array"),
    "a name that is a number": (pod() | {"metadata": {"name": 1}}, None, 400, "metadata.name"),
    "a spec that is a text": (pod() | {"spec": "x"}, None, 400, ""),
    "no name": (pod() | {"metadata": {}}, None, 422, "name or generateName is required"),
    "a bad name": (
        pod("Web"),
        None,
        422,
        'Pod "Web" is invalid: metadata.name: Invalid value: "Web": a lowercase RFC 1123',
    ),
    "another namespace": (
        pod() | {"metadata": {"name": "web", "namespace": "other"}},
        None,
        400,
        "the namespace of the provided object does not match the namespace sent on the request",
    ),
    "a resourceVersion": (
        pod() | {"metadata": {"name": "web", "resourceVersion": "1"}},
        None,
        400,
        "resourceVersion should not be set on objects to be created",
    ),
    "a bad label": (pod() | {"metadata": {"name": "web", "labels": {"a b": "c"}}}, None, 422, "metadata.labels"),
}


@pytest.mark.parametrize(("body", "headers", "code", "message"), WRONG_BODIES.values(), ids=WRONG_BODIES)
def test_a_body_that_makes_no_sense_is_refused(api, body, headers, code, message):
    found = api.refusal("POST", PODS, body, headers)
    assert found[0] == code
    assert message in found[1]


WRONG_PATHS = {
    "/api/v1/namespaces/default/pots": 404,
    "/api/v2/pods": 404,
    "/apis/apps/v1beta1/deployments": 404,
    "/apis/apps/v1/namespaces/default/deployments/web/log": 404,
    "/api/v1/namespaces/default/pods/web/status/more": 404,
    "/nowhere": 404,
}


@pytest.mark.parametrize("path", WRONG_PATHS)
def test_a_path_that_leads_nowhere_is_404(api, path):
    assert api.refusal("GET", path) == (404, "the server could not find the requested resource")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", PODS), ("POST", f"{PODS}/web"), ("POST", "/api/v1/pods"), ("TRACE", PODS), ("DELETE", "/version")],
)
def test_a_verb_that_a_path_does_not_take_is_405(api, method, path):
    assert api.refusal(method, path)[0] == 405


WRONG_OPTIONS = [
    (PODS, {"labelSelector": "a=("}, 400),
    (PODS, {"fieldSelector": "spec.nodeName"}, 400),
    (PODS, {"fieldSelector": "spec.nothing=1"}, 400),
    (PODS, {"limit": "ten"}, 400),
    (PODS, {"continue": "ten"}, 400),
    (PODS, {"resourceVersion": "99999"}, 504),
    (PODS, {"resourceVersionMatch": "Exact"}, 422),
    (PODS, {"resourceVersion": "1", "resourceVersionMatch": "Newer"}, 422),
    (PODS, {"sendInitialEvents": "true"}, 422),
    (PODS, {"watch": "true", "sendInitialEvents": "true"}, 422),
    (PODS, {"watch": "true", "resourceVersionMatch": "NotOlderThan"}, 422),
    (PODS, {"watch": "true", "resourceVersion": "x"}, 400),
]


@pytest.mark.parametrize(("path", "query", "code"), WRONG_OPTIONS)
def test_options_that_make_no_sense_are_refused(api, path, query, code):
    assert api.refusal("GET", path, **query)[0] == code


WRONG_PATCHES = [
    (JSON_PATCH, b'[{"op":"replace","path":"/data/none","value":"1"}]', 422),
    (JSON_PATCH, b'[{"op":"test","path":"/data/a","value":"2"}]', 422),
    (JSON_PATCH, b'{"data":{}}', 400),
    (JSON_PATCH, b'[{"op":"remove","path":"/metadata"}]', 400),
    (MERGE, b"{", 400),
    (MERGE, b"[]", 400),
    (MERGE, b'{"metadata":{"name":"other"}}', 400),
    (MERGE, b'{"metadata":{"resourceVersion":"1"}}', 409),
    (MERGE, b'{"metadata":{"uid":"1"}}', 409),
    (MERGE, b'{"metadata":null}', 400),
    (MERGE, b'{"kind":"Secret"}', 400),
    (MERGE, b'{"data":{"a":1}}', 422),
    (STRATEGIC, b'{"data":{"$patch":"explode"}}', 400),
    ({"content-type": "application/apply-patch+yaml"}, b"{}", 422),
    ({"content-type": "application/json"}, b"{}", 415),
]


@pytest.mark.parametrize(("headers", "patch", "code"), WRONG_PATCHES)
def test_a_patch_that_makes_no_sense_is_refused(api, headers, patch, code):
    api.do("POST", MAPS, config_map(a="1"))
    assert api.refusal("PATCH", f"{MAPS}/settings", patch, headers)[0] == code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
"""Anything that JSON can say."""
TEXT = """metadata spec status data name labels annotations finalizers ownerReferences replicas template containers image
ports selector matchLabels $patch $setElementOrder/containers $deleteFromPrimitiveList/finalizers $retainKeys strategy
deletionTimestamp uid tolerations volumes"""
WORDS = st.sampled_from(TEXT.split())
OBJECTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "a", "x y", "delete", "replace", "1", "Always"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)
"""What comes nearer to an object."""
POINTERS = st.lists(WORDS | st.sampled_from(["0", "-", "01", "~", "~1"]), max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "dance"]), "path": POINTERS},
        optional={"value": OBJECTS, "from": POINTERS},
    ),
    max_size=3,
)
SHARED = Api()
SHARED.do("POST", DEPLOYMENTS, deployment())
SHARED.do("POST", PODS, pod())


def no_fault(method: str, path: str, body: Any, headers: Any = None) -> None:
    """Whatever is asked, the answer is one; a refusal changes nothing."""
    before = SHARED.store.revision
    response = SHARED.ask(method, path, body, headers, dryRun="All")
    assert response.code != 500, response.object
    assert SHARED.store.revision == before


def merged(base: Any, change: Any) -> Any:
    """An object that is almost right."""
    if isinstance(base, dict) and isinstance(change, dict):
        return {**base, **{key: merged(base.get(key), value) for key, value in change.items()}}
    return change


@given(st.binary(max_size=40))
@settings(max_examples=150)
def test_any_bytes_are_refused_cleanly(raw):
    for headers in (None, YAML, PROTOBUF):
        no_fault("POST", PODS, raw, headers)
    no_fault("POST", PODS, b"k8s\0" + raw, PROTOBUF)
    no_fault("PATCH", f"{PODS}/web", raw, MERGE)


@given(JSON | OBJECTS)
@settings(max_examples=200)
def test_any_json_is_refused_cleanly(value):
    raw = orjson.dumps(value)
    for path in (PODS, DEPLOYMENTS, MAPS):
        no_fault("POST", path, raw)
    no_fault("DELETE", f"{PODS}/web", raw)
    no_fault("PUT", f"{PODS}/web", raw)


@given(OBJECTS)
@settings(max_examples=300)
def test_an_object_that_is_almost_right_is_refused_cleanly(change):
    for path, base in ((PODS, pod()), (DEPLOYMENTS, deployment())):
        raw = orjson.dumps(merged(base, change))
        no_fault("POST", path, raw)
        no_fault("PUT", f"{path}/web", raw)


@given(OBJECTS)
@settings(max_examples=300)
def test_any_merge_is_refused_cleanly(patch):
    raw = orjson.dumps(patch)
    for path in (f"{PODS}/web", f"{DEPLOYMENTS}/web", f"{DEPLOYMENTS}/web/status"):
        no_fault("PATCH", path, raw, MERGE)
        no_fault("PATCH", path, raw, STRATEGIC)


@given(OPERATIONS)
@settings(max_examples=300)
def test_any_json_patch_is_refused_cleanly(operations):
    no_fault("PATCH", f"{DEPLOYMENTS}/web", orjson.dumps(operations), JSON_PATCH)


WRONG_VALUES = [None, 0, -1, 1.5, "", "x", True, [], [None], [{}], {}, {"a": None}, {"": ""}, 2**70]
QUESTIONS = {
    f"{PODS}/web/binding": {"kind": "Binding", "apiVersion": "v1", "target": {"kind": "Node", "name": "n"}},
    f"{PODS}/web/eviction": {
        "kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": "web"},
        "deleteOptions": {"gracePeriodSeconds": 1, "preconditions": {"uid": "x"}, "dryRun": ["All"]},
    },
    "/api/v1/namespaces/default/bindings": {
        "kind": "Binding", "apiVersion": "v1", "metadata": {"name": "web"}, "target": {"name": "n"},
    },
    "/api/v1/namespaces/default/serviceaccounts/default/token": {
        "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
        "spec": {"audiences": ["x"], "expirationSeconds": 600, "boundObjectRef": {"kind": "Pod", "name": "web"}},
    },
    "/apis/authorization.k8s.io/v1/subjectaccessreviews": {
        "kind": "SubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
        "spec": {"user": "bob", "groups": ["x"], "extra": {"a": ["b"]}, "resourceAttributes": {"verb": "get"}},
    },
}  # fmt: skip


def places(value, path=()):
    """The paths to everything in a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


@pytest.mark.parametrize("path", QUESTIONS)
def test_a_question_with_anything_in_any_place_is_answered_or_refused(api, path):
    api.do("POST", PODS, pod())
    for place in places(QUESTIONS[path]):
        for wrong in WRONG_VALUES:
            body = copy_of(QUESTIONS[path])
            *above, last = place
            reduce(getitem, above, body)[last] = wrong
            response = api.ask("POST", path, json.dumps(body).encode())
            assert response.code < 500, (place, wrong, response.object)


@pytest.mark.parametrize("kind", [MERGE, {"content-type": "application/apply-patch+yaml"}], ids=["merge", "apply"])
def test_a_scale_with_anything_in_any_place_is_taken_or_refused(api, kind):
    api.do("POST", DEPLOYMENTS, deployment())
    scale = {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "web"}, "spec": {"replicas": 2}}
    for place in places(scale):
        for wrong in WRONG_VALUES:
            body = copy_of(scale)
            *above, last = place
            reduce(getitem, above, body)[last] = wrong
            response = api.ask("PATCH", f"{DEPLOYMENTS}/web/scale", json.dumps(body).encode(), kind, fieldManager="x")
            # What is no object of its kind cannot be applied: upstream has no other code for it than this.
            assert response.code < 500 or "failed to create typed patch object" in response.object["message"]


def test_who_cannot_apply_because_of_a_condition_without_a_type_is_told_so(api):
    def apply(config):
        kind = {"content-type": "application/apply-patch+yaml"}
        return api.ask("PATCH", f"{DEPLOYMENTS}/web", json.dumps(config).encode(), kind, fieldManager="x")

    assert apply(deployment(replicas=2)).code == 201
    api.do("PATCH", f"{DEPLOYMENTS}/web/status", {"status": {"conditions": [{"status": "True"}]}}, MERGE)
    without_replicas = deployment()
    del without_replicas["spec"]["replicas"]
    response = apply(without_replicas)
    who = "failed to create typed live object (default/web; apps/v1, Kind=Deployment): "
    assert (response.code, response.object["message"][: len(who)]) == (500, who)


STRATEGIC_FAULTS = {
    b'{"spec":{"replicas":"x"}}': ("map[spec:map[replicas:x]]", "unrecognized type: int32"),
    b'{"spec":{"paused":"x"}}': ("map[spec:map[paused:x]]", "unrecognized type: bool"),
    b'{"spec":"x"}': ("map[spec:x]", "cannot restore struct from: string"),
    b'{"spec":{"template":{"spec":{"containers":true}}}}': (
        "map[spec:map[template:map[spec:map[containers:true]]]]", "cannot restore slice from bool",
    ),
    b'{"metadata":{"labels":["x"]}}': ("map[metadata:map[labels:[x]]]", "cannot restore map from slice"),
    b'{"metadata":{"labels":{"a":1}}}': ("map[metadata:map[labels:map[a:1]]]", "cannot convert int64 to string"),
    b'{"spec":{"replica":2}}': ("map[spec:map[replica:2]]", 'strict decoding error: unknown field "spec.replica"'),
}  # fmt: skip


@pytest.mark.parametrize("patch", STRATEGIC_FAULTS)
def test_a_strategic_patch_that_leaves_no_object_is_shown_with_what_is_wrong(api, patch):
    api.do("POST", DEPLOYMENTS, deployment())
    shown, why = STRATEGIC_FAULTS[patch]
    told = f' "" is invalid: patch: Invalid value: "{shown}": {why}'
    assert api.refusal("PATCH", f"{DEPLOYMENTS}/web", patch, STRATEGIC, fieldValidation="Strict") == (422, told)


@pytest.mark.parametrize(
    ("kind", "patch"),
    [(MERGE, b'{"data":{"a":1}}'), (JSON_PATCH, b'[{"op":"add","path":"/data","value":{"a":1}}]')],
)
def test_other_patches_show_the_whole_that_they_would_have_made(api, kind, patch):
    api.do("POST", MAPS, config_map())
    code, message = api.refusal("PATCH", f"{MAPS}/settings", patch, kind)
    assert code == 422
    assert message.startswith(
        ' "" is invalid: patch: Invalid value: "{\\"apiVersion\\":\\"v1\\",\\"kind\\":\\"ConfigMap\\",'
    )
    assert message.endswith('": json: cannot unmarshal number into Go struct field ConfigMap.data of type string')


def test_what_stands_in_a_secret_is_shown_by_no_refusal(api):
    secrets = "/api/v1/namespaces/default/secrets"
    hidden = "aHVudGVyMg=="
    api.do("POST", secrets, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": hidden}})
    for kind, patch in ((MERGE, b'{"data":{"b":1}}'), (STRATEGIC, b'{"data":{"a":"aHVudGVyMg==","b":1}}')):
        code, message = api.refusal("PATCH", f"{secrets}/s", patch, kind)
        assert (code, "<redacted>" in message, hidden in message) == (422, True, False)
    assert api.refusal("POST", secrets, b'{"data":{"a":"aHVudGVyMg"}')[1].endswith("(<redacted>)")


@pytest.mark.parametrize(
    ("name", "why"), [("..", "may not be '..'"), (".", "may not be '.'"), ("a%2f", "may not contain '%'")]
)
def test_a_name_that_leads_elsewhere_in_the_store_is_refused(api, name, why):
    for method in ("GET", "DELETE", "PATCH"):
        found = api.refusal(method, f"{PODS}/{name}", b"{}", MERGE)
        assert found == (400, f'Name parameter invalid: "{name}": {why}')
