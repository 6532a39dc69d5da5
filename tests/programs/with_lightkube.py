"""lightkube: typed models, generic resources for custom kinds, watches."""

from __future__ import annotations

from lightkube import Client
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.core_v1 import Container, PodSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Namespace, Pod
from lightkube.types import PatchType

from tests.programs.manifests import IMAGE, NETEXEC, definition, deployment, refusal, robot

NAMESPACE = "lightkube"
GROUP = "lightkube.example.com"

client = Client(namespace=NAMESPACE, field_manager="lightkube-test")
client.create(Namespace(metadata=ObjectMeta(name=NAMESPACE)))

client.create(Deployment.from_dict(deployment("web")))
ready = client.wait(Deployment, "web", for_conditions=["Available"])
assert ready.status.readyReplicas == 2
print("created")

scale = client.get(Deployment.Scale, name="web")
scale.spec.replicas = 1
assert client.replace(scale, name="web").spec.replicas == 1
for _, found in client.watch(Deployment, fields={"metadata.name": "web"}):
    if found.status.replicas == 1 and found.status.observedGeneration == 2:
        break
print("scaled")

spec = PodSpec(containers=[Container(name="main", image=IMAGE, command=NETEXEC)])
client.create(Pod(metadata=ObjectMeta(name="one", labels={"a": "b"}), spec=spec))
pod = client.wait(Pod, "one", for_conditions=["Ready"])
assert [each.metadata.name for each in client.list(Pod, labels={"a": "b"})] == ["one"]
for line in client.log("one", follow=True):
    if "8080" in line:
        break
print("logged")

client.create(ConfigMap(metadata=ObjectMeta(name="settings"), data={"a": "1"}))
patched = client.patch(ConfigMap, "settings", {"data": {"b": "2"}}, patch_type=PatchType.MERGE)
assert patched.data == {"a": "1", "b": "2"}
stale = client.get(ConfigMap, "settings")
client.patch(ConfigMap, "settings", {"data": {"b": "3"}})
assert refusal(lambda: client.replace(stale)).status.reason == "Conflict"
print("patched")

client.create(CustomResourceDefinition.from_dict(definition(GROUP)))
client.wait(CustomResourceDefinition, f"robots.{GROUP}", for_conditions=["Established"])
Robot = create_namespaced_resource(GROUP, "v1", "Robot", "robots")
client.create(Robot(**robot("marvin", GROUP)))
assert client.get(Robot, "marvin").spec == {"legs": 2}
client.patch(Robot.Status, "marvin", {"status": {"mood": "low"}}, patch_type=PatchType.MERGE)
assert client.get(Robot, "marvin").status["mood"] == "low"
wrong = refusal(lambda: client.patch(Robot, "marvin", {"spec": {"legs": "many"}}, patch_type=PatchType.MERGE))
assert "spec.legs in body must be of type integer" in wrong.status.message
print("custom")

applied = client.apply(Robot(**robot("marvin", GROUP, legs=3)), force=True)
assert applied.spec["legs"] == 3
assert any(each.manager == "lightkube-test" and each.operation == "Apply" for each in applied.metadata.managedFields)
print("applied")

for name in ("x", "y", "z"):
    client.create(Robot(**robot(name, GROUP)))
names = [each.metadata.name for each in client.list(Robot, chunk_size=2)]
assert names == ["marvin", "x", "y", "z"], names
client.deletecollection(Robot)
assert not list(client.list(Robot))
print("listed")

client.delete(CustomResourceDefinition, f"robots.{GROUP}")
client.delete(Deployment, "web")
client.delete(Pod, "one", grace_period=0)
client.delete(Namespace, NAMESPACE)
print("deleted")
