"""/proxy of a node: a question to its kubelet, `/api/v1/nodes/node-1/proxy/pods`.

Models: pkg/registry/core/node/rest/proxy.go, pkg/registry/core/node/strategy.go (ResourceLocation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.apimachinery.errors import BadRequest, MethodNotAllowed
from k8slab.apimachinery.rest import Request, Response
from k8slab.apiserver.resources import RESOURCES
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.subresources.common import KUBELET_PORT, kubelet_on

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

NODES = RESOURCES["", "nodes"]


def node_proxy(server: ApiServer, info: RequestInfo, request: Request) -> Response:
    """What the kubelet answers. Raises NotFound, BadRequest for another port, InternalError where no kubelet answers."""
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed.verb()
    scheme_and_name, _, port = (
        info.name.rpartition(":") if info.name.rpartition(":")[2].isdigit() else (info.name, "", "")
    )
    name = scheme_and_name.rpartition(":")[2]
    if port and int(port) != KUBELET_PORT:
        raise BadRequest(f"of a node only its kubelet can be asked, at port {KUBELET_PORT}")
    node = server.registry.get(NODES, "", name)
    addresses = {each.get("type"): each.get("address") for each in (node.get("status") or {}).get("addresses") or []}
    kubelet = kubelet_on(server, name, addresses.get("InternalIP") or name, info.rest.lstrip("/"))
    return kubelet.get(info.rest or "/")
