"""ServiceAccount: every Pod runs as somebody, and finds in a file how to prove it.

The account must be there. Its token, the cluster's certificate and the namespace are mounted into every container, as one
projected volume, unless Pod or account say `automountServiceAccountToken: false`; and the account's pull secrets are the
Pod's, if it has none of its own.

Models: plugin/pkg/admission/serviceaccount/admission.go.
"""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.admission.attributes import CREATE, Attributes
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import RESOURCES
from k8slab.clock import from_rfc3339

LEFT_OUT = (
    "In a namespace that is only seconds old the account `default` counts as made; upstream waits for it.",
    "The annotation `kubernetes.io/enforce-mountable-secrets` is not looked at.",
)

ACCOUNTS, NAMESPACES = RESOURCES["", "serviceaccounts"], RESOURCES["", "namespaces"]
MIRROR = "kubernetes.io/config.mirror"
VOLUME_PREFIX = "kube-api-access-"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 3607
"""An hour, and a little more, by which such tokens are known."""
ROOT_CA = "kube-root-ca.crt"
PATIENCE = 2.0


def service_account(attributes: Attributes, registry: Registry) -> None:
    """A Pod that names no service account runs as `default`. Raises Forbidden if the account is not there."""
    if not attributes.is_about("pods", CREATE) or attributes.object is None:
        return
    pod = attributes.object
    if MIRROR in (pod["metadata"].get("annotations") or {}):
        return
    spec = pod["spec"]
    name = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = registry.find(ACCOUNTS, attributes.namespace, name)
    if account is None and name == "default" and _is_new(attributes.namespace, registry):
        account = {}
    if account is None:
        where = f"error looking up service account {attributes.namespace}/{name}"
        raise attributes.forbidden(f'{where}: serviceaccount "{name}" not found')
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(secret) for secret in account["imagePullSecrets"]]
    if _first(spec.get("automountServiceAccountToken"), account.get("automountServiceAccountToken"), True):
        _mount_token(attributes, registry, spec)


def _is_new(namespace: str, registry: Registry) -> bool:
    """Whether the controller may not have got round to a namespace's default account.

    Upstream waits for it, a second or two, while the request waits. Here nobody can be waited for: so in a namespace that is
    younger, the account counts as made.
    """
    found = registry.find(NAMESPACES, "", namespace)
    born = found["metadata"].get("creationTimestamp") if found else None
    return born is not None and registry.clock.now() - from_rfc3339(born) <= PATIENCE


def _first(*wishes: Any) -> Any:
    """The Pod's wish counts before the account's."""
    return next(wish for wish in wishes if wish is not None)


def _mount_token(attributes: Attributes, registry: Registry, spec: JsonObject) -> None:
    volumes = spec.get("volumes") or []
    there = next((volume["name"] for volume in volumes if volume["name"].startswith(VOLUME_PREFIX)), "")
    uid = (attributes.object or {})["metadata"].get("uid", "")
    name = there or VOLUME_PREFIX + registry.chance.suffix(
        VOLUME_PREFIX, (attributes.namespace, attributes.name, uid)
    )  # fmt: skip
    needed = False
    for kind in ("initContainers", "containers"):
        for place, container in enumerate(spec.get(kind) or []):
            mounts = container.get("volumeMounts") or []
            if all(mount.get("mountPath") != MOUNT_PATH for mount in mounts):
                needed = True
                mount = {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}
                # Another dict: whoever made two Pods of one list of containers means two Pods.
                spec[kind] = [*spec[kind]]
                spec[kind][place] = {**container, "volumeMounts": [*mounts, mount]}
    if needed and not there:
        spec["volumes"] = [*volumes, _volume(name)]


def _volume(name: str) -> JsonObject:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": ROOT_CA, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": 0o644}}
