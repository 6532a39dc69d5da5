"""From a method and a path to what is asked.

`GET /api/v1/namespaces/default/pods/web/log` is: get, subresource `log`, of the Pod `web` in `default`.
Every later step of the chain (authorization, admission, the handlers, the audit) reads this instead of the path.

Models: k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from k8slab.apimachinery.rest import Request
from k8slab.apiserver.resources import BUILT_IN, ResourceInfo, ResourceTable

_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What a request asks for."""

    verb: str
    """get, list, watch, create, update, patch, delete, deletecollection; for other paths the method in small letters."""
    path: str
    is_resource: bool = False
    """Whether the path is one of /api/<version> or /apis/<group>/<version>, and names a resource."""
    group: str = ""
    version: str = ""
    plural: str = ""
    """As the path names it, whether it is served or not."""
    resource: ResourceInfo | None = None
    """The row of the table; None: not served."""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""
    """What follows `/proxy` in the path, with its slash: none of the server's business."""


def request_info(request: Request, table: ResourceTable = BUILT_IN) -> RequestInfo:
    """Read the method, the path and the query, for a server that serves what is in a table."""
    method = request.method
    return _read(table, method, request.path, _VERBS.get(method) == "get" and request.flag("watch"))


@lru_cache(maxsize=4096)
def _read(table: ResourceTable, method: str, path: str, watch: bool) -> RequestInfo:
    # Components ask the same again and again.
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return RequestInfo(method.lower(), path)

    if rest[0] == "watch" and len(rest) > 1 and _VERBS.get(method) == "get":
        watch, rest = True, rest[1:]  # the old way to ask for a watch, which still leads there
    namespace = ""
    # `namespaces` is a prefix for what lives in one, and a resource with two subresources of its own.
    if rest[0] == "namespaces" and len(rest) >= 3 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = (*rest, "", "")[:3]
    proxied = subresource == "proxy"
    resource = table.find(group, version, plural) if len(rest) <= 3 or proxied else None
    if resource is not None and namespace and not resource.namespaced:
        resource = None
    if plural == "namespaces" and not namespace:
        namespace = name
    verb = _verb(method, watch and not proxied, name)
    below = _after(path, len(parts) - len(rest) + 3) if proxied else ""
    return RequestInfo(verb, path, True, group, version, plural, resource, namespace, name, subresource, below)


def _after(path: str, segments: int) -> str:
    """The path without its first segments, as it came: a slash more or less may mean something to who gets it."""
    for _ in range(segments):
        path = path.lstrip("/")
        path = path[path.find("/") :] if "/" in path else ""
    return path


def _verb(method: str, watch: bool, name: str) -> str:
    verb = _VERBS.get(method, method.lower())
    if watch:
        return "watch"
    if verb == "get" and not name:
        return "list"
    return "deletecollection" if verb == "delete" and not name else verb
