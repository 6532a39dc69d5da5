import pytest

from k8slab.apimachinery.rest import copy_of
from tests.apiserver.objects import DEPLOYMENTS, PODS, Api, pod, workload

BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"


class Kubelet:
    """Remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def container_logs(self, *where, wake, **options):
        self.asked.append((where, options))
        return self

    exec = container_logs


@pytest.fixture
def kubelet():
    return Kubelet()


@pytest.fixture
def api(kubelet):
    return Api(find_kubelet={"n1": kubelet}.get)


def bound(api, node="n1", **spec):
    api.create(PODS, pod(**spec))
    return api.send("POST", f"{PODS}/web/binding", {"target": {"kind": "Node", "name": node}})


def test_scale_is_another_view_of_the_object(api):
    api.create(DEPLOYMENTS, workload(replicas=3))
    scale = api.get(f"{DEPLOYMENTS}/web/scale")
    assert (scale["kind"], scale["spec"], scale["status"]) == (
        "Scale",
        {"replicas": 3},
        {"replicas": 0, "selector": "app=web"},
    )


def test_a_patched_scale_scales(api):
    api.create(DEPLOYMENTS, workload())
    assert api.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 5}})["spec"] == {"replicas": 5}
    found = api.get(f"{DEPLOYMENTS}/web")
    assert (found["spec"]["replicas"], found["metadata"]["generation"]) == (5, 2)


def test_a_stale_scale_conflicts_and_a_negative_one_is_invalid(api):
    api.create(DEPLOYMENTS, workload())
    scale = copy_of(api.get(f"{DEPLOYMENTS}/web/scale"))
    api.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 5}})
    assert api.put(f"{DEPLOYMENTS}/web/scale", scale)["code"] == 409
    refused = api.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": -1}})
    assert refused["message"].endswith("spec.replicas: Invalid value: -1: must be greater than or equal to 0")


def test_a_dry_run_scales_nothing(api):
    api.create(DEPLOYMENTS, workload())
    assert api.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 5}}, dryRun="All")["spec"] == {"replicas": 5}
    assert api.get(f"{DEPLOYMENTS}/web")["spec"]["replicas"] == 1


def test_a_binding_gives_a_pod_its_node(api):
    assert bound(api).code == 201
    found = api.get(f"{PODS}/web")
    assert found["spec"]["nodeName"] == "n1"
    assert [(each["type"], each["status"]) for each in found["status"]["conditions"]] == [("PodScheduled", "True")]


def test_a_pod_is_bound_once(api):
    bound(api)
    second = api.create("/api/v1/namespaces/default/bindings", {"metadata": {"name": "web"}, "target": {"name": "n2"}})
    assert (second["code"], second["message"]) == (
        409,
        'Operation cannot be fulfilled on pods/binding "web": pod web is already assigned to node "n1"',
    )


def test_a_binding_for_another_pod_of_the_same_name_conflicts(api):
    api.create(PODS, pod())
    found = api.create(f"{PODS}/web/binding", {"metadata": {"uid": "other"}, "target": {"name": "n1"}})
    assert found["code"] == 409


def running(api, **budget_status):
    bound(api)
    api.patch(f"{PODS}/web", {"metadata": {"labels": {"app": "web"}}})
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    api.patch(f"{PODS}/web/status", {"status": ready})
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    api.create(BUDGETS, {"metadata": {"name": "web"}, "spec": spec})
    api.patch(f"{BUDGETS}/web/status", {"status": {"desiredHealthy": 1, "currentHealthy": 1, **budget_status}})
    return api.create(f"{PODS}/web/eviction", {"metadata": {"name": "web"}})


def test_a_budget_that_is_used_up_stops_an_eviction(api):
    found = running(api, observedGeneration=1, disruptionsAllowed=0)
    assert (found["code"], found["message"]) == (
        429,
        "Cannot evict pod as it would violate the pod's disruption budget.",
    )
    cause = {
        "reason": "DisruptionBudget",
        "message": "The disruption budget web needs 1 healthy pods and has 1 currently",
    }
    assert found["details"]["causes"] == [cause]
    assert "deletionTimestamp" not in api.get(f"{PODS}/web")["metadata"]


def test_a_budget_that_nobody_has_counted_yet_asks_for_patience(api):
    assert running(api)["details"]["retryAfterSeconds"] == 10


def test_an_eviction_takes_one_from_the_budget_and_deletes_gracefully(api):
    assert running(api, observedGeneration=1, disruptionsAllowed=1)["status"] == "Success"
    found = api.get(f"{PODS}/web")
    assert found["metadata"]["deletionGracePeriodSeconds"] == 30
    assert found["status"]["conditions"][-1]["reason"] == "EvictionByEvictionAPI"
    budget = api.get(f"{BUDGETS}/web")["status"]
    assert (budget["disruptionsAllowed"], list(budget["disruptedPods"])) == (0, ["web"])


def test_a_pod_that_never_ran_is_evicted_at_once(api):
    api.create(PODS, pod())
    assert api.create(f"{PODS}/web/eviction", {"metadata": {"name": "web"}})["status"] == "Success"
    assert api.get(f"{PODS}/web")["code"] == 404


def test_logs_come_from_the_node_of_the_pod(api, kubelet):
    bound(api)
    found = api.send("GET", f"{PODS}/web/log", follow="true", tailLines="3", sinceSeconds="60")
    assert (found.stream, found.content_type) == (kubelet, "text/plain")
    where, options = kubelet.asked[0]
    assert where == ("default", "web", "web")
    assert (options["follow"], options["tail"], options["since"]) == (True, 3, api.clock.now() - 60)


TWO = {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]}


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [({}, 400, "a container name must be specified for pod web, choose one of: [a b]"),
     ({"container": "c"}, 400, "container c is not valid for pod web"),
     ({"container": "a", "tailLines": "-1"}, 422,
      'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0'),
     ({"container": "a", "limitBytes": "x"}, 400, 'strconv.ParseInt: parsing "x": invalid syntax')],
)  # fmt: skip
def test_a_faulty_question_for_logs_is_refused(api, query, code, text):
    bound(api, **TWO)
    found = api.send("GET", f"{PODS}/web/log", **query)
    assert (found.code, found.object["message"]) == (code, text)


def test_an_annotation_names_the_default_container(api, kubelet):
    bound(api, **TWO)
    api.patch(f"{PODS}/web", {"metadata": {"annotations": {"kubectl.kubernetes.io/default-container": "b"}}})
    assert api.send("GET", f"{PODS}/web/log").code == 200
    assert kubelet.asked[0][0] == ("default", "web", "b")


def test_a_pod_without_a_node_has_said_nothing(api):
    api.create(PODS, pod())
    assert api.send("GET", f"{PODS}/web/log").payload() == b""


def test_a_node_that_does_not_answer_is_a_refused_connection(api):
    bound(api, node="gone")
    found = api.send("GET", f"{PODS}/web/log")
    assert (found.code, found.object["message"].endswith("dial tcp gone:10250: connect: connection refused")) == (
        500,
        True,
    )


def test_exec_runs_in_a_running_container(api, kubelet):
    bound(api)
    found = api.send("GET", f"{PODS}/web/exec", command="date", stdout="true", tty="true")
    assert (found.code, found.stream) == (101, kubelet)
    where, options = kubelet.asked[0]
    assert (where[3], options) == (("date",), {"stdin": False, "tty": True})


def test_exec_needs_a_node_and_a_pod_that_is_not_over(api):
    api.create(PODS, pod())
    path = f"{PODS}/web/exec"
    assert (
        api.send("POST", path, command="date", stdout="1").object["message"] == "pod web does not have a host assigned"
    )
    api.send("POST", f"{PODS}/web/binding", {"target": {"name": "n1"}})
    api.patch(f"{PODS}/web/status", {"status": {"phase": "Failed"}})
    text = "cannot exec into a container in a completed pod; current phase is Failed"
    assert api.send("POST", path, command="date", stdout="1").object["message"] == text
