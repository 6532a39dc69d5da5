import pytest

from k8slab.apimachinery.rest import copy_of
from k8slab.apiserver.strategies import STRATEGIES
from k8slab.apiserver.strategies.pods import qos_class
from tests.apiserver.objects import DEPLOYMENTS, JOBS, PODS, SERVICES, Api, pod, service, workload

POD = STRATEGIES["", "pods"]


@pytest.fixture
def api():
    return Api()


def resources(**kinds):
    return {"containers": [{"resources": kinds}]}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [({"containers": [{}]}, "BestEffort"), (resources(requests={"cpu": "1"}), "Burstable"),
     (resources(limits={"cpu": "1", "memory": "1Gi"}), "Guaranteed"), (resources(limits={"cpu": "1"}), "Burstable"),
     (resources(limits={"cpu": "1", "memory": "1Gi"}, requests={"cpu": "500m"}), "Burstable"),
     (resources(limits={"cpu": "1", "memory": "1Gi"}, requests={"cpu": "1000m"}), "Guaranteed")],
)  # fmt: skip
def test_quality_of_service_follows_from_requests_and_limits(spec, expected):
    assert qos_class(spec) == expected


def test_a_client_cannot_create_a_running_pod(api):
    status = api.create(PODS, pod() | {"status": {"phase": "Running"}})["status"]
    assert status == {"phase": "Pending", "qosClass": "BestEffort"}


def test_a_pod_may_change_its_image_but_not_its_command(api):
    found = copy_of(api.create(PODS, pod()))
    found["spec"]["containers"][0]["image"] = "nginx:2"
    found = copy_of(api.put(f"{PODS}/web", found))
    assert (found["kind"], found["metadata"]["generation"]) == ("Pod", 2)
    found["spec"]["containers"][0]["command"] = ["sh"]
    refused = api.put(f"{PODS}/web", found)
    assert refused["details"]["causes"][0]["message"].startswith(
        "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    )


def test_a_pod_may_tolerate_more_but_not_less(api):
    found = copy_of(api.create(PODS, pod()))
    found["spec"]["tolerations"].append({"key": "a", "operator": "Exists"})
    found = copy_of(api.put(f"{PODS}/web", found))
    assert len(found["spec"]["tolerations"]) == 3
    found["spec"]["tolerations"].pop()
    assert "existing toleration can not be modified" in api.put(f"{PODS}/web", found)["message"]


@pytest.mark.parametrize(
    ("obj", "asked", "grace"),
    [({"spec": {}}, None, 0), ({"spec": {"nodeName": "n", "terminationGracePeriodSeconds": 5}}, None, 5),
     ({"spec": {"nodeName": "n"}}, None, 30), ({"spec": {"nodeName": "n"}}, 0, 0), ({"spec": {"nodeName": "n"}}, -7, 1),
     ({"spec": {"nodeName": "n"}, "status": {"phase": "Failed"}}, 60, 0)],
)  # fmt: skip
def test_only_a_pod_that_runs_somewhere_has_time_to_end(obj, asked, grace):
    assert POD.grace_period(obj, asked) == grace


def test_a_selector_cannot_change(api):
    found = copy_of(api.create(DEPLOYMENTS, workload()))
    found["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    found["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    causes = api.put(f"{DEPLOYMENTS}/web", found)["details"]["causes"]
    assert [cause["field"] for cause in causes] == ["spec.selector"]
    assert causes[0]["message"].endswith("field is immutable")


def test_status_is_written_through_its_subresource_only(api):
    api.create(DEPLOYMENTS, workload() | {"status": {"replicas": 7}})
    assert api.patch(f"{DEPLOYMENTS}/web", {"status": {"replicas": 7}})["status"] == {}
    assert api.patch(f"{DEPLOYMENTS}/web/status", {"status": {"replicas": 7}})["status"] == {"replicas": 7}


def test_a_job_selects_by_its_own_uid(api):
    template = {"spec": {**pod()["spec"], "restartPolicy": "Never"}}
    job = api.create(JOBS, {"metadata": {"name": "once"}, "spec": {"template": template}})
    uid = job["metadata"]["uid"]
    assert job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    assert job["spec"]["template"]["metadata"]["labels"]["job-name"] == "once"


def test_the_pods_of_a_job_outlive_it_unless_told_otherwise():
    assert STRATEGIES["batch", "jobs"].default_propagation == "Orphan"
    assert STRATEGIES["apps", "deployments"].default_propagation == "Background"


def test_a_cluster_ip_is_kept_and_cannot_change(api):
    made = api.create(SERVICES, service())
    assert api.put(f"{SERVICES}/web", service())["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    changed = service(clusterIP="10.96.9.9")
    assert "may not change once set" in api.put(f"{SERVICES}/web", changed)["message"]


def test_a_sealed_config_map_stays(api):
    path = "/api/v1/namespaces/default/configmaps"
    api.create(path, {"metadata": {"name": "c"}, "data": {"a": "1"}, "immutable": True})
    found = api.patch(f"{path}/c", {"data": {"a": "2"}})
    assert found["message"].endswith("data: Forbidden: field is immutable when `immutable` is set")


def test_pods_are_selectable_by_node_and_phase():
    found = POD.selectable_fields({"spec": {"nodeName": "n1"}, "status": {"phase": "Running"}})
    assert (found["spec.nodeName"], found["status.phase"], found["spec.hostNetwork"]) == ("n1", "Running", "false")
    assert POD.field_labels() == frozenset(found)


def test_a_new_namespace_is_active_and_holds_itself(api):
    found = api.create("/api/v1/namespaces", {"metadata": {"name": "x"}, "status": {"phase": "Odd"}})
    assert (found["status"], found["spec"]) == ({"phase": "Active"}, {"finalizers": ["kubernetes"]})


def test_a_nodes_pod_range_stays(api):
    api.create("/api/v1/nodes", {"metadata": {"name": "n"}, "spec": {"podCIDR": "10.244.0.0/24"}})
    found = api.put("/api/v1/nodes/n", {"metadata": {"name": "n"}})
    assert found["message"].endswith('node updates may not change podCIDR except from "" to valid')


def test_a_load_balancer_that_becomes_a_node_port_keeps_its_ports(api):
    before = api.create(SERVICES, service(type="LoadBalancer"))["spec"]
    after = api.put(f"{SERVICES}/web", service(type="NodePort"))["spec"]
    assert after["ports"] == before["ports"]
    assert "allocateLoadBalancerNodePorts" not in after
