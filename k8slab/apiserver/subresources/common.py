"""What the subresources share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.apimachinery.errors import BadRequest, InternalError, MethodNotAllowed
from k8slab.apimachinery.rest import ANONYMOUS, JsonObject, Request
from k8slab.apimachinery.schema import definition_for
from k8slab.apiserver.decode import check_schema, read_object
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.kubelet_connection import KubeletConnection
from k8slab.apiserver.resources import RESOURCES, ResourceInfo
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.strategies import strategy_of

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

PODS = RESOURCES["", "pods"]
KUBELET_PORT = 10250
SUCCESS: JsonObject = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def context_of(server: ApiServer, info: RequestInfo, request: Request, resource: ResourceInfo) -> Context:
    """The request as the handlers of the verbs take it, about the object itself."""
    user = request.user or ANONYMOUS
    return Context(server, request, info, resource, user, strategy_of(resource))


def read_body(request: Request, group: str, version: str, kind: str) -> JsonObject:
    """The object of a body that is no stored kind's, checked against its schema. Raises BadRequest, Invalid."""
    obj = read_object(request, kind, f"{group}/{version}".lstrip("/"))
    check_schema(obj, definition_for(group, version, kind), request.param("fieldValidation", "Warn"), request.body)
    return obj


def allow(info: RequestInfo, *verbs: str) -> None:
    """Raises MethodNotAllowed for other verbs than these."""
    if info.verb not in verbs:
        raise MethodNotAllowed.verb()


def choose_container(pod: JsonObject, asked: str) -> str:
    """The container asked for; if none is, the only one, or the one that an annotation names. Raises BadRequest."""
    meta, spec = pod["metadata"], pod.get("spec") or {}
    kinds = ("containers", "initContainers", "ephemeralContainers")
    names, init_names, ephemeral_names = ([each["name"] for each in spec.get(kind) or []] for kind in kinds)
    if asked:
        if asked not in (*names, *init_names, *ephemeral_names):
            raise BadRequest(f"container {asked} is not valid for pod {meta['name']}")
        return asked
    preferred = str((meta.get("annotations") or {}).get("kubectl.kubernetes.io/default-container", ""))
    if preferred in names:
        return preferred
    if len(names) == 1 and not init_names and not ephemeral_names:
        return str(names[0])
    text = f"a container name must be specified for pod {meta['name']}, choose one of: [{' '.join(names)}]"
    if init_names:
        text += f" or one of the init containers: [{' '.join(init_names)}]"
    if ephemeral_names:
        text += f" or one of the ephemeral containers: [{' '.join(ephemeral_names)}]"
    raise BadRequest(text)


def kubelet_of(server: ApiServer, pod: JsonObject, path: str) -> KubeletConnection:
    """The Pod's kubelet. Raises InternalError where none answers, as a refused connection reads."""
    node = pod["spec"]["nodeName"]
    return kubelet_on(server, node, (pod.get("status") or {}).get("hostIP") or node, path)


def kubelet_on(server: ApiServer, node: str, host: str, path: str) -> KubeletConnection:
    """A node's kubelet. Raises InternalError where none answers."""
    found = server.find_kubelet(node)
    if found is None:
        where = f"{host}:{KUBELET_PORT}"
        raise InternalError(f'Get "https://{where}/{path}": dial tcp {where}: connect: connection refused')
    return found


def nobody() -> None:
    """Nobody waits."""
