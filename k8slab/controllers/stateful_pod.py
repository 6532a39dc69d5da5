"""The Pod of an ordinal: a name, a host name and claims that its successor will have too.

Models: pkg/controller/statefulset/stateful_set_utils.go (newStatefulSetPod, updateIdentity, updateStorage,
getPersistentVolumeClaims), pkg/controller/controller_utils.go (GetPodFromTemplate).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8slab.api.apps import StatefulSet
from k8slab.api.core import Pod
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.client.controller_ref import reference_to
from k8slab.controllers.history import POD_LABEL

NAME_LABEL, INDEX_LABEL = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


def identity_labels(name: str, ordinal: int) -> dict[str, str]:
    """By these a Service can choose one Pod."""
    return {NAME_LABEL: name, INDEX_LABEL: str(ordinal)}


def stateful_pod(stateful: StatefulSet, template: JsonObject, revision: str, ordinal: int) -> JsonObject:
    """The body of the Pod of an ordinal, in a version of the template."""
    name = f"{stateful.name}-{ordinal}"
    meta = template.get("metadata") or {}
    metadata: dict[str, Any] = {
        "name": name,
        **{key: copy_of(meta[key]) for key in ("labels", "annotations", "finalizers") if meta.get(key)},
        "ownerReferences": [reference_to(stateful)],
    }
    metadata["labels"] = {**metadata.get("labels", {}), **identity_labels(name, ordinal), POD_LABEL: revision}
    spec: dict[str, Any] = copy_of(template.get("spec") or {})
    spec["hostname"], spec["subdomain"] = name, stateful.spec.service_name
    own = {
        volume: {"name": volume, "persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}}
        for volume, claim in claims_of(stateful, ordinal)
    }
    if own:
        kept = [volume for volume in spec.get("volumes") or () if volume["name"] not in own]
        spec["volumes"] = [*own.values(), *kept]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def claims_of(stateful: StatefulSet, ordinal: int) -> Iterator[tuple[str, JsonObject]]:
    """The claims of an ordinal, by the volume that uses each."""
    for template in stateful.spec.volume_claim_templates:
        volume = template["metadata"]["name"]
        claim: dict[str, Any] = {key: copy_of(value) for key, value in template.items() if key != "status"}
        labels = {**(template["metadata"].get("labels") or {}), **(stateful.spec.selector.get("matchLabels") or {})}
        claim["metadata"] = {
            "name": f"{volume}-{stateful.name}-{ordinal}",
            "labels": labels,
            **{key: value for key, value in template["metadata"].items() if key == "annotations"},
        }
        yield volume, claim


def claim_owners(stateful: StatefulSet, condemned: Pod | None) -> list[JsonObject]:
    """Whose going takes a claim along, by the set's retention policy: the set's own, or the Pod's that is scaled away."""
    policy = stateful.spec.persistent_volume_claim_retention_policy
    if condemned is not None and policy.when_scaled == "Delete":
        return [_owner("v1", "Pod", condemned.name, condemned.uid)]
    if policy.when_deleted == "Delete":
        return [_owner("apps/v1", "StatefulSet", stateful.name, stateful.uid, controller=True)]
    return []


def _owner(api_version: str, kind: str, name: str, uid: str, controller: bool = False) -> JsonObject:
    reference: JsonObject = {"apiVersion": api_version, "kind": kind, "name": name, "uid": uid}
    return {**reference, "controller": True} if controller else reference
