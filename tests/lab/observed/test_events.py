from __future__ import annotations

from k8slab.lab.observed.events import event_of, events_about

AT = "2026-01-01T00:00:0{}Z"
CORE = {
    "metadata": {"name": "e", "creationTimestamp": AT.format(9)},
    "involvedObject": {
        "kind": "Pod",
        "name": "web",
        "uid": "u",
        "resourceVersion": "7",
        "fieldPath": "spec.containers{a}",
    },
    "reason": "BackOff",
    "message": "Back-off",
    "type": "Warning",
    "source": {"component": "kubelet", "host": "node-1"},
    "firstTimestamp": AT.format(1),
    "lastTimestamp": AT.format(5),
    "count": 4,
    "eventTime": None,
}
NEW = {
    "metadata": {"name": "e", "creationTimestamp": AT.format(9)},
    "regarding": {"kind": "Pod", "name": "web", "uid": "u"},
    "reason": "Scheduled",
    "note": "Assigned",
    "eventTime": "2026-01-01T00:00:01.500000Z",
    "series": {"count": 3, "lastObservedTime": "2026-01-01T00:00:04.000000Z"},
    "reportingController": "default-scheduler",
    "deprecatedFirstTimestamp": None,
}


def test_a_count_has_a_first_and_a_last_time():
    event = event_of(CORE)
    assert (event.who, event.said, event.last - event.first) == ("kubelet node-1", "BackOff: Back-off (4 times)", 4.0)
    assert (event.version, event.field_path, event.type) == ("7", "spec.containers{a}", "Warning")


def test_a_series_has_a_first_and_a_last_time_too():
    event = event_of(NEW)
    assert (event.who, event.said, event.last - event.first) == (
        "default-scheduler",
        "Scheduled: Assigned (3 times)",
        2.5,
    )


def test_an_event_that_says_no_time_is_as_old_as_its_object():
    event = event_of({"metadata": {"creationTimestamp": AT.format(9)}, "involvedObject": {}})
    assert (event.first, event.last, event.count, event.source) == (
        event_of(CORE).first + 8,
        event.first,
        1,
        "(nobody named)",
    )


def told(fake, about, name="e", **fields):
    meta = about["metadata"]
    where = {"kind": about["kind"], "name": meta["name"], "uid": meta["uid"]}
    return fake.add("v1/events", name, **{**CORE, "involvedObject": where, "metadata": {}, **fields})


def test_events_of_an_earlier_object_of_the_same_name_are_not_its(fake, lab, web):
    told(fake, web[2])
    told(fake, web[2], "old")["involvedObject"]["uid"] = "another"
    pod = lab._find("pod/web-1-a", "", "")
    found, notes = events_about(lab._reader, [pod])
    assert (len(found), notes) == (1, ("no answer about their kinds: metrics.k8s.io/v1",))
    selectors = [query.get("fieldSelector") for _, path, query, _ in fake.asked if path.endswith("/events")]
    assert selectors == ["involvedObject.kind=Pod,involvedObject.name=web-1-a"]


def test_where_one_api_is_closed_the_other_is_asked(fake, lab, web):
    fake.refused = {"v1/events": 403}
    fake.add("events.k8s.io/v1/events", "e", **{**NEW, "metadata": {}, "regarding": {"uid": web[2]["metadata"]["uid"]}})
    pod = lab._find("pod/web-1-a", "", "")
    assert [event.reason for event in events_about(lab._reader, [pod])[0]] == ["Scheduled"]
    fake.refused["events.k8s.io/v1/events"] = 403
    assert events_about(lab._reader, [pod]) == (
        [],
        ("not allowed to list: events", "no answer about their kinds: metrics.k8s.io/v1"),
    )


def test_a_kubelet_calls_its_node_by_name(fake, lab):
    node = fake.add("v1/nodes", "node-1", "")
    told(fake, node)["involvedObject"]["uid"] = "node-1"
    found, _ = events_about(lab._reader, [lab._find("node/node-1", "", "")])
    assert len(found) == 1


def test_of_several_objects_the_events_come_in_order(fake, lab, web):
    for index, about in enumerate(web):
        told(fake, about, f"e{index}", firstTimestamp=AT.format(9 - index), lastTimestamp=None)
    objects = [lab._find(f"{kind}/{name}", "", "") for kind, name in (("deploy", "web"), ("pod", "web-1-a"))]
    assert [event.name for event in events_about(lab._reader, objects)[0]] == ["web-1-a", "web"]
