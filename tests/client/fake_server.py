"""A real API server in this process, and a world of components that are stepped by hand."""

from __future__ import annotations

from typing import Any

from k8slab.api.core import Event, Namespace, Pod
from k8slab.apimachinery.model import KubeObject
from k8slab.apimachinery.rest import MASTERS_GROUP, JsonObject, Transport, UserInfo
from k8slab.apiserver.bootstrap import install_defaults
from k8slab.apiserver.server import ApiServer
from k8slab.client.client import Client
from k8slab.client.transport import InProcess
from k8slab.clock import NEVER, VirtualClock, to_rfc3339
from k8slab.etcd.memory import MemoryStore
from k8slab.names import Chance

ADMIN = UserInfo("kubernetes-admin", (MASTERS_GROUP,))


class World:
    """A server with the namespace `default`, a client, and the components that were added."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = VirtualClock()
        self.chance = Chance(seed)
        self.store = MemoryStore(self.clock)
        self.server = ApiServer(self.store, self.clock, self.chance)
        install_defaults(self.server.registry)
        self.client = self.connect()
        self.components: list[Any] = []
        self.client.create(Namespace, {"metadata": {"name": "default"}})

    def connect(self, wrap: Any = None) -> Client:
        transport: Transport = InProcess(self.server.handle)
        return Client(wrap(transport) if wrap else transport, ADMIN)

    def settle(self, rounds: int = 2000) -> None:
        """Step all components until they are idle, and jump to whatever work is due later."""
        for _ in range(rounds):
            while sum(component.step() for component in self.components):
                rounds -= 1
                assert rounds > 0, "it never settles"
            when = min((component.next_work() for component in self.components), default=NEVER)
            if when == NEVER:
                return
            self.clock.advance_to(when)
        raise AssertionError("it never settles")

    def pass_time(self, seconds: float) -> None:
        """Let time pass, timers in the background included."""
        end = self.clock.now() + seconds
        self.settle()
        while (when := min(component.next_deadline() for component in self.components)) <= end:
            self.clock.advance_to(when)
            self.settle()
        self.clock.advance_to(end)
        self.settle()

    def pods(self, **labels: str) -> list[Pod]:
        return self.client.list(Pod, "default", labels=",".join(f"{k}={v}" for k, v in labels.items()))

    def make_ready(self, *pods: Pod) -> None:
        """What a kubelet would say of Pods that have come up."""
        for pod in pods:
            self.client.patch_status(Pod, pod.name, pod.namespace, ready_status(self.clock.now()))

    def events(self, reason: str = "") -> list[str]:
        return [event.message for event in self.client.list(Event) if reason in ("", event.reason)]

    def exists(self, kind: type[KubeObject], name: str, namespace: str = "default") -> bool:
        return any(obj.name == name for obj in self.client.list(kind, namespace))


def ready_status(now: float) -> JsonObject:
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": to_rfc3339(now)}
    return {"phase": "Running", "conditions": [ready]}


def pod(name: str = "web", labels: dict[str, str] | None = None, **spec: Any) -> JsonObject:
    content = {"containers": [{"name": "main", "image": "nginx"}], **spec}
    return {"metadata": {"name": name, "labels": labels or {"app": "web"}}, "spec": content}


def config_map(name: str = "settings", labels: dict[str, str] | None = None, **data: str) -> JsonObject:
    return {"metadata": {"name": name, "labels": labels or {}}, "data": data}


def workload(name: str = "web", replicas: int = 1, image: str = "nginx:1", **spec: Any) -> JsonObject:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}
    content = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec}
    return {"metadata": {"name": name}, "spec": content}
