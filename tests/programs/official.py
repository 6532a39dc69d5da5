"""The official Python client: typed, watched, logged, executed."""

from __future__ import annotations

from kubernetes import client, config, watch
from kubernetes.stream import stream

from tests.programs.manifests import refusal

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.39"
NAMESPACE = "official"


def until(events, wanted):
    """Follow a watch until something is so."""
    for event in events:
        if wanted(event["type"], event["object"]):
            return event["object"]
    raise AssertionError("the watch ended before")


config.load_kube_config()
core, apps = client.CoreV1Api(), client.AppsV1Api()
assert client.VersionApi().get_code().major == "1"
core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=NAMESPACE)))

labels = {"app": "web"}
container = client.V1Container(
    name="main", image=IMAGE, command=["/agnhost", "netexec", "--http-port=8080"],
    ports=[client.V1ContainerPort(container_port=8080)],
)  # fmt: skip
template = client.V1PodTemplateSpec(
    metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(containers=[container])
)
spec = client.V1DeploymentSpec(replicas=2, selector=client.V1LabelSelector(match_labels=labels), template=template)
body = client.V1Deployment(metadata=client.V1ObjectMeta(name="web", labels=labels), spec=spec)
created = apps.create_namespaced_deployment(NAMESPACE, body)
assert created.metadata.generation == 1
print("created")

follow = watch.Watch()
ready = until(
    follow.stream(apps.list_namespaced_deployment, NAMESPACE, timeout_seconds=30),
    lambda type_, obj: obj.status.ready_replicas == 2,
)
follow.stop()
assert ready.status.available_replicas == 2
print("watched")

pods = core.list_namespaced_pod(NAMESPACE, label_selector="app=web", field_selector="status.phase=Running").items
assert len(pods) == 2
name = pods[0].metadata.name
first = core.list_namespaced_pod(NAMESPACE, limit=1)
rest = core.list_namespaced_pod(NAMESPACE, limit=1, _continue=first.metadata._continue)
assert {first.items[0].metadata.name, rest.items[0].metadata.name} == {pod.metadata.name for pod in pods}
print("listed")

version = core.list_namespaced_pod(NAMESPACE).metadata.resource_version
patched = apps.patch_namespaced_deployment("web", NAMESPACE, {"spec": {"replicas": 1}})
assert patched.metadata.generation == 2
until(
    watch.Watch().stream(core.list_namespaced_pod, NAMESPACE, resource_version=version, timeout_seconds=30),
    lambda type_, obj: type_ == "DELETED",
)
scale = apps.read_namespaced_deployment_scale("web", NAMESPACE)
assert (scale.spec.replicas, scale.status.selector) == (1, "app=web")
scale.spec.replicas = 2
assert apps.replace_namespaced_deployment_scale("web", NAMESPACE, scale).spec.replicas == 2
print("patched")

name = core.list_namespaced_pod(NAMESPACE, label_selector="app=web").items[0].metadata.name
until(
    watch.Watch().stream(
        core.list_namespaced_pod, NAMESPACE, field_selector=f"metadata.name={name}", timeout_seconds=30
    ),
    lambda type_, obj: obj.status.phase == "Running",
)
said = watch.Watch()
for line in said.stream(core.read_namespaced_pod_log, name, NAMESPACE):
    if "8080" in line:
        said.stop()
        break
assert "8080" in core.read_namespaced_pod_log(name, NAMESPACE)
lines = core.read_namespaced_pod_log(name, NAMESPACE, tail_lines=1, timestamps=True).splitlines()
assert len(lines) == 1
assert lines[0].startswith("20")
print("logged")

answer = stream(
    core.connect_get_namespaced_pod_exec, name, NAMESPACE, command=["hostname"],
    stderr=True, stdin=False, stdout=True, tty=False,
)  # fmt: skip
assert answer.strip() == name
session = stream(
    core.connect_get_namespaced_pod_exec, name, NAMESPACE, command=["sh", "-c", "exit 3"],
    stderr=True, stdin=False, stdout=True, tty=False, _preload_content=False,
)  # fmt: skip
session.run_forever(timeout=20)
assert session.returncode == 3
print("executed")

events = list(watch.Watch().stream(core.list_namespaced_persistent_volume_claim, NAMESPACE, timeout_seconds=1))
assert events == [], events
print("timed out")

for call, code in (
    (lambda: core.read_namespaced_pod("nobody", NAMESPACE), 404),
    (lambda: apps.create_namespaced_deployment(NAMESPACE, body), 409),
    (lambda: core.create_namespaced_pod(NAMESPACE, {"metadata": {"name": "x"}, "spec": {"containers": []}}), 422),
):
    assert refusal(call).status == code
print("refused")

version = core.list_namespaced_pod(NAMESPACE).metadata.resource_version
apps.delete_namespaced_deployment("web", NAMESPACE, propagation_policy="Background")
until(
    watch.Watch().stream(core.list_namespaced_pod, NAMESPACE, resource_version=version, timeout_seconds=30),
    lambda type_, obj: type_ == "DELETED" and not core.list_namespaced_pod(NAMESPACE).items,
)
core.delete_namespace(NAMESPACE)
print("deleted")
