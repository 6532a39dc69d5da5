"""The official client's dynamic client: kinds by discovery, custom ones too."""

from __future__ import annotations

from kubernetes import client, config
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from kubernetes.utils import create_from_dict

from tests.programs.manifests import ROBOTS, refusal, robot

NAMESPACE = "dynamic"

config.load_kube_config()
core = client.CoreV1Api()
core.create_namespace({"metadata": {"name": NAMESPACE}})
dynamic = DynamicClient(client.ApiClient())

unknown = refusal(lambda: dynamic.resources.get(api_version="robots.example.com/v1", kind="Robot"))
assert isinstance(unknown, ResourceNotFoundError)
print("not known")

definitions = dynamic.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition")
create_from_dict(dynamic.client, ROBOTS)
for event in definitions.watch(field_selector="metadata.name=robots.robots.example.com", timeout=30):
    conditions = (event["raw_object"].get("status") or {}).get("conditions") or []
    if any(each["type"] == "Established" and each["status"] == "True" for each in conditions):
        break
else:
    raise AssertionError("never established")
print("established")

robots = dynamic.resources.get(api_version="robots.example.com/v1", kind="Robot")
assert (robots.name, robots.namespaced, robots.short_names) == ("robots", True, ["xrobot"])
created = robots.create(body=robot("marvin"), namespace=NAMESPACE)
assert created.spec.legs == 2, created  # the default
assert [each.metadata.name for each in robots.get(namespace=NAMESPACE).items] == ["marvin"]
print("created")

patched = robots.patch(
    body={"spec": {"legs": 4}}, name="marvin", namespace=NAMESPACE, content_type="application/merge-patch+json"
)
assert (patched.spec.legs, patched.metadata.generation) == (4, 2)
status = robots.status.patch(
    body={"status": {"mood": "low"}}, name="marvin", namespace=NAMESPACE, content_type="application/merge-patch+json"
)
assert (status.status.mood, status.metadata.generation) == ("low", 2)
wrong = refusal(
    lambda: robots.patch(
        body={"spec": {"legs": -1}}, name="marvin", namespace=NAMESPACE, content_type="application/merge-patch+json"
    )
)
assert wrong.status == 422
assert "spec.legs in body should be greater than or equal to 0" in str(wrong.body)
print("patched")

applied = robots.server_side_apply(
    body=robot("marvin") | {"spec": {"name": "Marvin"}}, name="marvin", namespace=NAMESPACE, field_manager="test"
)
assert applied.spec.name == "Marvin"
assert "test" in [each.manager for each in applied.metadata.managedFields]
print("applied")

version = robots.get(namespace=NAMESPACE).metadata.resourceVersion
robots.create(body=robot("rosie"), namespace=NAMESPACE)
robots.delete(name="rosie", namespace=NAMESPACE)
seen = []
for event in robots.watch(namespace=NAMESPACE, resource_version=version, timeout=30):
    seen.append((event["type"], event["object"].metadata.name))
    if len(seen) == 2:
        break
assert seen == [("ADDED", "rosie"), ("DELETED", "rosie")], seen
print("watched")

configmaps = dynamic.resources.get(api_version="v1", kind="ConfigMap")
configmaps.create(body={"metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"k": "v"}}, namespace=NAMESPACE)
assert configmaps.get(namespace=NAMESPACE, label_selector="x=y").items[0].data.k == "v"
configmaps.delete(namespace=NAMESPACE, label_selector="x=y")
assert not configmaps.get(namespace=NAMESPACE, label_selector="x=y").items
print("selected")

version = definitions.get().metadata.resourceVersion
definitions.delete(name="robots.robots.example.com")
for event in definitions.watch(resource_version=version, timeout=30):
    if event["type"] == "DELETED" and event["object"].metadata.name == "robots.robots.example.com":
        break
else:
    raise AssertionError("never gone")
core.delete_namespace(NAMESPACE)
print("deleted")
