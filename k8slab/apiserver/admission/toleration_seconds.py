"""DefaultTolerationSeconds: a Pod stays a while on a node in trouble.

Models: plugin/pkg/admission/defaulttolerationseconds/admission.go.
"""

from __future__ import annotations

from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.admission.attributes import CREATE, UPDATE, Attributes
from k8slab.apiserver.registry import Registry

LEFT_OUT = ("It is 300 seconds; upstream has flags for that.",)

TOLERATION_SECONDS = 300
_TROUBLES = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def tolerate_short_troubles(attributes: Attributes, registry: Registry) -> None:
    """A Pod stays for five minutes on a node that is not ready or not reachable, unless it says otherwise."""
    if not attributes.is_about("pods", CREATE, UPDATE) or attributes.object is None:
        return
    spec = attributes.object["spec"]
    tolerations = spec.get("tolerations") or []
    for key in _TROUBLES:
        if not any(_tolerates(toleration, key) for toleration in tolerations):
            toleration = {
                "key": key,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": TOLERATION_SECONDS,
            }
            tolerations = [*tolerations, toleration]
    spec["tolerations"] = tolerations


def _tolerates(toleration: JsonObject, key: str) -> bool:
    return toleration.get("key", "") in (key, "") and toleration.get("effect", "") in ("NoExecute", "")
