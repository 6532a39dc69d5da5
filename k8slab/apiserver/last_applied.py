"""From client-side apply to server-side apply, and back: the annotation in which kubectl keeps what it applied last.

Who goes from `kubectl apply` to `kubectl apply --server-side` would meet conflicts with himself: the same fields are owned by
`kubectl-client-side-apply`. So for the manager `kubectl`, and only for it, what the annotation says and the object still has
is no conflict; and the annotation is kept up to date, so that `kubectl apply` can be used again.

Models: k8s.io/apimachinery/pkg/util/managedfields/internal (lastapplied.go, lastappliedmanager.go, lastappliedupdater.go).
"""

from __future__ import annotations

import orjson

from k8slab.apimachinery.applying import ApplyConflict
from k8slab.apimachinery.fields_of import compare, fields_of
from k8slab.apimachinery.fieldset import LEAF, FieldSet, difference
from k8slab.apimachinery.inapplicable import faults
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.typed import Type

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
KUBECTL = "kubectl"
MAX_ANNOTATIONS = 256 * 1024


def last_applied(obj: JsonObject) -> str:
    """The annotation; empty where there is none."""
    return str((obj["metadata"].get("annotations") or {}).get(ANNOTATION) or "")


def remaining_conflicts(type_: Type, live: JsonObject, fault: ApplyConflict) -> ApplyConflict | None:
    """The conflicts that the annotation does not explain; None where it explains all."""
    allowed = _still_applied(type_, live)
    left = [(entry, rest) for entry, fields in fault.conflicts if (rest := difference(fields, allowed))]
    return ApplyConflict(left) if left else None


def _still_applied(type_: Type, live: JsonObject) -> FieldSet:
    """What client-side apply applied last, and the object still has."""
    try:
        config = orjson.loads(last_applied(live))
    except orjson.JSONDecodeError:
        return LEAF
    if not isinstance(config, dict) or config.get("apiVersion") != live["apiVersion"] or faults(type_, config):
        return LEAF
    changed, removed = compare(type_, config, live)
    return difference(difference(fields_of(type_, config), changed), removed)


def with_last_applied(obj: JsonObject, config: JsonObject) -> JsonObject:
    """The object with the annotation as it would be after a client-side apply of the configuration."""
    annotations = {k: v for k, v in (config["metadata"].get("annotations") or {}).items() if k != ANNOTATION}
    meta = {**config["metadata"], "annotations": annotations}
    text = orjson.dumps({**config, "metadata": meta}, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    now = {**(obj["metadata"].get("annotations") or {}), ANNOTATION: text}
    if sum(len(key) + len(value) for key, value in now.items()) > MAX_ANNOTATIONS:
        now[ANNOTATION] = ""
    return {**obj, "metadata": {**obj["metadata"], "annotations": now}}
