"""CertificateSigningRequests: who asks for a certificate is who the server says it is, whatever the request claims.

Upstream does this in the strategy of the kind; here only admission knows who asks.

Models: pkg/registry/certificates/certificates/strategy.go (PrepareForCreate).
"""

from __future__ import annotations

from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.admission.attributes import CREATE, Attributes
from k8slab.apiserver.registry import Registry

LEFT_OUT = ("Requests for certificates are kept and can be approved, and nobody signs them.",)

CLAIMS = ("username", "uid", "groups", "extra")


def name_requester(attributes: Attributes, registry: Registry) -> None:
    """Write into a new request who makes it. It begins without a status: nobody approves their own in passing."""
    obj, user = attributes.object, attributes.user
    if attributes.resource.plural != "certificatesigningrequests" or attributes.operation != CREATE or obj is None:
        return
    obj.pop("status", None)
    spec: JsonObject = {key: value for key, value in (obj.get("spec") or {}).items() if key not in CLAIMS}
    extra = {key: list(values) for key, values in user.extra.items()}
    known = {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": extra}
    obj["spec"] = spec | {key: value for key, value in known.items() if value}
