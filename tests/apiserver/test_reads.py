"""get, list and watch: in process, without the HTTP front."""

from __future__ import annotations

from tests.apiserver.harness import INITIAL_END, MAPS, MERGE, PODS, config_map, pod, seen

WATCH_LIST = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}


def fill(api, *names):
    for name in names:
        api.do("POST", MAPS, config_map(name))


def label(api, name, value):
    api.do("PATCH", f"{MAPS}/{name}", {"metadata": {"labels": {"l": value}}}, MERGE)


def names(found):
    return [item["metadata"]["name"] for item in found["items"]]


# list


def test_a_list_is_in_the_order_of_names_and_has_a_revision(api):
    fill(api, "b", "a")
    found = api.do("GET", MAPS)
    assert (found["kind"], names(found)) == ("ConfigMapList", ["a", "b"])
    assert found["metadata"]["resourceVersion"] == str(api.store.revision)


def test_pieces_of_a_list_are_one_picture(api):
    fill(api, "a", "b", "c")
    first = api.do("GET", MAPS, limit="2")
    assert (names(first), first["metadata"]["remainingItemCount"]) == (["a", "b"], 1)
    fill(api, "d")
    rest = api.do("GET", MAPS, limit="2", **{"continue": first["metadata"]["continue"]})
    assert names(rest) == ["c"]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_a_token_that_compaction_has_passed_expires_with_a_new_one(api):
    fill(api, "a", "b")
    token = api.do("GET", MAPS, limit="1")["metadata"]["continue"]
    fill(api, "c")
    api.store.compact(api.store.revision)
    gone = api.ask("GET", MAPS, **{"continue": token})
    assert (gone.code, gone.object["reason"]) == (410, "Expired")
    assert names(api.do("GET", MAPS, **{"continue": gone.object["metadata"]["continue"]})) == ["b", "c"]


def test_a_list_of_the_past(api):
    fill(api, "a")
    then = str(api.store.revision)
    fill(api, "b")
    assert names(api.do("GET", MAPS, resourceVersion=then, resourceVersionMatch="Exact")) == ["a"]


def test_selectors(api):
    fill(api, "a", "b")
    label(api, "b", "x")
    assert names(api.do("GET", MAPS, labelSelector="l in (x)")) == ["b"]
    assert names(api.do("GET", MAPS, fieldSelector="metadata.name=a")) == ["a"]
    assert names(api.do("GET", "/api/v1/configmaps", fieldSelector="metadata.namespace!=default")) == []


def test_an_answer_as_metadata_only(api):
    fill(api, "a")
    accept = {"accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    found = api.do("GET", MAPS, headers=accept)
    assert (found["kind"], found["items"][0]["kind"]) == ("PartialObjectMetadataList", "PartialObjectMetadata")


def test_a_form_that_is_not_served_is_not_acceptable(api):
    assert api.refusal("GET", MAPS, headers={"accept": "text/html"})[0] == 406


# watch


def test_a_watch_tells_what_comes_after_its_revision(api):
    watch = api.watch(MAPS, resourceVersion=str(api.store.revision))
    fill(api, "a")
    label(api, "a", "x")
    api.do("DELETE", f"{MAPS}/a")
    assert seen(watch.poll()) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    assert watch.poll() == []


def test_a_watch_without_a_revision_tells_first_what_there_is(api):
    fill(api, "a")
    watch = api.watch(MAPS)
    fill(api, "b")
    assert seen(watch.poll()) == [("ADDED", "a"), ("ADDED", "b")]


def test_a_watch_list_says_where_the_beginning_ends(api):
    fill(api, "a")
    events = api.watch(MAPS, **WATCH_LIST).poll()
    assert [event.type for event in events] == ["ADDED", "BOOKMARK"]
    assert events[1].object["metadata"]["annotations"] == {INITIAL_END: "true"}


def test_who_enters_a_selection_is_added_and_who_leaves_is_deleted(api):
    fill(api, "a")
    watch = api.watch(MAPS, resourceVersion=str(api.store.revision), labelSelector="l=x")
    for value in ("x", "y"):
        label(api, "a", value)
    entered, left = watch.poll()
    assert (entered.type, left.type) == ("ADDED", "DELETED")
    assert left.object["metadata"]["labels"] == {"l": "x"}
    assert left.object["metadata"]["resourceVersion"] == str(api.store.revision)


def test_a_watch_of_a_past_that_is_forgotten_ends_with_an_error(api):
    fill(api, "a", "b")
    api.store.compact(api.store.revision)
    watch = api.watch(MAPS, resourceVersion="1")
    (event,) = watch.poll()
    assert (event.type, event.object["code"], event.object["reason"]) == ("ERROR", 410, "Expired")
    assert watch.closed


def test_a_watcher_that_compaction_overtakes_is_told_so(api):
    watch = api.watch(MAPS, resourceVersion=str(api.store.revision))
    fill(api, "a", "b")
    api.store.compact(api.store.revision)
    assert [event.type for event in watch.poll()] == ["ERROR"]
    assert watch.closed


def test_all_watchers_share_an_event(api):
    one, two = (api.watch(MAPS, resourceVersion=str(api.store.revision)) for _ in range(2))
    fill(api, "a")
    assert one.poll()[0] is two.poll()[0]


def test_a_quiet_watch_gets_a_bookmark_each_minute(api):
    watch = api.watch(MAPS, resourceVersion=str(api.store.revision), allowWatchBookmarks="true")
    api.clock.advance_to(api.clock.now() + 59)
    assert watch.poll() == []
    api.clock.advance_to(api.clock.now() + 2)
    assert [event.type for event in watch.poll()] == ["BOOKMARK"]


def test_a_watch_of_one_nodes_pods_is_woken_by_those_only(api):
    woken = []
    watches = {}
    for node in ("node-1", "node-2"):
        query = {"watch": ["true"], "fieldSelector": [f"spec.nodeName={node}"]}
        watches[node] = api.raw("GET", "/api/v1/pods", query, lambda node=node: woken.append(node)).watch
    api.do("POST", PODS, pod(nodeName="node-1"))
    assert woken == ["node-1"]
    assert [seen(watch.poll()) for watch in watches.values()] == [[("ADDED", "web")], []]


def test_a_watch_of_one_node_is_not_woken_by_the_others(api):
    woken = []
    query = {"watch": ["true"], "fieldSelector": ["metadata.name=node-1"]}
    watch = api.raw("GET", "/api/v1/nodes", query, lambda: woken.append(1)).watch
    for name in ("node-2", "node-1"):
        api.do("POST", "/api/v1/nodes", {"metadata": {"name": name}})
    assert woken == [1]
    assert seen(watch.poll()) == [("ADDED", "node-1")]


def test_a_closed_watch_is_forgotten(api):
    watch = api.watch(MAPS)
    assert api.server.watches.open_watches == 1
    watch.close()
    assert api.server.watches.open_watches == 0
    assert watch.poll() == []


def test_who_asks_for_what_was_replaced_is_told_by_what(api):
    told = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'
    path = "/api/v1/namespaces/default/endpoints"
    assert api.ask("POST", path, {"metadata": {"name": "web"}}).headers["Warning"] == told
    assert api.ask("GET", path).headers["Warning"] == told
    assert api.ask("GET", f"{path}/web").headers["Warning"] == told
    assert "Warning" not in api.ask("GET", "/api/v1/namespaces/default/services").headers
