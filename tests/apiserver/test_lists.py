"""What a client may ask of lists and watches, and what it is told when it asks for something else: upstream's words."""

from __future__ import annotations

import base64
import threading

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.apimachinery.rest import Pending, Request
from k8slab.apiserver.handlers.list_options import decode_continue, encode_continue
from k8slab.apiserver.server import ApiServer
from k8slab.apiserver.stored_list import spliced
from k8slab.clock import RealClock
from k8slab.etcd.memory import MemoryStore
from k8slab.etcd.store import Entry, Put
from k8slab.names import Chance
from tests.apiserver.harness import ADMIN, INITIAL_END, MAPS, MERGE, NAMESPACE, PODS, Api, config_map, pod
from tests.apiserver.test_reads import fill, label, names

SECRETS, JOBS = f"{NAMESPACE}/secrets", "/apis/batch/v1/namespaces/default/jobs"
PARTIAL = {"accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}
PARTIAL_LIST = {"accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
TABLE = {"accept": "application/json;as=Table;g=meta.k8s.io;v=v1"}


def pages(api, path=MAPS, limit=2, headers=None, **query):
    """All pieces of a list, following its tokens."""
    found = [api.do("GET", path, headers=headers, limit=str(limit), **query)]
    while token := found[-1]["metadata"].get("continue"):
        found.append(api.do("GET", path, headers=headers, limit=str(limit), **query, **{"continue": token}))
    return found


# limit and continue


def test_a_token_is_upstreams(api):
    fill(api, "a", "b")
    found = api.do("GET", "/api/v1/configmaps", limit="1", fieldSelector="metadata.namespace=default")["metadata"]
    content = orjson.loads(base64.urlsafe_b64decode(found["continue"] + "=="))
    assert content == {"v": "meta.k8s.io/v1", "rv": int(found["resourceVersion"]), "start": "default/a\0"}


def test_with_a_selector_every_piece_but_the_last_is_full_and_nobody_counts_the_rest(api):
    fill(api, *"abcdefg")
    for name in "aceg":
        label(api, name, "x")
    found = pages(api, labelSelector="l=x")
    assert [names(piece) for piece in found] == [["a", "c"], ["e", "g"]]
    assert all("remainingItemCount" not in piece["metadata"] for piece in found)


def test_the_rest_is_counted_from_each_piece_on(api):
    fill(api, *"abcde")
    assert [piece["metadata"].get("remainingItemCount") for piece in pages(api)] == [3, 1, None]


@settings(max_examples=25)
@given(count=st.integers(0, 7), limit=st.integers(1, 8), every=st.integers(1, 3))
def test_all_pieces_together_are_the_whole(count, limit, every):
    api = Api()
    fill(api, *(f"m{number}" for number in range(count)))
    for number in range(0, count, every):
        label(api, f"m{number}", "x")
    whole = api.do("GET", MAPS, labelSelector="l=x")
    found = pages(api, limit=limit, labelSelector="l=x")
    assert [name for piece in found for name in names(piece)] == names(whole)
    assert {piece["metadata"]["resourceVersion"] for piece in found} == {whole["metadata"]["resourceVersion"]}
    assert all(len(piece["items"]) == limit for piece in found[:-1])


def test_any_version_is_the_whole_whatever_the_limit(api):
    fill(api, "a", "b")
    assert names(api.do("GET", MAPS, limit="1", resourceVersion="0")) == ["a", "b"]


def test_a_limit_makes_a_version_exact(api):
    fill(api, "a")
    then = str(api.store.revision)
    fill(api, "b")
    assert names(api.do("GET", MAPS, limit="9", resourceVersion=then)) == ["a"]
    assert names(api.do("GET", MAPS, limit="9", resourceVersion=then, resourceVersionMatch="NotOlderThan")) == [
        "a",
        "b",
    ]


def test_a_table_comes_in_pieces_too(api):
    fill(api, "a", "b", "c")
    found = pages(api, headers=TABLE)
    assert [[row["cells"][0] for row in piece["rows"]] for piece in found] == [["a", "b"], ["c"]]
    assert found[0]["metadata"]["remainingItemCount"] == 1


NOT_VALID = "invalid continue token: continue key is not valid"


@pytest.mark.parametrize(
    ("token", "fault"),
    [
        ("!", ": illegal base64 data at input byte 0"),
        ("abc", ": invalid character 'i' looking for beginning of value"),
        ("W10", ": json: cannot unmarshal array into Go value of type storage.continueToken"),
        ("e30", ": server does not recognize this encoded version "),
        (encode_continue(0, "a"), ": incorrect encoded start resourceVersion (version meta.k8s.io/v1)"),
        (encode_continue(5, ""), ": encoded start key empty (version meta.k8s.io/v1)"),
        (encode_continue(5, "../secrets/x"), ": ../secrets/x"),
    ],
)
def test_a_token_that_is_none_is_a_bad_request(api, token, fault):
    assert api.refusal("GET", MAPS, **{"continue": token}) == (400, NOT_VALID + fault)


@settings(max_examples=40)
@given(st.text(max_size=12))
def test_no_text_as_a_token_is_more_than_a_bad_request(text):
    assert Api().ask("GET", MAPS, **{"continue": text or "x"}).code == 400


@given(st.integers(1, 2**60), st.from_regex(r"[a-z]{1,5}(/[a-z]{1,5}\x00)?", fullmatch=True))
def test_a_token_says_what_was_put_into_it(revision, start):
    assert decode_continue(encode_continue(revision, start)) == (revision, start)


# Revisions


@pytest.mark.parametrize(
    ("query", "causes"),
    [
        (
            {"resourceVersionMatch": "Exact"},
            ["resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"],
        ),
        (
            {"resourceVersionMatch": "Exact", "resourceVersion": "0"},
            ['resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'],
        ),
        (
            {"resourceVersionMatch": "Older", "continue": "x"},
            [
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided",
                'resourceVersionMatch: Unsupported value: "Older": supported values: "Exact", "NotOlderThan", ""',
            ],
        ),
        (
            {"sendInitialEvents": "false"},
            ["sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"],
        ),
        (
            {"watch": "true", "resourceVersionMatch": "NotOlderThan"},
            [
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless "
                "sendInitialEvents is provided"
            ],
        ),
        (
            {"watch": "true", "resourceVersionMatch": "Exact", "sendInitialEvents": "true"},
            [
                "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
                'resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"',
            ],
        ),
    ],
)
def test_options_that_exclude_each_other_are_invalid(api, query, causes):
    code, message = api.refusal("GET", MAPS, **query)
    shown = causes[0] if len(causes) == 1 else f"[{', '.join(causes)}]"
    assert (code, message) == (422, f'ListOptions.meta.k8s.io "" is invalid: {shown}')


def test_a_version_of_letters_is_a_bad_request(api):
    code, message = api.refusal("GET", MAPS, resourceVersion="new")
    assert (code, message.split(": ")[0]) == (400, "invalid resource version")
    assert api.refusal("GET", MAPS, limit="many") == (400, 'strconv.ParseInt: parsing "many": invalid syntax')


@pytest.mark.parametrize("path", [MAPS, f"{MAPS}/a", "/api/v1/configmaps"])
def test_a_version_of_the_future_is_a_timeout_at_once_on_a_virtual_clock(api, path):
    now = api.store.revision
    found = api.ask("GET", path, resourceVersion=str(now + 5)).object
    message = f"Timeout: Too large resource version: {now + 5}, current: {now}"
    assert (found["code"], found["reason"], found["message"]) == (504, "Timeout", message)
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    assert found["details"] == {"causes": [cause], "retryAfterSeconds": 1}


def test_exactly_a_version_of_the_future_is_a_timeout_too(api):
    found = api.ask("GET", MAPS, resourceVersion="999", resourceVersionMatch="Exact").object
    assert (found["code"], "retryAfterSeconds" in found["details"]) == (504, False)


def test_on_a_real_clock_a_read_waits_for_its_version_while_the_server_goes_on():
    clock = RealClock()
    store = MemoryStore(clock)
    api = Api.of(ApiServer(store, clock, Chance(0)))
    pending = api.ask("GET", "/api/v1/nodes", resourceVersion=str(store.revision + 1))
    assert isinstance(pending, Pending)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(pending.wait()))
    waiting.start()
    store.transact([], [Put("/registry/other/x", b"{}")])
    waiting.join(2)
    assert answers[0].code == 200


def test_compaction_takes_exact_versions_away(api):
    fill(api, "a", "b")
    api.store.compact(api.store.revision)
    code, message = api.refusal("GET", MAPS, resourceVersion="2", resourceVersionMatch="Exact")
    assert (code, message) == (410, "The resourceVersion for the provided list is too old.")


# Watch lists


def test_a_watch_from_nowhere_is_a_watch_list_for_who_takes_bookmarks(api):
    fill(api, "a")
    for query in ({}, {"resourceVersion": "0"}):
        events = api.watch(MAPS, allowWatchBookmarks="true", **query).poll()
        assert [event.type for event in events] == ["ADDED", "BOOKMARK"]
        assert events[1].object["metadata"]["annotations"] == {INITIAL_END: "true"}


def test_a_watch_list_that_wants_no_beginning_starts_now(api):
    fill(api, "a")
    query = {"sendInitialEvents": "false", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    watch = api.watch(MAPS, **query)
    fill(api, "b")
    assert [event.object["metadata"]["name"] for event in watch.poll()] == ["b"]


# Field selectors


@pytest.mark.parametrize(
    ("path", "selector", "message"),
    [
        ("/api/v1/pods", "status.conditions=x", "field label not supported: status.conditions"),
        ("/api/v1/nodes", "metadata.namespace=x", "field label not supported: metadata.namespace"),
        ("/api/v1/secrets", "data=x", "field label not supported: data"),
        ("/apis/batch/v1/jobs", "spec.x=1", 'field label "spec.x" not supported for batchv1.Job'),
        (
            "/api/v1/configmaps",
            "data.a=1",
            '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        ("/apis/events.k8s.io/v1/events", "involvedObject.name=x", "field label not supported: involvedObject.name"),
    ],
)
def test_a_field_that_cannot_be_selected_by_is_a_bad_request(api, path, selector, message):
    assert api.refusal("GET", path, fieldSelector=selector) == (400, message)
    assert api.refusal("GET", path, fieldSelector=selector, watch="true") == (400, message)


SELECTABLE = {
    "pods": "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName spec.hostNetwork status.phase "
    "status.podIP status.podIPs status.nominatedNodeName spec.host",
    "events": "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid "
    "involvedObject.apiVersion involvedObject.resourceVersion involvedObject.fieldPath reason reportingComponent source type",
    "nodes": "spec.unschedulable",
    "namespaces": "status.phase",
    "secrets": "type",
    "services": "spec.clusterIP spec.type",
    "replicationcontrollers": "status.replicas",
}


@pytest.mark.parametrize("plural", SELECTABLE)
def test_each_kind_takes_the_fields_that_upstream_takes(api, plural):
    for name in ["metadata.name", *SELECTABLE[plural].split()]:
        assert api.ask("GET", f"/api/v1/{plural}", fieldSelector=f"{name}=nothing").code == 200
    assert api.ask("GET", "/apis/apps/v1/replicasets", fieldSelector="status.replicas=0").code == 200
    assert api.ask("GET", JOBS, fieldSelector="status.successful=0").code == 200


def test_secrets_by_type(api):
    for name, kind in (("a", "Opaque"), ("b", "kubernetes.io/tls")):
        data = {"tls.crt": "", "tls.key": ""}
        api.do("POST", SECRETS, {"metadata": {"name": name}, "type": kind, "data": data})
    assert names(api.do("GET", SECRETS, fieldSelector="type!=Opaque")) == ["b"]


# Metadata only


def test_one_object_as_metadata_only(api):
    fill(api, "a")
    found = api.do("GET", f"{MAPS}/a", headers=PARTIAL)
    assert (found["kind"], sorted(found)) == ("PartialObjectMetadata", ["apiVersion", "kind", "metadata"])


def test_metadata_of_one_is_not_metadata_of_many(api):
    fill(api, "a")
    one = "you requested PartialObjectMetadataList, but the requested object is not a list type (*core.ConfigMap)"
    many = "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)"
    assert api.refusal("GET", f"{MAPS}/a", headers=PARTIAL_LIST) == (406, one)
    assert api.refusal("GET", MAPS, headers=PARTIAL) == (406, many)


def test_metadata_comes_in_pieces_too(api):
    fill(api, "a", "b", "c")
    found = pages(api, headers=PARTIAL_LIST)
    assert [names(piece) for piece in found] == [["a", "b"], ["c"]]


def test_a_table_with_odd_objects_is_a_bad_request(api):
    code, message = api.refusal("GET", MAPS, headers=TABLE, includeObject="All")
    assert (code, message) == (400, 'unrecognized includeObject value: "All"')


# deletecollection


def test_the_answer_is_the_list_as_it_was(api):
    api.do("POST", PODS, pod("a", nodeName="n"))
    before = api.store.revision
    found = api.do("DELETE", PODS)
    assert (found["kind"], found["metadata"]["resourceVersion"], names(found)) == ("PodList", str(before), ["a"])
    assert "deletionTimestamp" not in found["items"][0]["metadata"]
    assert "deletionTimestamp" in api.do("GET", f"{PODS}/a")["metadata"]


def test_only_what_the_selectors_choose_goes(api):
    fill(api, "a", "b", "c")
    label(api, "b", "x")
    assert names(api.do("DELETE", MAPS, labelSelector="l=x")) == ["b"]
    assert names(api.do("DELETE", MAPS, fieldSelector="metadata.name=a")) == ["a"]
    assert names(api.do("GET", MAPS)) == ["c"]


def test_a_limit_deletes_a_piece(api):
    fill(api, *"abc")
    found = api.do("DELETE", MAPS, limit="2")
    assert (names(found), found["metadata"]["remainingItemCount"]) == (["a", "b"], 1)
    assert names(api.do("GET", MAPS)) == ["c"]


def test_a_dry_run_deletes_nothing(api):
    fill(api, "a")
    assert names(api.do("DELETE", MAPS, dryRun="All")) == names(api.do("GET", MAPS)) == ["a"]


def test_the_first_precondition_that_fails_ends_it(api):
    fill(api, "a", "b", "c")
    uid = api.do("GET", f"{MAPS}/a")["metadata"]["uid"]
    found = api.ask("DELETE", MAPS, {"preconditions": {"uid": uid}})
    assert (found.code, found.object["reason"], found.object["details"]["name"]) == (409, "Conflict", "b")
    assert names(api.do("GET", MAPS)) == ["b", "c"]


def test_propagation_is_that_of_each_object(api):
    fill(api, "a")
    api.do("DELETE", MAPS, propagationPolicy="Foreground")
    assert api.do("GET", f"{MAPS}/a")["metadata"]["finalizers"] == ["foregroundDeletion"]
    api.do("PATCH", f"{MAPS}/a", {"metadata": {"finalizers": None}}, MERGE)
    assert api.ask("DELETE", MAPS, propagationPolicy="Never").code == 422


def test_what_no_list_takes_no_deletion_takes(api):
    fill(api, "a")
    assert api.refusal("DELETE", MAPS, resourceVersionMatch="Exact")[0] == 422
    assert api.refusal("DELETE", MAPS, b'{"kind": "Pod"}')[0] == 400
    assert api.refusal("DELETE", MAPS, labelSelector="a in b")[0] == 400


def test_a_new_map_is_seen_by_a_list_at_once(api):
    api.do("POST", MAPS, config_map("x"))
    assert names(api.do("GET", MAPS, resourceVersion=str(api.store.revision))) == ["x"]


# As it is stored


def on_wire(api, path, **query):
    return api.server.handle(Request("GET", path, {k: [v] for k, v in query.items()}, user=ADMIN, on_wire=True))


def test_what_goes_out_as_it_is_stored_is_what_would_have_been_encoded(api):
    api.do("POST", PODS, pod("a"))
    api.do("POST", PODS, b'{"spec":{"containers":[{"name":"c","image":"i"}]},"metadata":{"name":"b"},"kind":"Pod"}')
    for query in ({}, {"limit": "1"}, {"resourceVersion": "0"}):
        for path in (PODS, "/api/v1/pods", "/api/v1/namespaces"):
            assert orjson.loads(on_wire(api, path, **query).payload()) == api.do("GET", path, **query)


def test_what_goes_out_as_it_is_stored_is_refused_like_the_rest(api):
    fill(api, "a", "b")
    token = api.do("GET", MAPS, limit="1")["metadata"]["continue"]
    api.store.compact(api.store.revision)
    assert on_wire(api, MAPS, **{"continue": token}).object == api.ask("GET", MAPS, **{"continue": token}).object
    assert on_wire(api, MAPS, resourceVersion="2", resourceVersionMatch="Exact").code == 410


@given(
    st.dictionaries(st.sampled_from(["kind", "apiVersion", "spec", "metadata"]), st.just({"metadata": {"x": "1"}})),
    st.text(max_size=5),
)
def test_a_revision_is_put_into_the_metadata_wherever_that_stands(others, name):
    obj = others | {"metadata": {"name": name}}
    found = orjson.loads(spliced(Entry("/k", orjson.dumps(obj), 7, 7, 1)))
    assert found == obj | {"metadata": {"name": name, "resourceVersion": "7"}}
