import json

import pytest

from k8slab.apimachinery.cron import cron_fault
from k8slab.apiserver.defaults import DEFAULTS
from k8slab.apiserver.validation import VALIDATIONS
from tests.apiserver.objects import pod, service, workload


def faults(group, plural, obj):
    DEFAULTS.get((group, plural), lambda obj: None)(obj)
    return [f"{cause.field}: {cause.message}" for cause in VALIDATIONS[group, plural](obj)]


def container(**fields):
    return {"name": "a", "image": "a:1", **fields}


def test_a_plain_pod_is_valid():
    assert faults("", "pods", pod()) == []


POD_FAULTS = {
    "spec.containers: Required value": {"containers": []},
    'spec.containers[1].name: Duplicate value: "a"': {"containers": [container(), container()]},
    "spec.containers[0].image: Required value": {"containers": [container(image="")]},
    'spec.restartPolicy: Unsupported value: "Now": supported values: "Always", "OnFailure", "Never"': {
        "restartPolicy": "Now"
    },
    "spec.terminationGracePeriodSeconds: Invalid value: -1: must be greater than or equal to 0": {
        "terminationGracePeriodSeconds": -1
    },
    "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive": {
        "containers": [container(ports=[{"containerPort": 70000}])]
    },
    'spec.containers[0].ports[1].name: Duplicate value: "http"': {
        "containers": [container(ports=[{"containerPort": 1, "name": "http"}, {"containerPort": 2, "name": "http"}])]
    },
    'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"': {
        "containers": [container(ports=[{"containerPort": 1, "hostPort": 80}, {"containerPort": 2, "hostPort": 80}])]
    },
    "spec.containers[0].env[0].name: Required value": {"containers": [container(env=[{"name": ""}])]},
    'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1': {
        "containers": [container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}})]
    },
    'spec.containers[0].volumeMounts[0].name: Not found: "data"': {
        "containers": [container(volumeMounts=[{"name": "data", "mountPath": "/data"}])]
    },
    "spec.containers[0].livenessProbe: Required value: must specify a handler type": {
        "containers": [container(livenessProbe={})]
    },
    "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1": {
        "containers": [container(livenessProbe={"exec": {"command": ["a"]}, "successThreshold": 2})]
    },
    'spec.volumes[1].name: Duplicate value: "a"': {"volumes": [{"name": "a"}, {"name": "a"}]},
}


@pytest.mark.parametrize("text", POD_FAULTS)
def test_a_faulty_pod_is_told_where_and_why(text):
    assert faults("", "pods", pod(**POD_FAULTS[text])) == [text]


def test_a_selector_must_match_the_template():
    found = faults("apps", "deployments", workload(selector={"matchLabels": {"app": "other"}}))
    assert found == [
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'
    ]


def test_a_rollout_must_be_able_to_move():
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}
    found = faults("apps", "deployments", workload(strategy=strategy))
    assert found == [
        "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"
    ]  # fmt: skip


def test_replicas_are_not_negative():
    found = faults("apps", "replicasets", workload("ReplicaSet", replicas=-1))
    assert found == ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]


def test_a_job_ends():
    job = workload("Job")
    found = faults("batch", "jobs", job)
    assert found == ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']


def test_a_service_needs_ports_and_names_for_several():
    assert faults("", "services", service(ports=[])) == ["spec.ports: Required value"]
    found = faults("", "services", service(ports=[{"port": 80}, {"port": 81, "name": "b"}]))
    assert found == ["spec.ports[0].name: Required value"]


def test_a_service_type_is_one_of_four():
    text = 'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'
    assert faults("", "services", service(type="Magic")) == [text]


def test_a_config_key_is_a_file_name():
    (found,) = faults("", "configmaps", {"metadata": {}, "data": {"a/b": "c"}})
    assert found.startswith(
        'data[a/b]: Invalid value: "a/b": a valid config key must consist of alphanumeric characters'
    )


def test_an_autoscaler_keeps_its_bounds_in_order():
    spec = {"minReplicas": 5, "maxReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "web"}}
    found = faults("autoscaling", "horizontalpodautoscalers", {"metadata": {}, "spec": spec})
    assert found == ["spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`"]


@pytest.mark.parametrize("schedule", ["* * * * *", "*/5 0-6 1,15 jan-mar MON", "@hourly", "@every 1h", "0 0 ? * 6"])
def test_a_schedule_that_cron_reads(schedule):
    assert cron_fault(schedule) == ""


@pytest.mark.parametrize(
    ("schedule", "fault"),
    [("* * *", "expected exactly 5 fields, found 3: [* * *]"), ("@never", "unrecognized descriptor: @never"),
     ("60 * * * *", "end of range (60) above maximum (59): 60"),
     ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
     ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax')],
)  # fmt: skip
def test_a_schedule_that_cron_does_not_read(schedule, fault):
    assert cron_fault(schedule) == fault


NO_TEMPLATE = (
    "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
    "spec.template.spec.containers: Required value",
)
NO_JOB = (
    "template.spec.containers: Required value",
    'template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
)
ALMOST_NOTHING = {
    "apis/apps/v1/namespaces/default/deployments": ("spec.selector: Required value", *NO_TEMPLATE),
    "apis/apps/v1/namespaces/default/replicasets": ("spec.selector: Required value", *NO_TEMPLATE),
    "apis/apps/v1/namespaces/default/statefulsets": ("spec.selector: Required value", *NO_TEMPLATE),
    "apis/apps/v1/namespaces/default/daemonsets": NO_TEMPLATE,
    "apis/batch/v1/namespaces/default/jobs": tuple(f"spec.{text}" for text in NO_JOB),
    "apis/batch/v1/namespaces/default/cronjobs": (
        "spec.schedule: Required value",
        *(f"spec.jobTemplate.spec.{text}" for text in NO_JOB),
    ),
    "apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers": (
        "spec.maxReplicas: Invalid value: 0: must be greater than 0",
        "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`",
        "spec.scaleTargetRef.kind: Required value",
        "spec.scaleTargetRef.name: Required value",
    ),
    "apis/rbac.authorization.k8s.io/v1/clusterrolebindings": (
        'roleRef.kind: Unsupported value: "": supported values: "ClusterRole"',
        "roleRef.name: Required value",
    ),
}


@pytest.mark.parametrize("content", [{}, {"spec": None}, {"spec": {}}])
@pytest.mark.parametrize("path", ALMOST_NOTHING)
def test_what_is_left_out_is_empty_and_its_parts_are_what_is_missing(api, path, content):
    response = api.ask("POST", f"/{path}", json.dumps({"metadata": {"name": "t"}, **content}).encode())
    told = [f"{each['field']}: {each['message']}" for each in response.object["details"]["causes"]]
    assert (response.code, told) == (422, list(ALMOST_NOTHING[path]))
