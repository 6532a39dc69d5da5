"""A server with the workload controllers, and Pods that come up when a test says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.apimachinery.rest import JsonObject
from k8slab.controllers.deployment import DeploymentController
from k8slab.controllers.garbage_collector import GarbageCollector
from k8slab.controllers.replicaset import ReplicaSetController
from tests.client.fake_server import World, workload


class Workloads(World):
    """Deployments, ReplicaSets and Pods, and the garbage collector."""

    def __init__(self, seed: int = 1, wrap: Any = None, also: Sequence[Any] = ()) -> None:
        """`also`: more controllers."""
        super().__init__(seed)

        def connect(name: str) -> Any:
            return self.connect(wrap and (lambda transport: wrap(self, transport, name)))

        self.replicasets = ReplicaSetController(connect("rs"), self.clock, self.chance)
        self.deployments = DeploymentController(connect("deploy"), self.clock, self.chance)
        self.collector = GarbageCollector(connect("gc"), self.clock, self.chance)
        self.components = [self.replicasets, self.deployments, self.collector]
        self.components += [each(connect(each.name), self.clock, self.chance) for each in also]
        for component in self.components:
            component.step()

    def deploy(self, name: str = "web", replicas: int = 1, image: str = "nginx:1", **spec: Any) -> JsonObject:
        return self.client.create(Deployment, workload(name, replicas, image, **spec), "default")

    def change(self, spec: JsonObject, name: str = "web", kind: Any = Deployment) -> None:
        self.client.patch(kind, name, "default", {"spec": spec})

    def set_image(self, image: str, name: str = "web") -> None:
        patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}
        self.client.patch(Deployment, name, "default", patch)

    def deployment(self, name: str = "web") -> Deployment:
        return self.client.get(Deployment, name, "default")

    def sets(self, active: bool = True) -> list[ReplicaSet]:
        """The ReplicaSets, oldest version first."""
        found = [rs for rs in self.client.list(ReplicaSet, "default") if rs.spec.replicas or not active]
        return sorted(found, key=lambda rs: int(rs.metadata.annotations["deployment.kubernetes.io/revision"]))

    def sizes(self) -> dict[str, int]:
        """How many Pods each version should have, by image."""
        return {image_of(rs.spec.template): rs.spec.replicas for rs in self.sets()}

    def images(self) -> list[str]:
        return sorted(pod.spec.containers[0].image for pod in self.pods())

    def bring_up(self) -> bool:
        """Make all Pods ready that are not; True if there were some."""
        new = [pod for pod in self.pods() if pod.active and not pod.ready]
        self.make_ready(*new)
        return bool(new)

    def run(self) -> None:
        """Until nothing changes any more, with Pods that come up at once."""
        self.settle()
        while self.bring_up():
            self.settle()

    def condition(self, kind: str, name: str = "web") -> tuple[str, str, str]:
        found = next(each for each in self.deployment(name).status.conditions if each.type == kind)
        return found.status, found.reason, found.message


def image_of(template: JsonObject) -> str:
    return str(template["spec"]["containers"][0]["image"])
