import pytest

from k8slab.apimachinery.rest import copy_of
from tests.apiserver.objects import PODS, Api, pod

CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"
NAMESPACES = "/api/v1/namespaces"


@pytest.fixture
def api():
    return Api()


def test_nothing_is_created_in_a_namespace_that_is_not_there(api):
    found = api.create(PODS.replace("default", "nowhere"), pod())
    assert (found["code"], found["message"]) == (404, 'namespaces "nowhere" not found')


def test_nothing_is_created_in_a_namespace_that_goes(api):
    api.create(NAMESPACES, {"metadata": {"name": "old"}})
    api.delete(f"{NAMESPACES}/old")
    found = api.create(PODS.replace("default", "old"), pod())
    assert found["code"] == 403
    assert found["message"] == (
        'pods "web" is forbidden: unable to create new content in namespace old because it is being terminated'
    )
    assert found["details"]["causes"][0]["reason"] == "NamespaceTerminating"


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_the_first_namespaces_stay(api, name):
    if name != "default":
        api.create(NAMESPACES, {"metadata": {"name": name}})
    found = api.delete(f"{NAMESPACES}/{name}")
    assert found["message"] == f'namespaces "{name}" is forbidden: this namespace may not be deleted'


def test_a_pod_runs_as_the_default_account_and_bears_short_troubles(api):
    spec = api.create(PODS, pod())["spec"]
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "default"
    assert [(each["key"], each["tolerationSeconds"]) for each in spec["tolerations"]] == [
        ("node.kubernetes.io/not-ready", 300),
        ("node.kubernetes.io/unreachable", 300),
    ]


def test_a_pod_that_tolerates_everything_is_left_alone(api):
    tolerations = [{"operator": "Exists"}]
    assert api.create(PODS, pod(tolerations=copy_of(tolerations)))["spec"]["tolerations"] == tolerations


def test_a_priority_class_becomes_a_number(api):
    api.create(CLASSES, {"metadata": {"name": "high"}, "value": 1000, "preemptionPolicy": "Never"})
    spec = api.create(PODS, pod(priorityClassName="high"))["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (1000, "Never")


def test_the_default_priority_class_is_everybodys(api):
    api.create(CLASSES, {"metadata": {"name": "usual"}, "value": 7, "globalDefault": True})
    spec = api.create(PODS, pod())["spec"]
    assert (spec["priorityClassName"], spec["priority"]) == ("usual", 7)
    second = api.create(CLASSES, {"metadata": {"name": "other"}, "value": 8, "globalDefault": True})
    assert second["message"].endswith("PriorityClass usual is already marked as default. Only one default can exist")


@pytest.mark.parametrize(
    ("spec", "why"),
    [({"priorityClassName": "none"}, "no PriorityClass with name none was found"),
     ({"priority": 5}, "the integer value of priority (5) must not be provided in pod spec; "
                       "priority admission controller computed 0 from the given PriorityClass name")],
)  # fmt: skip
def test_a_priority_that_is_not_a_class_is_refused(api, spec, why):
    assert api.create(PODS, pod(**spec))["message"] == f'pods "web" is forbidden: {why}'


def test_system_priorities_are_built_in(api):
    assert api.create(PODS, pod(priorityClassName="system-node-critical"))["spec"]["priority"] == 2_000_001_000


def test_a_new_node_takes_no_pods_yet(api):
    node = api.create("/api/v1/nodes", {"metadata": {"name": "n"}})
    assert node["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
