"""The text format, and the page of a whole cluster, read by a strict reader that knows nothing of the writer."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.metrics import Family, Histogram, page, written

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
NUMBER = r"[+-]Inf|NaN|-?\d+(?:\.\d+)?(?:e[+-]\d{2,})?"
SAMPLE = re.compile(rf"({NAME})(?:{{({LABEL}(?:,{LABEL})*)}})? ({NUMBER})")
HELP, TYPE = re.compile(rf"# HELP ({NAME}) ([^\n]+)"), re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram)")
BUILD = "kubernetes_build_info"


def read(text):
    """{family: (kind, [(sample name, labels, value)])}. Fails on anything that is not of the format."""
    families, current = {}, ""
    assert text.endswith("\n")
    for line in text.split("\n")[:-1]:
        if found := HELP.fullmatch(line):
            current = found[1]
            assert current not in families, "a family is told in one piece"
        elif found := TYPE.fullmatch(line):
            assert found[1] == current
            families[current] = (found[2], [])
        else:
            found = SAMPLE.fullmatch(line)
            assert found, line
            assert re.fullmatch(rf"{current}(_bucket|_sum|_count)?", found[1])
            labels = dict(re.findall(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"', found[2] or ""))
            families[current][1].append((found[1], labels, float(found[3])))
    assert list(families) == sorted(families)
    for name, (kind, samples) in families.items():
        seen = [(sample, tuple(sorted(labels.items()))) for sample, labels, _ in samples]
        assert len(set(seen)) == len(seen), f"{name} says something twice"
        if kind == "histogram":
            check_histogram(name, samples)
    return families


def check_histogram(name, samples):
    groups = {}
    for sample, labels, value in samples:
        key = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
        groups.setdefault(key, {}).setdefault(sample.removeprefix(name), []).append((labels.get("le"), value))
    for group in groups.values():
        bounds = [float(bound) for bound, _ in group["_bucket"]]
        counts = [count for _, count in group["_bucket"]]
        assert bounds == sorted(bounds)
        assert bounds[-1] == math.inf
        assert counts == sorted(counts)
        assert counts[-1] == group["_count"][0][1]


def value(families, family, /, **labels):
    """The sum of the samples that have these labels."""
    found = [number for _, has, number in families[family][1] if labels.items() <= has.items()]
    assert found, (family, labels)
    return sum(found)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (1, "1"), (-1, "-1"), (0.005, "0.005"), (12.5, "12.5"), (999999, "999999"), (1e6, "1e+06"),
        (123456789, "1.23456789e+08"), (0.0001, "0.0001"), (0.00001, "1e-05"), (1e21, "1e+21"), (math.inf, "+Inf"),
        (-2.5e-7, "-2.5e-07"),
    ],
)  # fmt: skip
def test_a_number_is_written_as_go_writes_it(number, text):
    assert written(number) == text


@given(st.floats(allow_nan=False))
def test_a_number_is_read_as_it_was(number):
    assert float(written(number)) == number


@given(st.text(), st.text(min_size=1))
def test_any_label_and_any_help_can_be_written(label, text):
    families = read(page([Family("x", "gauge", text, [({"l": label}, 1)])]).decode())
    [(_, labels, _)] = families["x"][1]
    unescaped = re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), labels["l"])
    assert unescaped == label


@given(st.lists(st.floats(0, 10), max_size=30))
def test_a_histogram_counts_every_value_once(values):
    histogram = Histogram((1.0, 2.5, 5.0))
    for each in values:
        histogram.observe(each)
    families = read(page([Family("h", "histogram", "Help.", [({}, histogram)])]).decode())
    buckets = {labels["le"]: number for sample, labels, number in families["h"][1] if sample == "h_bucket"}
    assert buckets == {bound: sum(each <= float(bound) for each in values) for bound in ("1", "2.5", "5", "+Inf")}


def test_a_family_without_samples_is_not_told():
    assert page([Family("x", "counter", "Help.")]) == b""


@pytest.fixture(scope="module")
def lived():
    """The page of a cluster that has scheduled two Pods of three."""
    with Cluster(nodes=1, seed=2) as cluster:
        cluster.kubectl("create deployment web --image=nginx --replicas=2").check()
        cluster.kubectl(["run", "odd", "--image=nginx", '--overrides={"spec":{"nodeSelector":{"a":"b"}}}']).check()
        cluster.kubectl("create configmap x --dry-run=server").check()
        cluster.run_for("5s")
        return read(cluster.kubectl("get --raw /metrics").check().stdout)


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("apiserver_request_total", {"verb": "POST", "resource": "deployments", "group": "apps", "code": "201"}, 1),
        ("apiserver_request_total", {"verb": "POST", "resource": "configmaps", "dry_run": "All"}, 1),
        ("apiserver_request_total", {"verb": "POST", "resource": "pods", "subresource": "binding"}, 2),
        ("apiserver_storage_objects", {"resource": "pods"}, 3),
        ("apiserver_storage_objects", {"resource": "deployments.apps"}, 1),
        ("workqueue_depth", {"name": "deployment"}, 0),
        ("scheduler_schedule_attempts_total", {"result": "scheduled"}, 2),
        ("scheduler_pending_pods", {"queue": "unschedulable"}, 1),
        (BUILD, {"major": "1"}, 1),
    ],
)
def test_a_cluster_counts_what_it_does(lived, name, labels, expected):
    assert value(lived, name, **labels) == expected


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("apiserver_longrunning_requests", {"verb": "WATCH", "resource": "pods"}),
        ("apiserver_watch_events_total", {"resource": "pods"}),
        ("apiserver_request_duration_seconds", {"verb": "LIST", "le": "0.005"}),
        ("workqueue_adds_total", {"name": "replicaset"}),
        ("workqueue_queue_duration_seconds", {"name": "replicaset", "le": "+Inf"}),
        ("workqueue_work_duration_seconds", {"name": "replicaset", "le": "+Inf"}),
    ],
)
def test_a_cluster_counts_more_than_nothing(lived, name, labels):
    assert value(lived, name, **labels) > 0


def test_retries_are_counted_from_zero(lived):
    assert value(lived, "workqueue_retries_total") >= 0


def scrape():
    with Cluster(nodes=2, seed=5) as cluster:
        cluster.kubectl("create deployment web --image=nginx --replicas=2").check()
        cluster.run_for("90s")
        return cluster.client.request("GET", "/metrics").body


def test_the_same_life_has_the_same_page_and_nothing_of_this_machine():
    first = scrape()
    assert first == scrape()
    assert b"process_" not in first


def test_a_live_cluster_tells_of_its_process():
    with Cluster(nodes=0, mode="live") as cluster:
        families = read(cluster.client.request("GET", "/metrics").body.decode())
        assert value(families, "process_resident_memory_bytes") > 1e6


def test_paths_that_nobody_serves_leave_no_trace():
    with Cluster(nodes=0) as cluster:
        for number in range(3):
            cluster.kubectl(f"get --raw /apis/made.up/v1/things-{number}")
        page = cluster.client.request("GET", "/metrics").body
        assert b"made.up" not in page
        assert b"things" not in page
