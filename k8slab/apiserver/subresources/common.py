"""What the subresources share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.apimachinery.errors import BadRequest, MethodNotAllowed
from k8slab.apimachinery.rest import ANONYMOUS, JsonObject, Request
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.resources import RESOURCES, ResourceInfo
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.strategies import strategy_of

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

PODS = RESOURCES["", "pods"]
SUCCESS: JsonObject = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def context_of(server: ApiServer, info: RequestInfo, request: Request, resource: ResourceInfo) -> Context:
    """The request as the handlers of the verbs take it, about the object itself."""
    user = request.user or ANONYMOUS
    return Context(server, request, info, resource, user, strategy_of(resource))


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
