"""Everything that reaches a cluster from outside, as data."""

from __future__ import annotations

import orjson
import pytest

from k8slab.api.core import ConfigMap, Pod
from k8slab.apimachinery.rest import Request, UserInfo
from k8slab.clock import EPOCH
from k8slab.cluster import Cluster
from k8slab.engine.inputs import INPUTS, Asked, Ended, Fault, Passed, Typed
from tests.engine.harness import pod

CREATE = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def cluster():
    with Cluster(nodes=1) as cluster:
        yield cluster


def test_each_has_a_name_of_its_own():
    assert {"asked": Asked, "typed": Typed, "ended": Ended, "passed": Passed, "fault": Fault} == INPUTS


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (Asked("POST", CREATE, headers={"user-agent": "kubectl/v1.37 (linux)"}), f"POST {CREATE} by kubectl"),
        (Asked("DELETE", CREATE), f"DELETE {CREATE}"),
        (Typed(2, 0, b"exit\n"), "5 bytes to stream 2"),
        (Ended(2, hung_up=False), "end of input on stream 2"),
        (Ended(2, hung_up=True), "hung up on stream 2"),
        (Passed(EPOCH + 1.5), "time passes to +1.5s"),
        (Fault("crash", {"component": "kube-scheduler"}), "crash component=kube-scheduler"),
        (Fault("crash", {"component": "kube-scheduler"}, ends=True), "crash component=kube-scheduler ends"),
    ],
)
def test_each_can_be_read(given, text):
    assert str(given) == text


def test_of_a_request_is_kept_what_may_matter():
    user = UserInfo("somebody")
    body = {"metadata": {"name": "c"}}
    asked = Asked.of(
        Request("POST", CREATE, {"a": ["b"]}, {"accept": "x", "cookie": "secret"}, body, user, wake=lambda: None)
    )
    assert (asked.query, asked.headers, orjson.loads(asked.body), asked.user) == (
        {"a": ["b"]},
        {"accept": "x"},
        body,
        user,
    )


def test_what_was_asked_is_not_changed_by_whoever_answers(cluster):
    body = {"metadata": {"name": "c"}}
    cluster.client.create(ConfigMap, body, "default")
    assert orjson.loads(cluster._engine.lived[-1].input.body) == {"metadata": {"name": "c"}}


@pytest.mark.parametrize(
    ("given", "looks"),
    [
        (Asked("GET", "/api/v1/namespaces/default/pods/web/log"), True),
        (Asked("GET", "/api/v1/namespaces/default/pods/web/exec"), False),
        (Asked("POST", CREATE), False),
    ],
)
def test_to_read_a_log_is_only_to_look(given, looks):
    assert given.only_looks is looks


def test_a_request_is_answered_by_the_server(cluster):
    answer = cluster._engine.take(Asked("GET", "/version", user=UserInfo("somebody")))
    assert answer.code == 200


def test_time_passes_and_who_is_due_works_later(cluster):
    cluster.run_for(0)
    before, revision = cluster.now, cluster.store.revision
    Passed(before + 60).apply(cluster._engine)
    assert (cluster.now, cluster.store.revision) == (before + 60, revision)
    cluster.run_for(0)
    assert cluster.store.revision > revision


def test_what_is_typed_into_a_container_is_an_input(cluster):
    cluster.client.create(Pod, pod(image="busybox:1.36", command=["sh", "-c", "sleep 1000"]), "default")
    cluster.run_until_idle()
    query = {"command": ["cat"], "stdin": ["true"], "stdout": ["true"]}
    path = "/api/v1/namespaces/default/pods/web/exec"
    stream = cluster._engine.answer(Request("GET", path, query, {}, b"", cluster.client.user)).stream
    stream.send(0, b"hello\n")
    stream.close_stdin()
    cluster.run_for(1)
    said = b"".join(data for channel, data in stream.poll() if channel == 1)
    stream.close()
    stream.close()
    assert said == b"hello\n"
    kinds = [each.input.kind for each in cluster._engine.lived if not isinstance(each.input, Passed)]
    assert kinds == ["asked", "asked", "typed", "ended", "ended"]


def test_a_fault_begins_and_ends(cluster):
    fault = Fault("crash", {"component": "kube-scheduler"})
    cluster._engine.take(fault)
    assert "kube-scheduler" not in cluster.components
    cluster._engine.take(Fault(fault.name, fault.arguments, ends=True))
    assert "kube-scheduler" in cluster.components
