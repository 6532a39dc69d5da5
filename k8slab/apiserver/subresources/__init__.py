"""Subresources that are more than a part of an object: a question in another form, a decision, a stream.

(`/status` and other parts of objects are written by the handlers of the verbs.) Each is a function from a request to a
response, found by (group, plural, subresource); an empty subresource is a kind that is nothing but a request.

Models: pkg/registry/core/rest/storage_core.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from k8slab.apimachinery.rest import Request, Response
from k8slab.apiserver.resources import ResourceInfo
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.subresources.binding import bind
from k8slab.apiserver.subresources.eviction import evict
from k8slab.apiserver.subresources.node_proxy import node_proxy
from k8slab.apiserver.subresources.port_forward import port_forward
from k8slab.apiserver.subresources.proxy import proxy
from k8slab.apiserver.subresources.scale import scale
from k8slab.apiserver.subresources.streams import attach, execute, log
from k8slab.apiserver.subresources.token import create_token

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

SubresourceHandler = Callable[["ApiServer", RequestInfo, Request], Response]

SUBRESOURCES: Mapping[tuple[str, str, str], SubresourceHandler] = {
    ("", "bindings", ""): bind,
    ("", "nodes", "proxy"): node_proxy,
    ("", "pods", "attach"): attach,
    ("", "pods", "binding"): bind,
    ("", "pods", "eviction"): evict,
    ("", "pods", "exec"): execute,
    ("", "pods", "log"): log,
    ("", "pods", "portforward"): port_forward,
    ("", "pods", "proxy"): proxy,
    ("", "services", "proxy"): proxy,
    ("", "serviceaccounts", "token"): create_token,
    ("", "replicationcontrollers", "scale"): scale,
    ("apps", "deployments", "scale"): scale,
    ("apps", "replicasets", "scale"): scale,
    ("apps", "statefulsets", "scale"): scale,
}


def subresource_of(resource: ResourceInfo, name: str) -> SubresourceHandler | None:
    """What answers for a subresource; None where it is not served."""
    if name not in resource.subresources:
        return None
    if resource.custom is not None:
        return scale if name == "scale" else None
    return SUBRESOURCES.get((resource.group, resource.plural, name))
