import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.rest import copy_of
from k8slab.apiserver.defaults import DEFAULTS
from k8slab.apiserver.defaults.pods import pull_policy
from tests.apiserver.objects import pod, service, workload


def completed(group, plural, obj):
    DEFAULTS[group, plural](obj)
    return obj


@pytest.mark.parametrize(
    ("image", "policy"),
    [("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1.27", "IfNotPresent"), ("host:5000/a/nginx", "Always"),
     ("host:5000/nginx:2", "IfNotPresent"), ("nginx@sha256:0a", "IfNotPresent"), ("nginx:latest@sha256:0a", "Always")],
)  # fmt: skip
def test_an_image_is_pulled_always_if_its_tag_moves(image, policy):
    assert pull_policy(image) == policy


def test_a_pod_is_completed():
    spec = completed("", "pods", pod())["spec"]
    assert (spec["restartPolicy"], spec["dnsPolicy"], spec["schedulerName"]) == (
        "Always",
        "ClusterFirst",
        "default-scheduler",
    )
    assert (spec["terminationGracePeriodSeconds"], spec["enableServiceLinks"], spec["securityContext"]) == (
        30,
        True,
        {},
    )


def test_requests_follow_limits_in_a_pod_but_not_in_a_template():
    containers = [
        {
            "name": "a",
            "image": "a:1",
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}},
        }
    ]
    found = completed("", "pods", pod(containers=copy_of(containers)))["spec"]["containers"][0]
    assert found["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    deployment = workload()
    deployment["spec"]["template"]["spec"]["containers"] = containers
    completed("apps", "deployments", deployment)
    assert deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "500m"}


def test_probes_ports_and_field_references_are_completed():
    container = {
        "name": "a", "image": "a", "ports": [{"containerPort": 80}], "readinessProbe": {"httpGet": {"port": 80}},
        "env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
    }  # fmt: skip
    completed("", "pods", pod(containers=[container]))
    probe = container["readinessProbe"]
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert probe["httpGet"] == {"port": 80, "path": "/", "scheme": "HTTP"}
    assert [probe[key] for key in ("timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")] == [
        1,
        10,
        1,
        3,
    ]
    assert container["env"][0]["valueFrom"]["fieldRef"]["apiVersion"] == "v1"


def test_a_volume_without_a_source_is_an_empty_directory():
    volumes = [{"name": "a"}, {"name": "b", "configMap": {"name": "c"}}, {"name": "d", "hostPath": {"path": "/"}}]
    completed("", "pods", pod(volumes=volumes))
    assert volumes[0]["emptyDir"] == {}
    assert volumes[1]["configMap"]["defaultMode"] == 420
    assert volumes[2]["hostPath"]["type"] == ""


def test_a_deployment_rolls_by_a_quarter():
    spec = completed("apps", "deployments", workload())["spec"]
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    assert (spec["replicas"], spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (1, 10, 600)


def test_zero_replicas_stay_zero():
    assert completed("apps", "deployments", workload(replicas=0))["spec"]["replicas"] == 0


def test_a_job_with_parallelism_alone_keeps_completions_open():
    job = {"metadata": {}, "spec": {"parallelism": 3, "template": {"spec": {"containers": []}}}}
    assert "completions" not in completed("batch", "jobs", job)["spec"]


def test_a_service_sends_to_its_own_port():
    spec = completed("", "services", service())["spec"]
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert (spec["type"], spec["sessionAffinity"], spec["internalTrafficPolicy"]) == ("ClusterIP", "None", "Cluster")
    assert "externalTrafficPolicy" not in spec


def test_text_in_a_secret_becomes_data():
    secret = completed("", "secrets", {"metadata": {}, "stringData": {"a": "hello"}})
    assert secret == {"metadata": {}, "type": "Opaque", "data": {"a": base64.b64encode(b"hello").decode()}}


def test_a_namespace_is_labelled_with_its_name():
    assert completed("", "namespaces", {"metadata": {"name": "x"}})["metadata"]["labels"] == {
        "kubernetes.io/metadata.name": "x"
    }


texts = st.sampled_from(["", "a", "a:1", "b:latest"])
containers = st.fixed_dictionaries(
    {"name": texts, "image": texts},
    optional={
        "imagePullPolicy": st.sampled_from(["", "Never"]),
        "ports": st.lists(st.fixed_dictionaries({"containerPort": st.integers(0, 9)}), max_size=2),
        "resources": st.just({}) | st.just({"limits": {"cpu": "1"}}),
        "livenessProbe": st.just({"httpGet": {"port": 1}}) | st.just({"exec": {"command": ["a"]}, "periodSeconds": 3}),
    },
)
specs = st.fixed_dictionaries(
    {"containers": st.lists(containers, max_size=2)},
    optional={
        "hostNetwork": st.booleans(),
        "volumes": st.lists(st.sampled_from([{"name": "a"}, {"name": "b", "secret": {"secretName": "s"}}]), max_size=2),
        "serviceAccountName": texts,
        "terminationGracePeriodSeconds": st.integers(-1, 3),
    },
)


@given(spec=specs, key=st.sampled_from(sorted(DEFAULTS)))
def test_completing_twice_changes_nothing_more(spec, key):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": copy_of(spec)}
    obj = {"metadata": {"name": "a"}, "spec": {**copy_of(spec), "template": template}}
    if key[1] == "podtemplates":
        obj["template"] = copy_of(template)
    once = copy_of(completed(*key, obj))
    assert completed(*key, obj) == once
