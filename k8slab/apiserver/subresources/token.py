"""/token: a token for a service account, for a while, and perhaps for as long as a Pod lives.

Nothing is stored. `kubectl create token` asks for one; kubelets ask for those that they put into Pods.

Models: pkg/registry/core/serviceaccount/storage/token.go, pkg/apis/authentication/validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.apimachinery.errors import BadRequest, Cause, Conflict, Invalid, invalid
from k8slab.apimachinery.rest import ANONYMOUS, JsonObject, Request, Response
from k8slab.apiserver.admission import Attributes
from k8slab.apiserver.authentication import AUDIENCES
from k8slab.apiserver.resources import RESOURCES
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.subresources.common import allow, read_body
from k8slab.apiserver.tokens import claims_of
from k8slab.clock import to_rfc3339

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

GROUP = "authentication.k8s.io"
ACCOUNTS, NODES = RESOURCES["", "serviceaccounts"], RESOURCES["", "nodes"]
KINDS = {"Pod": RESOURCES["", "pods"], "Secret": RESOURCES["", "secrets"], "Node": NODES}
"""What a token can be bound to."""
DEFAULT_SECONDS, MIN_SECONDS, MAX_SECONDS = 3600, 600, 1 << 32
POD_SECONDS, YEAR = 3607, 365 * 24 * 3600
"""The lifetime that admission writes into Pods; such a token really lives for a year, and says when it should be renewed."""


def create_token(server: ApiServer, info: RequestInfo, request: Request) -> Response:
    """201 and the TokenRequest with its token. Raises NotFound, Invalid, BadRequest, Conflict."""
    allow(info, "create")
    asked = read_body(request, GROUP, "v1", "TokenRequest")
    account = server.registry.get(ACCOUNTS, info.namespace, info.name)
    spec = asked.setdefault("spec", {})
    seconds = spec["expirationSeconds"] = spec.get("expirationSeconds") or DEFAULT_SECONDS
    if causes := _faults(seconds):
        raise Invalid.object("TokenRequest", GROUP, "", causes)
    server.admission.validate(
        Attributes("CREATE", ACCOUNTS, info.namespace, info.name, "token", asked, None, request.user or ANONYMOUS)
    )
    bound = _bound(server, info, spec.get("boundObjectRef"))
    spec["audiences"] = spec.get("audiences") or list(AUDIENCES)
    now = server.clock.now()
    identity = server.chance.uid("token", (server.store.revision, now, info.namespace, info.name, str(spec)))
    extended = seconds == POD_SECONDS and "pod" in bound and spec["audiences"] == list(AUDIENCES)
    claims = claims_of(account, bound, spec["audiences"], now, YEAR if extended else seconds, identity)
    if extended:
        claims["kubernetes.io"]["warnafter"] = claims["iat"] + seconds
    asked["metadata"] |= {
        "name": info.name, "namespace": info.namespace, "creationTimestamp": to_rfc3339(now)
    }  # fmt: skip
    asked["status"] = {"token": server.authenticator.key.sign(claims), "expirationTimestamp": to_rfc3339(now + seconds)}
    return Response(201, object=asked)


def _faults(seconds: int) -> list[Cause]:
    path = "spec.expirationSeconds"
    if seconds < MIN_SECONDS:
        return [invalid(path, seconds, "may not specify a duration less than 10 minutes")]
    if seconds > MAX_SECONDS:
        return [invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")]
    return []


def _bound(server: ApiServer, info: RequestInfo, reference: JsonObject | None) -> dict[str, JsonObject]:
    """The objects that the token will be bound to, by kind in small letters."""
    if not reference:
        return {}
    kind, name = reference.get("kind", ""), reference.get("name", "")
    api_version = reference.get("apiVersion") or "v1"
    resource = KINDS.get(kind) if api_version == "v1" else None
    if resource is None:
        group, _, version = api_version.rpartition("/")
        raise BadRequest(f"cannot bind token to object of type {group}/{version}, Kind={kind}")
    obj = server.registry.get(resource, info.namespace if resource.namespaced else "", name)
    uid = obj["metadata"]["uid"]
    if reference.get("uid") and reference["uid"] != uid:
        why = (
            f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise Conflict.named("", kind, name, why)
    if kind != "Pod":
        return {kind.lower(): obj}
    runs_as = obj["spec"].get("serviceAccountName", "")
    if runs_as != info.name:
        raise BadRequest(
            f'cannot bind token for serviceaccount "{info.name}" to pod running with different serviceaccount name.'
        )
    node = server.registry.find(NODES, "", obj["spec"].get("nodeName") or "") if obj["spec"].get("nodeName") else None
    return {"pod": obj} | ({"node": node} if node is not None else {})
