"""More of kr8s: files, watches, ports, nodes, owners, who I am; its asyncio voice throughout."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from http.client import HTTPConnection

import kr8s
from kr8s import NotFoundError
from kr8s.asyncio.objects import ConfigMap, Deployment, Namespace, Node, Pod, Service, objects_from_files
from kr8s.objects import Pod as SyncPod
from kr8s.objects import Service as SyncService

from tests.programs.manifests import IMAGE, NETEXEC, refusal

NAMESPACE = "kr8s-more"
CONTAINER = {"name": "main", "image": IMAGE, "command": NETEXEC}
POD = {"metadata": {"name": "one", "labels": {"a": "b"}}, "spec": {"containers": [CONTAINER]}}


async def main() -> None:
    api = await kr8s.asyncio.api()
    await (await Namespace({"metadata": {"name": NAMESPACE}})).create()
    api.namespace = NAMESPACE
    assert await api.whoami() == "kubernetes-admin"
    versions = [each async for each in api.api_versions()]
    assert {"v1", "apps/v1", "batch/v1"} <= set(versions)
    assert await api.lookup_kind("deploy") == ("deployment.apps/v1", "deployments", True)
    print("looked around")

    for each in await objects_from_files(sys.argv[1]):
        each.namespace = NAMESPACE
        await each.create()
    web = await Deployment.get("web", namespace=NAMESPACE)
    await web.wait("condition=Available", timeout=30)
    # Only now: kr8s can't wait for a path that leads nowhere yet.
    await web.wait(["condition=Available", "jsonpath='{.status.readyReplicas}'=1"], mode="all", timeout=30)
    [pod] = await web.pods()
    service = await Service.get("web", namespace=NAMESPACE)
    assert await service.ready()
    assert [each.name for each in await service.ready_pods()] == [pod.name]
    print("created from a file")

    ran = await pod.exec(["sh", "-c", "echo out; echo err >&2; exit 3"], check=False)
    assert (ran.stdout, ran.stderr, ran.returncode) == (b"out\n", b"err\n", 3)
    async with pod.portforward(8080, local_port="auto") as port:
        assert await asyncio.to_thread(ask, port) == pod.name
        assert await asyncio.to_thread(ask, port) == pod.name  # another connection
    print("executed and forwarded")

    seen = []

    async def follow() -> None:
        async for event, found in api.watch("configmaps", namespace=NAMESPACE, field_selector="metadata.name=a"):
            seen.append((event, found.data.get("k") if "data" in found.raw else None))
            if event == "DELETED":
                return

    following = asyncio.create_task(follow())
    settings = await ConfigMap({"metadata": {"name": "a"}, "data": {"k": "1"}}, namespace=NAMESPACE)
    await settings.create()
    while not seen:
        await asyncio.sleep(0.01)
    await settings.patch([{"op": "replace", "path": "/data/k", "value": "2"}], type="json")
    await settings.label(x="y")
    await settings.remove_label("x")
    await settings.delete()
    await asyncio.wait_for(following, 30)
    assert [event for event, _ in seen] == ["ADDED", "MODIFIED", "MODIFIED", "MODIFIED", "DELETED"], seen
    assert [value for _, value in seen] == ["1", "2", "2", "2", "2"], seen
    print("watched")

    owner = await ConfigMap({"metadata": {"name": "owner"}}, namespace=NAMESPACE)
    child = await ConfigMap({"metadata": {"name": "child"}}, namespace=NAMESPACE)
    await owner.create()
    await child.create()
    await child.set_owner(owner)
    await owner.delete()
    await child.wait("delete", timeout=30)
    with suppress(NotFoundError):
        await ConfigMap.get("child", namespace=NAMESPACE)
        raise AssertionError("it outlived its owner")
    print("owned")

    node = await Node.get("node-2")
    await node.cordon()
    for number in range(4):
        again = await Pod(POD | {"metadata": {"name": f"p{number}", "labels": {"a": "b"}}}, namespace=NAMESPACE)
        await again.create()
    pods = [each async for each in api.get("pods", label_selector={"a": "b"}, namespace=NAMESPACE)]
    await asyncio.gather(*(each.wait("condition=Ready", timeout=30) for each in pods))
    for each in pods:
        await each.refresh()
    assert {each.spec.nodeName for each in pods} == {"node-1"}
    await node.uncordon()
    await node.taint("out", "yes", effect="NoExecute")
    await node.refresh()
    assert [(each.key, each.effect) for each in node.taints] == [("out", "NoExecute")]
    await node.taint("out", "yes", effect="NoExecute-")
    await node.refresh()
    assert not list(node.taints)
    await asyncio.gather(*(each.delete(propagation_policy="Background", grace_period=0) for each in pods))
    print("cordoned")


def ask(port: int) -> str:
    http = HTTPConnection("127.0.0.1", port, timeout=20)
    http.request("GET", "/hostname")
    answer = http.getresponse().read().decode()
    http.close()
    return answer


asyncio.run(main())

# The sync voice: the same objects without await.
kr8s.api().namespace = NAMESPACE
[pod] = kr8s.get("pods", namespace=NAMESPACE, label_selector={"app": "web"})
with SyncService.get("web", namespace=NAMESPACE).portforward(8080, local_port="auto") as port:
    assert ask(port) == pod.name
missing = refusal(lambda: SyncPod.get("nobody", namespace=NAMESPACE, timeout=1))
assert isinstance(missing, NotFoundError)
twice = refusal(lambda: pod.create())
assert twice.response.status_code == 409, twice
assert "already exists" in str(twice) or "resourceVersion" in str(twice), twice
next(iter(kr8s.get("namespaces", NAMESPACE))).delete()
print("deleted")
