"""More of lightkube: files, exec, watches that go on, owners of fields, selectors; its asyncio client."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from lightkube import AsyncClient, Client, codecs, operators
from lightkube.core.exceptions import ConditionError
from lightkube.models.core_v1 import Container, PodSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.batch_v1 import Job
from lightkube.resources.core_v1 import ConfigMap, Namespace, Node, Pod, ServiceAccount

from tests.programs.manifests import IMAGE, NETEXEC, deployment, refusal

NAMESPACE = "lightkube-more"

client = Client(namespace=NAMESPACE, field_manager="one")
client.create(Namespace(metadata=ObjectMeta(name=NAMESPACE)))
objects = codecs.load_all_yaml(Path(sys.argv[1]).read_text())
assert [each.kind for each in objects] == ["ConfigMap", "Service", "Deployment"]
for each in objects:
    client.apply(each, namespace=NAMESPACE)
for each in objects:
    client.apply(each, namespace=NAMESPACE)  # twice is once
client.wait(Deployment, "web", for_conditions=["Available"])
assert client.get(Deployment, "web").metadata.generation == 1
print("applied a file")

[pod] = client.list(Pod, labels={"app": "web"})
ran = client.exec(pod.metadata.name, command=["sh", "-c", "echo out; echo err >&2; exit 3"], stdout=True, stderr=True)
assert (ran.stdout, ran.stderr, ran.exit_code) == ("out\n", "err\n", 3), ran
print("executed")

other = Client(namespace=NAMESPACE, field_manager="two")
theirs = Deployment.from_dict(deployment("web", replicas=3))
other.apply(theirs)  # nobody has said how many
conflict = refusal(lambda: client.apply(Deployment.from_dict(deployment("web", replicas=1))))
assert conflict.status.code == 409
assert 'conflict with "two": .spec.replicas' in conflict.status.message, conflict.status.message
forced = client.apply(Deployment.from_dict(deployment("web", replicas=1)), force=True)
assert forced.spec.replicas == 1
scale = client.patch(Deployment.Scale, "web", {"spec": {"replicas": 2}})
assert scale.spec.replicas == 2
print("shared")

chosen = {"app": operators.in_(["web", "db"]), "tier": operators.not_exists()}
assert [each.metadata.name for each in client.list(ConfigMap, labels=chosen)] == ["settings"]
assert {each.metadata.name for each in client.list(Node, labels={"kubernetes.io/os": operators.exists()})} == {
    "node-1",
    "node-2",
}
named = client.list(ConfigMap, fields={"metadata.name": operators.not_equal("settings")})
assert [each.metadata.name for each in named] == ["kube-root-ca.crt"]
everywhere = {each.metadata.namespace for each in client.list(ServiceAccount, namespace="*")}
assert {NAMESPACE, "kube-system"} <= everywhere
print("selected")

spec = PodSpec(
    containers=[Container(name="main", image="busybox", command=["sh", "-c", "exit 1"])], restartPolicy="Never"
)
job = {"metadata": {"name": "fails"}, "spec": {"backoffLimit": 0, "template": {"spec": spec.to_dict()}}}
client.create(Job.from_dict(job))
failed = refusal(lambda: client.wait(Job, "fails", for_conditions=["Complete"], raise_for_conditions=["Failed"]))
assert isinstance(failed, ConditionError), failed
client.delete(Job, "fails")
print("failed")


async def asked() -> None:
    """The same, asynchronously, several at once."""
    async with AsyncClient(namespace=NAMESPACE, field_manager="three") as many:
        listed = many.list(ConfigMap)
        names = [each.metadata.name async for each in listed]
        assert sorted(names) == ["kube-root-ca.crt", "settings"]
        version = listed.resourceVersion
        bodies = [ConfigMap(metadata=ObjectMeta(name=f"c{number}")) for number in range(5)]
        await asyncio.gather(*(many.create(each) for each in bodies))
        seen = []
        async for event, found in many.watch(ConfigMap, resource_version=version):
            seen.append((event, found.metadata.name))
            if len(seen) == 5:
                break
        assert sorted(seen) == [("ADDED", f"c{number}") for number in range(5)]
        spec = PodSpec(containers=[Container(name="main", image=IMAGE, command=NETEXEC)])
        await many.create(Pod(metadata=ObjectMeta(name="one"), spec=spec))
        await many.wait(Pod, "one", for_conditions=["Ready"])
        async for line in many.log("one", follow=True):
            if "8080" in line:
                break
        ran = await many.exec("one", command=["hostname"], stdout=True)
        assert ran.stdout.strip() == "one"
        await asyncio.gather(*(many.delete(ConfigMap, f"c{number}") for number in range(5)))
        await many.delete(Pod, "one", grace_period=0)


asyncio.run(asked())
print("async")

client.delete(Namespace, NAMESPACE)
print("deleted")
