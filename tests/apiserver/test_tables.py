import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apiserver.printers import PRINTERS
from k8slab.apiserver.printers.cells import human_duration, selector_text
from k8slab.apiserver.resources import RESOURCES, ResourceInfo
from k8slab.apiserver.tables import to_table
from k8slab.clock import EPOCH, to_rfc3339

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


def table(plural, obj, group="", now=EPOCH, include="None", **options):
    row = RESOURCES.get((group, plural)) or ResourceInfo(group, "v1", plural, "Kind")
    return to_table(row, [obj], now, include_object=include, list_meta=None, **options)


def cells(plural, obj, group="", now=EPOCH):
    found = table(plural, obj, group, now)
    names = [column["name"] for column in found["columnDefinitions"]]
    return dict(zip(names, found["rows"][0]["cells"], strict=True))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-2, "<invalid>"), (-1, "0s"), (-0.5, "0s"), (0, "0s"), (1.9, "1s"), (119, "119s"), (120, "2m"), (125, "2m5s"),
     (9 * MINUTE + 59, "9m59s"), (10 * MINUTE + 5, "10m"), (179 * MINUTE, "179m"), (3 * HOUR, "3h"),
     (3 * HOUR + 5 * MINUTE, "3h5m"), (8 * HOUR + 5 * MINUTE, "8h"), (47 * HOUR, "47h"), (2 * DAY, "2d"),
     (2 * DAY + HOUR, "2d1h"), (8 * DAY + HOUR, "8d"), (700 * DAY, "700d"), (2 * YEAR, "2y"), (2 * YEAR + 3 * DAY, "2y3d"),
     (8 * YEAR + 3 * DAY, "8y")],
)  # fmt: skip
def test_a_duration_is_shown_the_more_roughly_the_longer(seconds, text):
    assert human_duration(seconds) == text


def a_pod(*states, phase="Running", **extra):
    statuses = [{"name": f"c{number}", **state} for number, state in enumerate(states)]
    pod = {
        "metadata": {"name": "web", "creationTimestamp": to_rfc3339(EPOCH - 300)},
        "spec": {"containers": [{"name": each["name"]} for each in statuses]},
        "status": {"phase": phase, "containerStatuses": statuses},
    }
    for key, value in extra.items():
        pod[key] = {**pod[key], **value}
    return pod


UP = {"ready": True, "state": {"running": {}}}


def waiting(reason):
    return {"state": {"waiting": {"reason": reason}}}


def ended(code, reason=""):
    return {"state": {"terminated": {"exitCode": code, "reason": reason}}}


READY = {"conditions": [{"type": "Ready", "status": "True"}]}
GOING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("pod", "ready", "status"),
    [(a_pod(UP, UP), "2/2", "Running"), (a_pod(waiting("CrashLoopBackOff")), "0/1", "CrashLoopBackOff"),
     (a_pod(UP, ended(1)), "1/2", "ExitCode:1"), (a_pod(ended(0, "Completed"), phase="Succeeded"), "0/1", "Completed"),
     (a_pod(ended(0, "Completed"), UP, status=READY | {"containerStatuses": [ended(0, "Completed"), UP]}), "1/2", "Running"),
     (a_pod(ended(0, "Completed"), UP), "1/2", "NotReady"), (a_pod(UP, metadata=GOING), "1/1", "Terminating"),
     (a_pod(ended(0, "Completed"), phase="Succeeded", metadata=GOING), "0/1", "Completed"),
     (a_pod(UP, metadata=GOING, status={"reason": "NodeLost"}), "1/1", "Unknown"),
     (a_pod(phase="Failed", status={"reason": "Evicted"}), "0/0", "Evicted")],
)  # fmt: skip
def test_the_status_of_a_pod_is_the_most_telling_thing_that_its_containers_say(pod, ready, status):
    found = cells("pods", pod)
    assert (found["Ready"], found["Status"]) == (ready, status)


@pytest.mark.parametrize(
    ("state", "status"),
    [({"state": {"running": {}}}, "Init:0/2"), (waiting("PodInitializing"), "Init:0/2"),
     (waiting("ImagePullBackOff"), "Init:ImagePullBackOff"), (ended(3), "Init:ExitCode:3"), (ended(1, "Error"), "Init:Error")],
)  # fmt: skip
def test_init_containers_are_told_of_while_they_run(state, status):
    pod = a_pod(waiting("PodInitializing"), phase="Pending")
    pod["spec"]["initContainers"] = [{"name": "i"}, {"name": "j"}]
    pod["status"]["initContainerStatuses"] = [{"name": "i", **state}]
    assert cells("pods", pod)["Status"] == status


def test_restarts_say_how_long_ago_the_last_one_was():
    last = {"terminated": {"finishedAt": to_rfc3339(EPOCH - 300)}}
    assert cells("pods", a_pod(UP | {"restartCount": 3, "lastState": last}))["Restarts"] == "3 (5m ago)"
    assert cells("pods", a_pod(UP))["Restarts"] == "0"


def test_a_sidecar_counts_among_the_containers():
    pod = a_pod(UP)
    pod["spec"]["initContainers"] = [{"name": "s", "restartPolicy": "Always"}]
    pod["status"]["initContainerStatuses"] = [{"name": "s", "started": True, **UP}]
    assert cells("pods", pod)["Ready"] == "2/2"


def test_a_finished_pod_says_so_in_its_row():
    row = table("pods", a_pod(phase="Succeeded"))["rows"][0]
    assert row["conditions"][0]["type"] == "Completed"
    assert "conditions" not in table("pods", a_pod(UP))["rows"][0]


def test_a_node_shows_its_roles_and_that_it_takes_no_more_pods():
    node = {
        "metadata": {"name": "n", "labels": {"node-role.kubernetes.io/control-plane": ""}},
        "spec": {"unschedulable": True},
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"kubeletVersion": "v1.37.1"}},
    }
    found = cells("nodes", node)
    assert (found["Status"], found["Roles"], found["Version"]) == (
        "Ready,SchedulingDisabled",
        "control-plane",
        "v1.37.1",
    )
    assert (found["Internal-IP"], found["OS-Image"]) == ("<none>", "<unknown>")


def test_a_service_shows_its_ports_and_what_it_waits_for():
    spec = {
        "type": "LoadBalancer",
        "clusterIP": "10.96.0.9",
        "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}],
    }
    found = cells("services", {"metadata": {"name": "s"}, "spec": spec})
    assert (found["External-IP"], found["Port(s)"], found["Selector"]) == ("<pending>", "80:30080/TCP", "<none>")


def test_a_job_shows_how_far_it_is():
    status = {"succeeded": 1, "startTime": to_rfc3339(EPOCH - 90)}
    found = cells("jobs", {"metadata": {}, "spec": {"completions": 3}, "status": status}, "batch")
    assert (found["Status"], found["Completions"], found["Duration"]) == ("Running", "1/3", "90s")


def test_an_event_shows_what_it_is_about():
    event = {
        "metadata": {"name": "e"}, "type": "Warning", "reason": "Failed", "message": "oh no\n", "count": 2,
        "involvedObject": {"kind": "Pod", "name": "web"}, "lastTimestamp": to_rfc3339(EPOCH - 5),
    }  # fmt: skip
    found = cells("events", event)
    assert (found["Last Seen"], found["Object"], found["Message"], found["Count"]) == ("5s", "pod/web", "oh no", 2)


def test_long_lists_of_endpoints_are_cut():
    endpoints = [{"addresses": [f"10.0.0.{number}"]} for number in range(5)]
    obj = {"metadata": {}, "addressType": "IPv4", "ports": [{"port": 80}], "endpoints": endpoints}
    found = cells("endpointslices", obj, "discovery.k8s.io")
    assert (found["Ports"], found["Endpoints"]) == ("80", "10.0.0.0,10.0.0.1,10.0.0.2 + 2 more...")


def test_a_selector_is_shown_as_kubectl_takes_it():
    expressions = [{"key": "tier", "operator": "In", "values": ["b", "a"]}, {"key": "old", "operator": "DoesNotExist"}]
    assert (
        selector_text({"matchLabels": {"app": "web"}, "matchExpressions": expressions}) == "app=web,!old,tier in (a,b)"
    )


def test_rows_carry_the_object_the_metadata_or_nothing():
    obj = {"metadata": {"name": "c"}, "data": {"a": "b"}}
    carried = [table("configmaps", obj, include=form)["rows"][0]["object"] for form in ("Object", "Metadata", "None")]
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "c"}}
    assert carried == [obj, partial, None]


def test_later_events_of_a_watch_have_no_columns():
    assert table("configmaps", {"metadata": {}}, with_columns=False)["columnDefinitions"] is None


def test_every_printer_is_of_a_kind_that_is_served():
    assert set(PRINTERS) <= {*RESOURCES, ("autoscaling", "scales")}  # Scales have no path of their own


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["", "a", "2026-01-01T00:00:00Z", "True", "Ready"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "status", "name", "state"]), inner, max_size=2)
    ),
    max_leaves=5,
)
FIELDS = [
    "containers",
    "containerStatuses",
    "conditions",
    "ports",
    "replicas",
    "phase",
    "selector",
    "rules",
    "startTime",
]
parts = st.dictionaries(st.sampled_from(FIELDS), values, max_size=4)
odd = st.fixed_dictionaries(
    {"metadata": st.dictionaries(st.sampled_from(["name", "creationTimestamp", "labels"]), values, max_size=3)},
    optional={
        "spec": parts | values,
        "status": parts | values,
        "roleRef": values,
        "subjects": values,
        "webhooks": values,
    },
)


@given(obj=odd, key=st.sampled_from([*sorted(PRINTERS), ("", "serviceaccounts")]))
def test_every_object_however_odd_has_a_row(obj, key):
    found = table(key[1], obj, key[0])
    assert len(found["rows"][0]["cells"]) == len(found["columnDefinitions"])
