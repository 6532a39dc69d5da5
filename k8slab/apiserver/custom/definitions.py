"""CustomResourceDefinitions themselves: what a sound one says, and what may change of it.

A definition begins with an empty status but for `storedVersions`, the versions in which objects may be stored. Its
controller (`controllers/custom_resource_definition.py`) accepts its names and establishes it; from then on the server
serves it (`served.py`). One that is deleted keeps a finalizer until its objects are gone.

Models: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go,
pkg/registry/customresourcedefinition/strategy.go, etcd.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8slab.apimachinery.errors import Cause, duplicate, invalid, not_supported, required
from k8slab.apimachinery.jsonpath import parse_jsonpath
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.custom.structural import has_rules, schema_faults, unknown_formats
from k8slab.apiserver.metadata import DNS1035, SUBDOMAIN, name_faults
from k8slab.apiserver.strategies.base import IMMUTABLE, CountedWithStatus

LEFT_OUT = (
    "Conversion webhooks are not called: a definition that asks for one is refused.",
    "`x-kubernetes-validations` are stored and shown, but their CEL rules are not evaluated: a `Warning` says so.",
    "A definition in a group and version that is built in is accepted, and not served.",
    "Of the limits on the size and cost of a schema none is kept.",
)

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
APPROVED = "api-approved.kubernetes.io"
PROTECTED_GROUPS = ("k8s.io", "kubernetes.io")
COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
MAX_SELECTABLE_FIELDS = 8
SERVED_ELSEWHERE = "is not called by k8slab: only None is served"


class DefinitionStrategy(CountedWithStatus):
    """The rules of CustomResourceDefinitions."""

    deletion_finalizers = (CLEANUP_FINALIZER,)

    def prepare_for_create(self, obj: JsonObject) -> None:
        """Begin with no names accepted, and no condition."""
        names = {"plural": "", "kind": ""}
        obj["status"] = {"conditions": None, "acceptedNames": names, "storedVersions": _storage_versions(obj)}

    def prepare_for_update(self, obj: JsonObject, old: JsonObject) -> None:
        """Note the version in which objects are stored from now on."""
        status = old.get("status") or {}
        stored = status.get("storedVersions") or []
        new = [each for each in _storage_versions(obj) if each not in stored]
        if new:
            obj["status"] = {**status, "storedVersions": [*stored, *new]}

    def begin_deletion(self, obj: JsonObject, now: str) -> None:
        """Say that its objects will go first."""
        condition = {
            "type": "Terminating",
            "status": "True",
            "lastTransitionTime": now,
            "reason": "InstanceDeletionPending",
            "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        }
        status = obj.get("status") or {}
        others = [each for each in status.get("conditions") or [] if each.get("type") != "Terminating"]
        obj["status"] = {**status, "conditions": [*others, condition]}

    def warnings(self, obj: JsonObject, old: JsonObject | None) -> list[str]:
        """What k8slab does not do, and what nobody does."""
        before = _schemas(old) if old is not None else []
        known = {form for schema in before for form in unknown_formats(schema)}
        formats = dict.fromkeys(form for schema in _schemas(obj) for form in unknown_formats(schema))
        found = [f'unrecognized format "{form}"' for form in formats if form not in known]
        if any(has_rules(schema) for schema in _schemas(obj)) and not any(has_rules(schema) for schema in before):
            found.append("x-kubernetes-validations is stored, but its CEL rules are not evaluated by k8slab")
        return found

    def validate(self, obj: JsonObject) -> list[Cause]:
        """What is wrong with a definition."""
        return [*_metadata_faults(obj), *_spec_faults(obj["spec"]), *_stored_version_faults(obj)]

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """The same; and an established definition keeps its scope and kind."""
        found = self.validate(obj)
        conditions = (old.get("status") or {}).get("conditions") or []
        established = any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
        fixed = (("scope",), ("names", "kind")) if established else ()
        for path in (*fixed, ("group",), ("names", "plural")):
            value, before = _at(obj["spec"], path), _at(old["spec"], path)
            if value != before:
                found.append(invalid("spec." + ".".join(path), value, IMMUTABLE))
        return found

    def validate_status_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """The names that were accepted are names."""
        return list(_names_faults((obj.get("status") or {}).get("acceptedNames") or {}, "status.acceptedNames"))


def _at(obj: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        obj = obj.get(part) if isinstance(obj, dict) else None
    return obj


def _storage_versions(crd: JsonObject) -> list[str]:
    return [each["name"] for each in crd["spec"].get("versions") or [] if each.get("storage")]


def _schemas(crd: JsonObject) -> list[JsonObject]:
    versions = crd["spec"].get("versions") or []
    return [(each.get("schema") or {}).get("openAPIV3Schema") or {} for each in versions]


def _metadata_faults(crd: JsonObject) -> Iterator[Cause]:
    spec, name = crd["spec"], crd["metadata"].get("name", "")
    group = spec.get("group", "")
    if name != f"{(spec.get('names') or {}).get('plural', '')}.{group}":
        yield invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    if any(group == each or group.endswith("." + each) for each in PROTECTED_GROUPS):
        approval = (crd["metadata"].get("annotations") or {}).get(APPROVED, "")
        where = f"metadata.annotations[{APPROVED}]"
        if not approval:
            text = 'protected groups must have approval annotation "api-approved.kubernetes.io", see '
            yield required(where, text + "https://github.com/kubernetes/enhancements/pull/1111")
        elif not approval.startswith(("unapproved", "http://", "https://")):
            text = 'protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a '
            yield invalid(
                where,
                approval,
                text + 'reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111',
            )


def _spec_faults(spec: JsonObject) -> Iterator[Cause]:
    group = spec.get("group", "")
    if not group:
        yield required("spec.group")
    elif wrong := name_faults(group, SUBDOMAIN):
        yield invalid("spec.group", group, ",".join(wrong))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")
    scope = spec.get("scope", "")
    if not scope:
        yield required("spec.scope")
    elif scope not in ("Cluster", "Namespaced"):
        yield not_supported("spec.scope", scope, ("Cluster", "Namespaced"))
    if spec.get("preserveUnknownFields"):
        text = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        yield invalid("spec.preserveUnknownFields", True, text)
    strategy = (spec.get("conversion") or {}).get("strategy", "None")
    if strategy not in ("None", "Webhook"):
        yield not_supported("spec.conversion.strategy", strategy, ("None", "Webhook"))
    elif strategy == "Webhook":
        yield invalid("spec.conversion.strategy", strategy, "a conversion webhook " + SERVED_ELSEWHERE)
    yield from _versions_faults(spec.get("versions") or [])
    names = spec.get("names") or {}
    for field in ("plural", "singular", "kind", "listKind"):
        if not names.get(field):
            yield required(f"spec.names.{field}")
    yield from _names_faults(names, "spec.names")


def _versions_faults(versions: list[JsonObject]) -> Iterator[Cause]:
    names = [each.get("name", "") for each in versions]
    for index, name in enumerate(names):
        if wrong := name_faults(name, DNS1035):
            yield invalid(f"spec.versions[{index}].name", name, ",".join(wrong))
    if len(set(names)) != len(names):
        yield invalid("spec.versions", versions, "must contain unique version names")
    if sum(bool(each.get("storage")) for each in versions) != 1:
        yield invalid("spec.versions", versions, "must have exactly one version marked as storage version")
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            yield required(f"{path}.schema.openAPIV3Schema", "schemas are required")
        else:
            yield from schema_faults(schema, f"{path}.schema.openAPIV3Schema")
        yield from _subresource_faults(version.get("subresources") or {}, f"{path}.subresources")
        for number, column in enumerate(version.get("additionalPrinterColumns") or []):
            yield from _column_faults(column, f"{path}.additionalPrinterColumns[{number}]")
        yield from _selectable_faults(version.get("selectableFields") or [], schema or {}, f"{path}.selectableFields")
        if version.get("deprecationWarning") is not None and not version.get("deprecated"):
            text = "can only be set for deprecated versions"
            yield invalid(f"{path}.deprecationWarning", version["deprecationWarning"], text)


def _names_faults(names: JsonObject, path: str) -> Iterator[Cause]:
    for field in ("plural", "singular"):
        value = names.get(field) or ""
        if value and (wrong := name_faults(value, DNS1035)):
            yield invalid(f"{path}.{field}", value, ",".join(wrong))
    for field in ("kind", "listKind"):
        value = names.get(field) or ""
        if value and (wrong := name_faults(value.lower(), DNS1035)):
            yield invalid(
                f"{path}.{field}", value, "may have mixed case, but should otherwise match: " + ",".join(wrong)
            )
    for field in ("shortNames", "categories"):
        for index, value in enumerate(names.get(field) or []):
            if wrong := name_faults(value, DNS1035):
                yield invalid(f"{path}.{field}[{index}]", value, ",".join(wrong))
    if names.get("kind") and names["kind"] == names.get("listKind"):
        yield invalid(f"{path}.listKind", names["listKind"], "kind and listKind may not be the same")


def _subresource_faults(parts: JsonObject, path: str) -> Iterator[Cause]:
    scale = parts.get("scale")
    if scale is None:
        return
    for field, below, needed in (
        ("specReplicasPath", ".spec.", True), ("statusReplicasPath", ".status.", True), ("labelSelectorPath", "", False),
    ):  # fmt: skip
        value, where = scale.get(field) or "", f"{path}.scale.{field}"
        if not value:
            if needed:
                yield required(where)
        elif not value.startswith("."):
            yield invalid(where, value, "must be a simple json path starting with .")
        elif below and not value.startswith(below):
            yield invalid(where, value, f"should be a json path under {below[:-1]}")
        elif not below and not value.startswith((".spec.", ".status.")):
            yield invalid(where, value, "should be a json path under either .spec or .status")


def _column_faults(column: JsonObject, path: str) -> Iterator[Cause]:
    if not column.get("name"):
        yield required(f"{path}.name")
    kinds = f"must be one of {','.join(COLUMN_TYPES)}"
    if not column.get("type"):
        yield required(f"{path}.type", kinds)
    elif column["type"] not in COLUMN_TYPES:
        yield invalid(f"{path}.type", column["type"], kinds)
    value = column.get("jsonPath") or ""
    if not value:
        yield required(f"{path}.JSONPath")
    elif not value.startswith("."):
        yield invalid(f"{path}.JSONPath", value, "must be a simple json path starting with .")
    else:
        try:
            parse_jsonpath(value)
        except ValueError as fault:
            yield invalid(f"{path}.JSONPath", value, f"must be a simple json path: {fault}")


def _selectable_faults(fields: list[JsonObject], schema: JsonObject, path: str) -> Iterator[Cause]:
    if len(fields) > MAX_SELECTABLE_FIELDS:
        text = f"Too many: {len(fields)}: must have at most {MAX_SELECTABLE_FIELDS} items"
        yield Cause(path, "FieldValueTooMany", text)
    seen: list[str] = []
    for index, field in enumerate(fields):
        value, where = field.get("jsonPath") or "", f"{path}[{index}].jsonPath"
        if not value:
            yield required(where)
            continue
        if value in seen:
            yield duplicate(where, value)
        seen.append(value)
        parts = value.split(".")[1:]
        found: JsonObject | None = schema
        for part in parts:
            found = (found.get("properties") or {}).get(part) if found else None
        if parts[:1] == ["metadata"]:
            yield invalid(where, value, "must not point to fields in metadata")
        elif not found:
            yield invalid(where, value, "is an invalid path: does not refer to a valid field")
        elif found.get("type") not in ("boolean", "integer", "string"):
            yield invalid(where, value, "must point to a field of type boolean, integer, or string")


def _stored_version_faults(crd: JsonObject) -> Iterator[Cause]:
    stored, path = (crd.get("status") or {}).get("storedVersions") or [], "status.storedVersions"
    names = [each.get("name", "") for each in crd["spec"].get("versions") or []]
    if not stored:
        yield invalid(path, stored, "must have at least one stored version")
    for index, version in enumerate(stored):
        if version not in names:
            text = (
                f"missing from spec.versions; {version} was previously a storage version, and must remain in "
                f"spec.versions until a storage migration ensures no data remains persisted in {version} and removes "
                f"{version} from status.storedVersions"
            )
            yield invalid(f"{path}[{index}]", version, text)
