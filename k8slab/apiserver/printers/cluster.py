"""How nodes, namespaces, events, configuration, storage and access rules are shown.

Models: pkg/printers/internalversion/printers.go (printNode, printEvent, printSecret, ...).
"""

from __future__ import annotations

from typing import Any

from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.printers.cells import (
    NONE,
    UNKNOWN,
    UNSET,
    Printer,
    age,
    columns,
    condition,
    human_duration,
    meta,
    name,
    since,
    spec,
    status,
)

_ROLE = "node-role.kubernetes.io/"


def _roles(obj: JsonObject) -> str:
    labels = meta(obj).get("labels") or {}
    roles = [key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE) and key != _ROLE]
    roles += [labels["kubernetes.io/role"]] if labels.get("kubernetes.io/role") else []
    return ",".join(sorted(set(roles))) or NONE


def _node(obj: JsonObject, now: float) -> list[Any]:
    ready = condition(obj, "Ready")
    states = [("Ready" if ready.get("status") == "True" else "NotReady") if ready else "Unknown"]
    states += ["SchedulingDisabled"] if spec(obj).get("unschedulable") else []
    info = status(obj).get("nodeInfo") or {}
    return [
        name(obj), ",".join(states), _roles(obj), age(obj, now), info.get("kubeletVersion", ""),
        _address(obj, "InternalIP"), _address(obj, "ExternalIP"), info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN, info.get("containerRuntimeVersion") or UNKNOWN,
    ]  # fmt: skip


def _address(obj: JsonObject, kind: str) -> str:
    return next(
        (each.get("address") or NONE for each in status(obj).get("addresses") or [] if each.get("type") == kind), NONE
    )


def _namespace(obj: JsonObject, now: float) -> list[Any]:
    return [name(obj), status(obj).get("phase", ""), age(obj, now)]


def _event(obj: JsonObject, now: float) -> list[Any]:
    about = obj.get("involvedObject") or obj.get("regarding") or {}
    series = obj.get("series") or {}
    first_seen = obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp") or obj.get("eventTime")
    last_seen = (
        series.get("lastObservedTime") or obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp") or first_seen
    )
    count = series.get("count") or obj.get("count") or obj.get("deprecatedCount") or 1
    source = obj.get("source") or obj.get("deprecatedSource") or {}
    parts = [
        source.get("component") or obj.get("reportingComponent") or obj.get("reportingController"),
        source.get("host"),
    ]
    target = str(about.get("kind", "")).lower() + (f"/{about['name']}" if about.get("name") else "")
    return [
        since(last_seen, now), obj.get("type", ""), obj.get("reason", ""), target,
        str(obj.get("message") or obj.get("note") or "").strip(),
        about.get("fieldPath", ""), ", ".join(part for part in parts if part), since(first_seen, now), count, name(obj),
    ]  # fmt: skip


def _config_map(obj: JsonObject, now: float) -> list[Any]:
    return [name(obj), len(obj.get("data") or {}) + len(obj.get("binaryData") or {}), age(obj, now)]


def _secret(obj: JsonObject, now: float) -> list[Any]:
    return [name(obj), obj.get("type", ""), len(obj.get("data") or {}), age(obj, now)]


def _lease(obj: JsonObject, now: float) -> list[Any]:
    return [name(obj), spec(obj).get("holderIdentity") or "", age(obj, now)]


def _quota(obj: JsonObject, now: float) -> list[Any]:
    hard, used = status(obj).get("hard") or {}, status(obj).get("used") or {}
    parts: dict[bool, list[str]] = {True: [], False: []}
    for key in sorted(hard):
        parts[key.startswith("limits")].append(f"{key}: {used.get(key, '0')}/{hard[key]}")
    return [name(obj), ", ".join(parts[False]), ", ".join(parts[True]), age(obj, now)]


def _limit_range(obj: JsonObject, now: float) -> list[Any]:
    return [name(obj), meta(obj).get("creationTimestamp")]


_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _modes(modes: list[str] | None) -> str:
    return ",".join(_MODES[mode] for mode in _MODES if mode in (modes or []))


def _persistent_volume(obj: JsonObject, now: float) -> list[Any]:
    own, claim = spec(obj), spec(obj).get("claimRef") or {}
    phase = "Terminating" if meta(obj).get("deletionTimestamp") else status(obj).get("phase", "")
    return [
        name(obj), (own.get("capacity") or {}).get("storage", ""), _modes(own.get("accessModes")),
        own.get("persistentVolumeReclaimPolicy", ""), phase,
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "", own.get("storageClassName") or "",
        own.get("volumeAttributesClassName") or UNSET, status(obj).get("reason", ""), age(obj, now),
        own.get("volumeMode") or UNSET,
    ]  # fmt: skip


def _persistent_volume_claim(obj: JsonObject, now: float) -> list[Any]:
    own, state = spec(obj), status(obj)
    phase = "Terminating" if meta(obj).get("deletionTimestamp") else state.get("phase", "")
    bound = bool(own.get("volumeName"))
    return [
        name(obj), phase, own.get("volumeName", ""), (state.get("capacity") or {}).get("storage", "") if bound else "",
        _modes(state.get("accessModes")) if bound else "", own.get("storageClassName") or "",
        own.get("volumeAttributesClassName") or UNSET, age(obj, now), own.get("volumeMode") or UNSET,
    ]  # fmt: skip


def _storage_class(obj: JsonObject, now: float) -> list[Any]:
    default = (meta(obj).get("annotations") or {}).get("storageclass.kubernetes.io/is-default-class") == "true"
    return [
        name(obj) + (" (default)" if default else ""), obj.get("provisioner", ""), obj.get("reclaimPolicy") or "Delete",
        obj.get("volumeBindingMode") or "Immediate", str(bool(obj.get("allowVolumeExpansion"))).lower(), age(obj, now),
    ]  # fmt: skip


def _created(obj: JsonObject, now: float) -> list[Any]:
    return [name(obj), meta(obj).get("creationTimestamp")]


def _binding(obj: JsonObject, now: float) -> list[Any]:
    reference, subjects = obj.get("roleRef") or {}, obj.get("subjects") or []
    by_kind: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for each in subjects:
        text = each.get("name", "")
        if each.get("kind") == "ServiceAccount":
            text = f"{each.get('namespace', '')}/{text}"
        by_kind.setdefault(each.get("kind", ""), []).append(text)
    kinds = (", ".join(by_kind[kind]) for kind in ("User", "Group", "ServiceAccount"))
    return [name(obj), f"{reference.get('kind', '')}/{reference.get('name', '')}", age(obj, now), *kinds]


def _priority_class(obj: JsonObject, now: float) -> list[Any]:
    policy = obj.get("preemptionPolicy") or ""
    return [name(obj), obj.get("value", 0), str(bool(obj.get("globalDefault"))).lower(), age(obj, now), policy]


def _certificate_request(obj: JsonObject, now: float) -> list[Any]:
    seconds = spec(obj).get("expirationSeconds")
    kinds = [each.get("type") for each in status(obj).get("conditions") or []]
    state = "Approved" if "Approved" in kinds else "Denied" if "Denied" in kinds else "Pending"
    state += ",Failed" if "Failed" in kinds else ""
    state += ",Issued" if status(obj).get("certificate") else ""
    return [
        name(obj), age(obj, now), spec(obj).get("signerName") or NONE, spec(obj).get("username", ""),
        NONE if seconds is None else human_duration(seconds), state,
    ]  # fmt: skip


def _runtime_class(obj: JsonObject, now: float) -> list[Any]:
    return [name(obj), obj.get("handler", ""), age(obj, now)]


def _webhooks(obj: JsonObject, now: float) -> list[Any]:
    return [name(obj), len(obj.get("webhooks") or []), age(obj, now)]


def _flow_schema(obj: JsonObject, now: float) -> list[Any]:
    own = spec(obj)
    dangling = condition(obj, "Dangling").get("status")
    return [
        name(obj), (own.get("priorityLevelConfiguration") or {}).get("name", ""), own.get("matchingPrecedence", 0),
        (own.get("distinguisherMethod") or {}).get("type") or NONE, age(obj, now), dangling or "?",
    ]  # fmt: skip


def _priority_level(obj: JsonObject, now: float) -> list[Any]:
    own = spec(obj).get("limited") or {}
    queuing = (own.get("limitResponse") or {}).get("queuing") or {}
    shares = own.get("nominalConcurrencyShares")
    cells = [queuing.get(key, NONE) for key in ("queues", "handSize", "queueLengthLimit")]
    return [name(obj), spec(obj).get("type", ""), NONE if shares is None else shares, *cells, age(obj, now)]


PRINTERS = {
    ("", "configmaps"): Printer(columns("Name, Data, Age"), _config_map),
    ("", "limitranges"): Printer(columns("Name, Created At"), _limit_range),
    ("", "namespaces"): Printer(columns("Name, Status, Age"), _namespace),
    ("", "nodes"): Printer(
        columns(
            "Name, Status, Roles, Age, Version | Internal-IP, External-IP, OS-Image, Kernel-Version, Container-Runtime"
        ),
        _node,
    ),
    ("", "persistentvolumeclaims"): Printer(
        columns("Name, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age | VolumeMode"),
        _persistent_volume_claim,
    ),
    ("", "persistentvolumes"): Printer(
        columns(
            "Name, Capacity, Access Modes, Reclaim Policy, Status, Claim, StorageClass, VolumeAttributesClass, Reason, Age "
            "| VolumeMode"
        ),
        _persistent_volume,
    ),
    ("", "resourcequotas"): Printer(columns("Name, Request, Limit, Age"), _quota),
    ("", "secrets"): Printer(columns("Name, Type, Data, Age"), _secret),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): Printer(
        columns("Name, Webhooks#, Age"), _webhooks
    ),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): Printer(
        columns("Name, Webhooks#, Age"), _webhooks
    ),
    ("apiextensions.k8s.io", "customresourcedefinitions"): Printer(columns("Name, Created At"), _created),
    ("certificates.k8s.io", "certificatesigningrequests"): Printer(
        columns("Name, Age, SignerName, Requestor, RequestedDuration, Condition"), _certificate_request
    ),
    ("coordination.k8s.io", "leases"): Printer(columns("Name, Holder, Age"), _lease),
    ("flowcontrol.apiserver.k8s.io", "flowschemas"): Printer(
        columns("Name, PriorityLevel, MatchingPrecedence#, DistinguisherMethod, Age, MissingPL"), _flow_schema
    ),
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"): Printer(
        columns("Name, Type, NominalConcurrencyShares, Queues, HandSize, QueueLengthLimit, Age"), _priority_level
    ),
    ("node.k8s.io", "runtimeclasses"): Printer(columns("Name, Handler, Age"), _runtime_class),
    ("rbac.authorization.k8s.io", "clusterrolebindings"): Printer(
        columns("Name, Role, Age | Users, Groups, ServiceAccounts"), _binding
    ),
    ("rbac.authorization.k8s.io", "clusterroles"): Printer(columns("Name, Created At"), _created),
    ("rbac.authorization.k8s.io", "rolebindings"): Printer(
        columns("Name, Role, Age | Users, Groups, ServiceAccounts"), _binding
    ),
    ("rbac.authorization.k8s.io", "roles"): Printer(columns("Name, Created At"), _created),
    ("scheduling.k8s.io", "priorityclasses"): Printer(
        columns("Name, Value#, Global-Default, Age, PreemptionPolicy"), _priority_class
    ),
    ("storage.k8s.io", "storageclasses"): Printer(
        columns("Name, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion, Age"), _storage_class
    ),
    **{
        (group, "events"): Printer(
            columns("Last Seen, Type, Reason, Object, Message | Subobject, Source, First Seen, Count#, Name"), _event
        )
        for group in ("", "events.k8s.io")
    },
}
