"""The rules of metadata, the same for all kinds.

Models: k8s.io/apimachinery/pkg/api/validation/objectmeta.go, pkg/util/validation/validation.go.
"""

from __future__ import annotations

import re
from typing import Any

from k8slab.apimachinery.errors import Cause, forbidden, invalid, required
from k8slab.apimachinery.labels import validate_label_key, validate_label_value
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.resources import ResourceInfo

LABEL, SUBDOMAIN, DNS1035, PATH_SEGMENT = "label", "subdomain", "1035", "path"

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_RULES: dict[str, tuple[re.Pattern[str], int, str]] = {
    LABEL: (
        re.compile(_LABEL), 63,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
        "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ),
    SUBDOMAIN: (
        re.compile(_SUBDOMAIN), 253,
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
        "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ),
    DNS1035: (
        re.compile(_DNS1035), 63,
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and "
        "end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
        "'[a-z]([-a-z0-9]*[a-z0-9])?')",
    ),
}  # fmt: skip
_NAME_RULES = {
    ("", "namespaces"): LABEL,
    ("", "services"): DNS1035,
    ("rbac.authorization.k8s.io", "roles"): PATH_SEGMENT,
    ("rbac.authorization.k8s.io", "clusterroles"): PATH_SEGMENT,
    ("rbac.authorization.k8s.io", "rolebindings"): PATH_SEGMENT,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): PATH_SEGMENT,
    ("certificates.k8s.io", "certificatesigningrequests"): SUBDOMAIN,
    ("networking.k8s.io", "ipaddresses"): PATH_SEGMENT,
}
MAX_ANNOTATIONS = 256 * 1024
GC_FINALIZERS = ("orphan", "foregroundDeletion")
BANNED_OWNERS = (("v1", "Event"),)
STANDARD_FINALIZERS = ("kubernetes", *GC_FINALIZERS)


def name_faults(name: str, rule: str) -> list[str]:
    """What is wrong with a name, in upstream's words; empty if nothing is."""
    if rule == PATH_SEGMENT:
        if name in (".", ".."):
            return [f"may not be '{name}'"]
        return [f"may not contain '{sign}'" for sign in "/%" if sign in name]
    pattern, longest, text = _RULES[rule]
    faults = [f"must be no more than {longest} bytes"] if len(name.encode()) > longest else []
    return faults if pattern.fullmatch(name) else [*faults, text]


def validate_metadata(obj: JsonObject, resource: ResourceInfo) -> list[Cause]:
    """What is wrong with an object's metadata."""
    meta = obj["metadata"]
    rule = _NAME_RULES.get(resource.group_plural, SUBDOMAIN)
    causes: list[Cause] = []
    prefix, name = meta.get("generateName", ""), meta.get("name", "")
    if prefix:
        masked = prefix[:-1] + "a" if prefix.endswith("-") else prefix
        causes += [invalid("metadata.generateName", prefix, fault) for fault in name_faults(masked, rule)]
    if not name:
        causes.append(required("metadata.name", "name or generateName is required"))
    else:
        causes += [invalid("metadata.name", name, fault) for fault in name_faults(name, rule)]
    if resource.namespaced:
        namespace = meta.get("namespace", "")
        causes += [invalid("metadata.namespace", namespace, fault) for fault in name_faults(namespace, LABEL)]
    causes += label_causes("metadata.labels", meta.get("labels") or {})
    causes += _annotation_causes(meta.get("annotations") or {})
    causes += _owner_causes(meta.get("ownerReferences") or [])
    causes += _finalizer_causes(meta.get("finalizers") or [])
    return causes


def label_causes(path: str, labels: dict[str, Any]) -> list[Cause]:
    """What is wrong with a map of labels."""
    causes = []
    for key, value in labels.items():
        causes += [invalid(path, key, fault) for fault in validate_label_key(key)]
        causes += [invalid(path, value, fault) for fault in validate_label_value(value)]
    return causes


def validate_metadata_update(obj: JsonObject, old: JsonObject, resource: ResourceInfo) -> list[Cause]:
    """What is wrong with a change of metadata, besides what is wrong with it anyway."""
    causes = validate_metadata(obj, resource)
    before, now = old["metadata"].get("finalizers") or [], obj["metadata"].get("finalizers") or []
    added = [each for each in now if each not in before]
    if added and old["metadata"].get("deletionTimestamp"):
        text = (
            f"no new finalizers can be added if the object is being deleted, found new finalizers {go_strings(added)}"
        )
        causes.append(forbidden("metadata.finalizers", text))
    return causes


def go_strings(items: list[str]) -> str:
    """A list of strings as Go prints it with %#v."""
    return "[]string{" + ", ".join(f'"{item}"' for item in items) + "}"


def _annotation_causes(annotations: dict[str, Any]) -> list[Cause]:
    causes = []
    for key in annotations:
        causes += [invalid("metadata.annotations", key, fault) for fault in validate_label_key(key.lower())]
    size = sum(len(key) + len(value) for key, value in annotations.items())
    if size > MAX_ANNOTATIONS:
        causes.append(
            Cause(
                "metadata.annotations", "FieldValueTooLong", f"Too long: may not be more than {MAX_ANNOTATIONS} bytes"
            )
        )
    return causes


def _owner_causes(owners: list[JsonObject]) -> list[Cause]:
    causes = []
    controllers = []
    for number, owner in enumerate(owners):
        path = f"metadata.ownerReferences[{number}]"
        for field, what in (("apiVersion", "version"), ("kind", "must not be empty"), ("name", ""), ("uid", "")):
            if not owner.get(field):
                text = f"{what} must not be empty" if what == "version" else what or "must not be empty"
                causes.append(invalid(f"{path}.{field}", owner.get(field, ""), text))
        if (owner.get("apiVersion"), owner.get("kind")) in BANNED_OWNERS:
            causes.append(invalid(path, owner, f"/v1, Kind={owner['kind']} is disallowed from being an owner"))
        if owner.get("controller"):
            controllers.append(owner)
    if len(controllers) > 1:
        first, second = controllers[:2]
        text = (
            f"Only one reference can have Controller set to true. Found \"true\" in references for "
            f"{first.get('kind')}/{first.get('name')} and {second.get('kind')}/{second.get('name')}"
        )  # fmt: skip
        causes.append(invalid("metadata.ownerReferences", owners, text))
    return causes


def _finalizer_causes(finalizers: list[str]) -> list[Cause]:
    causes = []
    for finalizer in finalizers:
        causes += [invalid("metadata.finalizers", finalizer, fault) for fault in validate_label_key(finalizer)]
        if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            causes.append(invalid("metadata.finalizers", finalizer, text))
    if all(each in finalizers for each in GC_FINALIZERS):
        text = "finalizer orphan and foregroundDeletion cannot be both set"
        causes.append(invalid("metadata.finalizers", finalizers, text))
    return causes
