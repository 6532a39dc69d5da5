"""Small objects and a small server, for the tests of the kinds' rules."""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.rest import MASTERS_GROUP, JsonObject, Request, Response, UserInfo, copy_of
from k8slab.apiserver.bootstrap import install_defaults
from k8slab.apiserver.server import ApiServer
from k8slab.clock import VirtualClock
from k8slab.etcd.memory import MemoryStore
from k8slab.names import Chance

ADMIN = UserInfo("kubernetes-admin", (MASTERS_GROUP,))
MERGE = {"content-type": "application/merge-patch+json"}


class Api:
    """A server with a namespace `default`, and short words for asking it."""

    def __init__(self, seed: int = 1, store: MemoryStore | None = None, **options: Any) -> None:
        self.clock = VirtualClock()
        self.store = store or MemoryStore(self.clock)
        self.server = ApiServer(self.store, self.clock, Chance(seed), **options)
        install_defaults(self.server.registry)
        if store is None:
            self.create("/api/v1/namespaces", {"metadata": {"name": "default"}})

    def send(self, method: str, path: str, body: Any = b"", headers: Any = None, **query: str) -> Response:
        query_lists = {key: [value] for key, value in query.items()}
        return self.server.handle(
            Request(method, path, query_lists, headers or {}, copy_of(body) if body else b"", ADMIN)
        )

    def create(self, path: str, obj: JsonObject, **query: str) -> JsonObject:
        return self._object(self.send("POST", path, obj, **query))

    def get(self, path: str) -> JsonObject:
        return self._object(self.send("GET", path))

    def put(self, path: str, obj: JsonObject) -> JsonObject:
        return self._object(self.send("PUT", path, obj))

    def patch(self, path: str, patch: JsonObject, **query: str) -> JsonObject:
        return self._object(self.send("PATCH", path, patch, MERGE, **query))

    def delete(self, path: str, options: JsonObject | None = None) -> JsonObject:
        return self._object(self.send("DELETE", path, options or b""))

    @staticmethod
    def _object(response: Response) -> JsonObject:
        assert response.object is not None
        return response.object


def pod(name: str = "web", **spec: Any) -> JsonObject:
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [{"name": "web", "image": "nginx:1"}], **spec},
    }  # fmt: skip


def workload(kind: str = "Deployment", name: str = "web", **spec: Any) -> JsonObject:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod()["spec"]}
    return {
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }  # fmt: skip


def service(name: str = "web", **spec: Any) -> JsonObject:
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"ports": [{"port": 80}], **spec},
    }  # fmt: skip


PODS = "/api/v1/namespaces/default/pods"
SERVICES = "/api/v1/namespaces/default/services"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
JOBS = "/apis/batch/v1/namespaces/default/jobs"
