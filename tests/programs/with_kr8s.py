"""kr8s: objects that know how to ask, in a sync and an async voice."""

from __future__ import annotations

import asyncio

import kr8s
from kr8s.asyncio.objects import Pod as AsyncPod
from kr8s.objects import ConfigMap, Deployment, Namespace, Pod, new_class

from tests.programs.manifests import IMAGE, NETEXEC, definition, deployment, robot

NAMESPACE = "kr8s"
GROUP = "kr8s.example.com"

api = kr8s.api()
assert api.version()["major"] == "1"
assert any(each["kind"] == "Deployment" for each in api.api_resources())
Namespace({"metadata": {"name": NAMESPACE}}).create()
api.namespace = NAMESPACE

web = Deployment(deployment("web"), namespace=NAMESPACE)
web.create()
web.wait("condition=Available")
assert web.replicas == 2
pods = web.pods()
assert len(pods) == 2
print("created")

web.scale(3)
web.wait("jsonpath='{.status.readyReplicas}'=3")
assert len(list(kr8s.get("pods", namespace=NAMESPACE, label_selector="app=web"))) == 3
print("scaled")

pod = Pod.get(pods[0].name, namespace=NAMESPACE)
assert pod.ready()
assert any("8080" in line for line in pod.logs(follow=True))
assert pod.exec(["hostname"]).stdout.decode().strip() == pod.name
print("logged")

settings = ConfigMap({"metadata": {"name": "settings"}, "data": {"a": "1"}}, namespace=NAMESPACE)
settings.create()
settings.patch({"data": {"a": "2"}})
settings.refresh()
assert settings.data["a"] == "2"
settings.label({"tier": "back"})
settings.annotate({"note": "hello"})
assert ConfigMap.get("settings", namespace=NAMESPACE).labels["tier"] == "back"
settings.delete()
settings.wait("delete")
assert not settings.exists()
print("patched")

definitions = new_class("CustomResourceDefinition", "apiextensions.k8s.io/v1", namespaced=False)
crd = definitions(definition(GROUP, "Droid"))
crd.create()
crd.wait("condition=Established")
Droid = new_class("Droid", f"{GROUP}/v1", namespaced=True, scalable=True, scalable_spec="legs")
marvin = Droid(robot("marvin", GROUP, "Droid"), namespace=NAMESPACE)
marvin.create()
marvin.scale(5)
marvin.refresh()
assert marvin.spec.legs == 5
assert [each.name for each in kr8s.get("droids", namespace=NAMESPACE)] == ["marvin"]
crd.delete()
crd.wait("delete")
print("custom")


async def asked() -> None:
    """The same, asynchronously, several at once."""
    other = await kr8s.asyncio.api()
    spec = {"containers": [{"name": "main", "image": IMAGE, "command": NETEXEC}]}
    made = [await AsyncPod({"metadata": {"name": f"p{n}"}, "spec": spec}, namespace=NAMESPACE) for n in range(3)]
    await asyncio.gather(*(pod.create() for pod in made))
    await asyncio.gather(*(pod.wait("condition=Ready") for pod in made))
    names = sorted([pod.name async for pod in other.get("pods", "p0", "p1", "p2", namespace=NAMESPACE)])
    assert names == ["p0", "p1", "p2"], names
    await asyncio.gather(*(pod.delete(grace_period=0) for pod in made))
    await asyncio.gather(*(pod.wait("delete") for pod in made))


asyncio.run(asked())
print("async")

web.delete(propagation_policy="Foreground")
web.wait("delete")
Namespace.get(NAMESPACE).delete()
print("deleted")
