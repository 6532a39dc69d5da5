"""An API server with a memory store, and short ways to ask it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8slab.apimachinery.rest import MASTERS_GROUP, JsonObject, Request, Response, UserInfo, WatchEvent
from k8slab.apiserver.bootstrap import bootstrap_objects, install_defaults
from k8slab.apiserver.server import ApiServer
from k8slab.clock import VirtualClock
from k8slab.etcd.memory import MemoryStore
from k8slab.names import Chance

ADMIN = UserInfo("kubernetes-admin", (MASTERS_GROUP, "system:authenticated"))
NAMESPACE = "/api/v1/namespaces/default"
PODS = f"{NAMESPACE}/pods"
MAPS = f"{NAMESPACE}/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"

INITIAL_END = "k8s.io/initial-events-end"

MERGE, JSON_PATCH, STRATEGIC = (
    {"content-type": f"application/{kind}+json"} for kind in ("merge-patch", "json-patch", "strategic-merge-patch")
)


class Api:
    """Asks an API server of its own, in process."""

    def __init__(self, seed: int = 0) -> None:
        self.clock = VirtualClock()
        self.store = MemoryStore(self.clock)
        self.server = ApiServer(self.store, self.clock, Chance(seed))
        install_defaults(self.server.registry)
        for resource, namespace, obj in bootstrap_objects():
            where = f"namespaces/{namespace}/" if namespace else ""
            assert self.ask("POST", f"/api/v1/{where}{resource.plural}", obj).code == 201

    @classmethod
    def of(cls, server: ApiServer) -> Api:
        """Short ways to ask a server that is there."""
        api = cls.__new__(cls)
        api.server = server
        return api

    def ask(
        self,
        method: str,
        path: str,
        body: Any = b"",
        headers: dict[str, str] | None = None,
        user: UserInfo | None = ADMIN,
        **query: str,
    ) -> Response:
        return self.server.handle(
            Request(method, path, {name: [value] for name, value in query.items()}, headers or {}, body, user)
        )

    def raw(self, method: str, path: str, query: dict[str, list[str]], wake: Callable[[], None]) -> Response:
        return self.server.handle(Request(method, path, query, user=ADMIN, wake=wake))

    def do(
        self, method: str, path: str, body: Any = b"", headers: dict[str, str] | None = None, **query: str
    ) -> JsonObject:
        """The object of an answer that must be a success."""
        response = self.ask(method, path, body, headers, **query)
        assert response.code < 300, response.object
        assert response.object is not None
        return response.object

    def refusal(self, method: str, path: str, body: Any = b"", headers: Any = None, **query: str) -> tuple[int, str]:
        """Code and message of an answer that must be none; and nothing may have been written."""
        before = self.store.revision
        response = self.ask(method, path, body, headers, **query)
        assert response.code >= 400
        assert self.store.revision == before
        assert response.object is not None
        assert response.object["kind"] == "Status"
        assert response.object["code"] == response.code
        return response.code, response.object["message"]

    def watch(self, path: str, **query: str) -> Any:
        response = self.ask("GET", path, watch="true", **query)
        assert response.watch is not None, response.object
        return response.watch


def pod(name: str = "web", **spec: Any) -> JsonObject:
    content = {"containers": [{"name": "main", "image": "nginx"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "web"}}, "spec": content}


def config_map(name: str = "settings", **data: str) -> JsonObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deployment(name: str = "web", replicas: int = 1) -> JsonObject:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "nginx"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def seen(events: list[WatchEvent]) -> list[tuple[str, str]]:
    """(type, name) of each event."""
    return [(event.type, event.object.get("metadata", {}).get("name", "")) for event in events]
