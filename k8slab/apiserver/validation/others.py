"""The rules of configuration, storage, access and the rest.

Models: pkg/apis/core/validation/validation.go (ValidateSecret, ValidatePersistentVolume, ...), pkg/apis/rbac/validation,
pkg/apis/networking/validation, pkg/apis/coordination/validation, pkg/apis/scheduling/validation.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from k8slab.apimachinery.errors import Cause, forbidden, invalid, not_supported, required
from k8slab.apimachinery.quantity import parse_quantity
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.validation.common import NOT_NEGATIVE, label_selector

MAX_DATA = 1024 * 1024
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_CONFIG_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


def _data_causes(obj: JsonObject, *fields: str) -> Iterator[Cause]:
    size, seen = 0, set()
    for field in fields:
        for key, value in (obj.get(field) or {}).items():
            yield from (invalid(f"{field}[{key}]", key, fault) for fault in _key_faults(key))
            if key in seen:
                yield invalid(f"{field}[{key}]", key, "duplicate of key present in data")
            seen.add(key)
            size += len(value)
    if size > MAX_DATA * (4 / 3 if "type" in obj else 1):
        yield Cause("data", "FieldValueTooLong", f"Too long: may not be more than {MAX_DATA} bytes")


def _key_faults(key: str) -> Iterator[str]:
    if len(key) > 253:
        yield "must be no more than 253 characters"
    if not _CONFIG_KEY.fullmatch(key):
        yield _CONFIG_KEY_TEXT
    elif key in (".", ".."):
        yield f"must not be '{key}'"
    elif key.startswith(".."):
        yield "must not start with '..'"


def validate_config_map(obj: JsonObject) -> list[Cause]:
    """What is wrong with a ConfigMap."""
    return list(_data_causes(obj, "data", "binaryData"))


_SECRET_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def validate_secret(obj: JsonObject) -> list[Cause]:
    """What is wrong with a Secret."""
    causes, data = list(_data_causes(obj, "data")), obj.get("data") or {}
    for key, value in data.items():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            causes.append(invalid(f"data[{key}]", "<redacted>", "illegal base64 data"))
    causes += [required(f"data[{key}]") for key in _SECRET_KEYS.get(obj.get("type", ""), ()) if key not in data]
    if obj.get("type") == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        causes += [required("data[username]"), required("data[password]")]
    return causes


def validate_quota(obj: JsonObject) -> list[Cause]:
    """What is wrong with a ResourceQuota."""
    hard = (obj.get("spec") or {}).get("hard") or {}
    return [invalid(f"spec.hard[{name}]", str(value), NOT_NEGATIVE) for name, value in hard.items() if _negative(value)]


def _negative(value: Any) -> bool:
    try:
        return parse_quantity(value) < 0
    except ValueError:
        return False


def validate_lease(obj: JsonObject) -> list[Cause]:
    """What is wrong with a Lease."""
    spec: JsonObject = obj.get("spec") or {}
    causes: list[Cause] = []
    if spec.get("leaseDurationSeconds") is not None and spec["leaseDurationSeconds"] <= 0:
        causes.append(invalid("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0"))
    if (spec.get("leaseTransitions") or 0) < 0:
        causes.append(invalid("spec.leaseTransitions", spec["leaseTransitions"], NOT_NEGATIVE))
    return causes


def validate_claim(obj: JsonObject) -> list[Cause]:
    """What is wrong with a PersistentVolumeClaim."""
    spec, causes = obj["spec"], []
    if not spec.get("accessModes"):
        causes.append(required("spec.accessModes", "at least 1 access mode is required"))
    if "storage" not in ((spec.get("resources") or {}).get("requests") or {}):
        causes.append(required("spec.resources[storage]"))
    return causes + list(label_selector(spec.get("selector") or {}, "spec.selector"))


def validate_volume(obj: JsonObject) -> list[Cause]:
    """What is wrong with a PersistentVolume."""
    spec, causes = obj["spec"], []
    if not spec.get("accessModes"):
        causes.append(required("spec.accessModes"))
    if not spec.get("capacity"):
        causes.append(required("spec.capacity"))
    return causes


def validate_ingress(obj: JsonObject) -> list[Cause]:
    """What is wrong with an Ingress."""
    spec, causes = obj.get("spec") or {}, []
    if not spec.get("rules") and not spec.get("defaultBackend"):
        causes.append(invalid("spec", spec, "either `defaultBackend` or `rules` must be specified"))
    for number, rule in enumerate(spec.get("rules") or []):
        for index, path in enumerate((rule.get("http") or {}).get("paths") or []):
            where = f"spec.rules[{number}].http.paths[{index}]"
            kinds = ("Exact", "ImplementationSpecific", "Prefix")
            if not path.get("pathType"):
                causes.append(required(f"{where}.pathType", "pathType must be specified"))
            elif path["pathType"] not in kinds:
                causes.append(not_supported(f"{where}.pathType", path["pathType"], kinds))
            elif path["pathType"] != "ImplementationSpecific" and not (path.get("path") or "").startswith("/"):
                causes.append(invalid(f"{where}.path", path.get("path") or "", "must be an absolute path"))
    return causes


def validate_role(obj: JsonObject) -> list[Cause]:
    """What is wrong with a Role or ClusterRole."""
    causes: list[Cause] = []
    for number, rule in enumerate(obj.get("rules") or []):
        path = f"rules[{number}]"
        if not rule.get("verbs"):
            causes.append(required(f"{path}.verbs", "verbs must contain at least one value"))
        if rule.get("nonResourceURLs"):
            if obj.get("kind") == "Role":
                text = "namespaced rules cannot apply to non-resource URLs"
                causes.append(invalid(f"{path}.nonResourceURLs", rule["nonResourceURLs"], text))
            if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
                text = "rules cannot apply to both regular resources and non-resource URLs"
                causes.append(invalid(f"{path}.nonResourceURLs", rule["nonResourceURLs"], text))
            continue
        for field, what in (("apiGroups", "api group"), ("resources", "resource")):
            if not rule.get(field):
                causes.append(required(f"{path}.{field}", f"resource rules must supply at least one {what}"))
    return causes


def validate_role_binding(obj: JsonObject) -> list[Cause]:
    """What is wrong with a RoleBinding or ClusterRoleBinding."""
    reference, causes = obj.get("roleRef") or {}, []
    kinds = ("Role", "ClusterRole") if obj.get("kind") == "RoleBinding" else ("ClusterRole",)
    if reference.get("kind") not in kinds:
        causes.append(not_supported("roleRef.kind", reference.get("kind", ""), kinds))
    if not reference.get("name"):
        causes.append(required("roleRef.name"))
    for number, subject in enumerate(obj.get("subjects") or []):
        path = f"subjects[{number}]"
        if not subject.get("name"):
            causes.append(required(f"{path}.name"))
        if subject.get("kind") not in ("ServiceAccount", "User", "Group"):
            causes.append(not_supported(f"{path}.kind", subject.get("kind", ""), ("ServiceAccount", "User", "Group")))
        elif subject["kind"] == "ServiceAccount" and not subject.get("namespace"):
            causes.append(required(f"{path}.namespace"))
    return causes


MAX_USER_PRIORITY = 1_000_000_000


def validate_priority_class(obj: JsonObject) -> list[Cause]:
    """What is wrong with a PriorityClass."""
    name, causes = obj["metadata"].get("name", ""), []
    known = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
    if name.startswith("system-"):
        if known.get(name) != obj.get("value", 0):
            text = "priority class names with 'system-' prefix are reserved for system use only"
            causes.append(forbidden("metadata.name", text))
    elif obj.get("value", 0) > MAX_USER_PRIORITY:
        text = f"maximum allowed value of a user defined priority is {MAX_USER_PRIORITY}"
        causes.append(forbidden("value", text))
    if obj.get("preemptionPolicy") not in ("Never", "PreemptLowerPriority"):
        choices = ("PreemptLowerPriority", "Never")
        causes.append(not_supported("preemptionPolicy", obj.get("preemptionPolicy", ""), choices))
    return causes
