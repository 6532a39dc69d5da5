"""What every cluster and every namespace has, before anybody has made anything in it.

Default roles, default accounts and the certificate for Pods are objects like others; but in a picture of what somebody has
made they would only be in the way. They are shown where they are asked for by kind. k8slab's own.
"""

from __future__ import annotations

from k8slab.apimachinery.rest import JsonObject

EVERYWHERE = frozenset({("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")})
BOOTSTRAPPING = "kubernetes.io/bootstrapping"


def is_furniture(kind: str, obj: JsonObject) -> bool:
    """Whether an object was there before anybody came."""
    meta = obj["metadata"]
    return (kind, meta["name"]) in EVERYWHERE or BOOTSTRAPPING in (meta.get("labels") or {})
