"""The one way to the API server: every component, every check and every learner's controller uses this client.

Reads give typed views (`client.get(Pod, "web", "default")`), writes take JSON, since a view knows only some of an object's
fields. Errors are `ApiError`s, as the server said them. The transport may be in process or HTTPS: to the client it is one.

Models: k8s.io/client-go/kubernetes, k8s.io/client-go/dynamic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from k8slab.apimachinery.errors import ApiError
from k8slab.apimachinery.model import KubeObject
from k8slab.apimachinery.rest import JsonObject, Request, Response, Transport, UserInfo, Watch
from k8slab.apimachinery.scheme import Resource

T = TypeVar("T", bound=KubeObject)
Body = JsonObject | list[Any] | bytes

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON = "application/json-patch+json"


class Client:
    """Requests to one API server, as one user."""

    def __init__(self, transport: Transport, user: UserInfo | None = None, user_agent: str = "k8slab") -> None:
        self.transport = transport
        self.user = user
        self.user_agent = user_agent

    def request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Body = b"",
        content_type: str = "application/json",
        accept: str = "application/json",
        wake: Callable[[], None] | None = None,
    ) -> Response:
        """The server's response; raises its error as ApiError."""
        response = self.transport.send(
            Request(
                method,
                path,
                query={name: [value] for name, value in (query or {}).items()},
                headers={"content-type": content_type, "accept": accept, "user-agent": self.user_agent},
                body=body,
                user=self.user,
                wake=wake,
            )
        )
        if response.code >= 400:
            raise ApiError.from_status(_content(response))
        return response

    def get(self, kind: type[T], name: str, namespace: str = "") -> T:
        """One object. Raises NotFound."""
        return kind.of(self.raw("GET", kind.resource.path(namespace, name)))

    def list(self, kind: type[T], namespace: str = "", *, labels: str = "", fields: str = "") -> list[T]:
        """The objects of a kind, of one namespace or of all, by label and field selector."""
        found = self.raw("GET", kind.resource.path(namespace), query=_selectors(labels, fields))
        return [kind.of(item) for item in found["items"]]

    def create(self, what: type[KubeObject] | Resource, body: JsonObject, namespace: str = "") -> JsonObject:
        """The object as created. Raises AlreadyExists, Invalid, Forbidden, NotFound (of the namespace)."""
        return self.raw("POST", _resource(what).path(namespace), body=body)

    def update(self, what: type[KubeObject] | Resource, body: JsonObject, *, subresource: str = "") -> JsonObject:
        """The object as it is now. With a resourceVersion in the body, Conflict if it has changed since."""
        meta = body["metadata"]
        path = _resource(what).path(meta.get("namespace", ""), meta["name"], subresource)
        return self.raw("PUT", path, body=body)

    def patch(
        self,
        what: type[KubeObject] | Resource,
        name: str,
        namespace: str,
        body: Body,
        *,
        content_type: str = MERGE,
        subresource: str = "",
    ) -> JsonObject:
        """Change some fields; the object as it is now. A JSON merge patch unless `content_type` says otherwise."""
        path = _resource(what).path(namespace, name, subresource)
        return self.raw("PATCH", path, body=body, content_type=content_type)

    def patch_status(
        self, what: type[KubeObject] | Resource, name: str, namespace: str, status: JsonObject, **metadata: Any
    ) -> JsonObject:
        """Merge `status` into the object's status. `metadata` may hold preconditions: uid=, resourceVersion=."""
        body: JsonObject = {"status": status}
        if metadata:
            body["metadata"] = metadata
        return self.patch(what, name, namespace, body, subresource="status")

    def delete(
        self,
        what: type[KubeObject] | Resource,
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        resource_version: str = "",
        grace_period: int | None = None,
        propagation: str = "",
    ) -> JsonObject:
        """Ask for deletion: the object where it lives on for a while, else a Status. Raises NotFound, Conflict."""
        preconditions = {k: v for k, v in (("uid", uid), ("resourceVersion", resource_version)) if v}
        options: JsonObject = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if preconditions:
            options["preconditions"] = preconditions
        if grace_period is not None:
            options["gracePeriodSeconds"] = grace_period
        if propagation:
            options["propagationPolicy"] = propagation
        return self.raw("DELETE", _resource(what).path(namespace, name), body=options)

    def bind(self, pod: KubeObject, node: str) -> None:
        """Give a Pod its node. Raises NotFound where it is gone, Conflict where it has a node already."""
        meta = pod.metadata
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid},
            "target": {"kind": "Node", "name": node},
        }
        self.raw("POST", pod.resource.path(meta.namespace, meta.name, "binding"), body=binding)

    def watch(
        self,
        what: type[KubeObject] | Resource,
        namespace: str = "",
        *,
        resource_version: str,
        labels: str = "",
        fields: str = "",
        wake: Callable[[], None] | None = None,
    ) -> Watch:
        """A cursor over the changes after `resource_version`. `wake` is called when a poll is worth while."""
        query = {"watch": "true", "resourceVersion": resource_version, "allowWatchBookmarks": "true"}
        query |= _selectors(labels, fields)
        response = self.request("GET", _resource(what).path(namespace), query=query, wake=wake)
        assert response.watch is not None, "the transport answered a watch without a cursor"
        return response.watch

    def raw(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Body = b"",
        content_type: str = "application/json",
    ) -> JsonObject:
        """The JSON that a path answers: shared and read-only in process. Raises ApiError."""
        return _content(self.request(method, path, query=query, body=body, content_type=content_type))


def _content(response: Response) -> JsonObject:
    if response.object is not None:
        return response.object
    content: JsonObject = orjson.loads(response.body)
    return content


def _resource(what: type[KubeObject] | Resource) -> Resource:
    return what if isinstance(what, Resource) else what.resource


def _selectors(labels: str, fields: str) -> dict[str, str]:
    return {name: text for name, text in (("labelSelector", labels), ("fieldSelector", fields)) if text}
