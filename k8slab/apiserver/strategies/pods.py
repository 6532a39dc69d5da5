"""Pods: what a new one starts with, what may change, how long it has to end.

Models: pkg/registry/core/pod/strategy.go, pkg/apis/core/v1/helper/qos/qos.go, pkg/apis/core/validation/validation.go
(ValidatePodUpdate).
"""

from __future__ import annotations

from typing import Any, ClassVar

import orjson

from k8slab.apimachinery.errors import Cause, forbidden, invalid
from k8slab.apimachinery.quantity import parse_quantity
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.strategies.base import CountedWithStatus

NOT_EPHEMERAL = (
    "ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources", "resizePolicy", "restartPolicy",
)  # fmt: skip
"""What only a container has that is there from the start."""
UPDATABLE = (
    "`spec.containers[*].image`",
    "`spec.initContainers[*].image`",
    "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
)
_CONTAINERS = ("initContainers", "containers")
_QOS_RESOURCES = ("cpu", "memory")


class PodStrategy(CountedWithStatus):
    """The rules of Pods."""

    initial_status: ClassVar[JsonObject | None] = {"phase": "Pending"}

    def prepare_for_create(self, obj: JsonObject) -> None:
        """Every Pod starts Pending, and its quality of service is settled."""
        obj["status"] = {"phase": "Pending", "qosClass": qos_class(obj["spec"])}
        if obj["spec"].get("schedulingGates"):
            condition = {
                "type": "PodScheduled",
                "status": "False",
                "lastProbeTime": None,
                "lastTransitionTime": obj["metadata"].get("creationTimestamp"),
                "reason": "SchedulingGated",
                "message": "Scheduling is blocked due to non-empty scheduling gates",
            }
            obj["status"]["conditions"] = [condition]

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """A Pod is what it is: hardly anything of its spec may change."""
        return spec_change_causes(obj["spec"], old["spec"]) or self.validate(obj)

    def prepare_for_status_update(self, obj: JsonObject, old: JsonObject) -> None:
        """The quality of service follows from the spec, and stays."""
        qos = (old.get("status") or {}).get("qosClass")
        if qos and obj.get("status") is not None and not obj["status"].get("qosClass"):
            obj["status"] = {**obj["status"], "qosClass": qos}

    def validate_status_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """A container that will not be restarted cannot come back to life."""
        return _resurrection_causes(obj, old)

    def grace_period(self, obj: JsonObject, asked: int | None) -> int:
        """The Pod's own grace period, or the one asked for; none for a Pod that nothing runs of."""
        spec, status = obj.get("spec") or {}, obj.get("status") or {}
        if not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
            return 0
        grace = asked if asked is not None else spec.get("terminationGracePeriodSeconds")
        if grace is None:
            return 30
        return int(grace) if grace >= 0 else 1


def qos_class(spec: JsonObject) -> str:
    """Guaranteed: all containers' limits are set and are all they request. BestEffort: nothing is. Else Burstable."""
    guaranteed, asks = True, False
    for kind in _CONTAINERS:
        for container in spec.get(kind) or []:
            resources = container.get("resources") or {}
            limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
            for name in _QOS_RESOURCES:
                limit, request = _amount(limits, name), _amount(requests, name)
                asks = asks or bool(limit) or bool(request)
                guaranteed = guaranteed and bool(limit) and (request is None or request == limit)
    if not asks:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def _amount(amounts: dict[str, Any], name: str) -> Any:
    try:
        return parse_quantity(amounts[name]) if name in amounts else None
    except ValueError:
        return None


def spec_change_causes(new: JsonObject, old: JsonObject) -> list[Cause]:
    """What a Pod's update changes that it may not."""
    for kind in _CONTAINERS:
        if len(new.get(kind) or []) != len(old.get(kind) or []):
            return [forbidden(f"spec.{kind}", "pod updates may not add or remove containers")]
    causes = []
    deadline, before = new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds")
    if before is not None and deadline is None:
        causes.append(
            invalid("spec.activeDeadlineSeconds", None, "must not update from a positive integer to nil value")
        )
    elif before is not None and deadline > before:
        text = f"must be less than or equal to previous value {before}"
        causes.append(invalid("spec.activeDeadlineSeconds", deadline, text))
    if not all(toleration in (new.get("tolerations") or []) for toleration in old.get("tolerations") or []):
        text = "existing toleration can not be modified except its tolerationSeconds"
        if not _only_seconds_changed(new.get("tolerations") or [], old.get("tolerations") or []):
            causes.append(forbidden("spec.tolerations", text))
    if causes:
        return causes
    was, is_ = _fixed_part(old, new), _fixed_part(new, new)
    if was != is_:
        changed = [key for key in sorted({*was, *is_}) if was.get(key) != is_.get(key)]
        difference = "".join(f"\n- spec.{key}: {_told(was, key)}\n+ spec.{key}: {_told(is_, key)}" for key in changed)
        causes.append(
            forbidden("spec", f"pod updates may not change fields other than {','.join(UPDATABLE)}{difference}")
        )
    return causes


def _told(spec: JsonObject, key: str) -> str:
    value = spec.get(key)
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def ephemeral_change_causes(new: JsonObject, old: JsonObject) -> list[Cause]:
    """What a change of the ephemeral containers does that it may not: they are only ever added."""
    path, causes = "spec.ephemeralContainers", []
    after = {each.get("name"): each for each in new.get("ephemeralContainers") or []}
    for each in old.get("ephemeralContainers") or []:
        name = each.get("name")
        if name not in after:
            causes.append(forbidden(path, f'existing ephemeral containers "{name}" may not be removed\n'))
        elif after[name] != each:
            causes.append(forbidden(path, f'existing ephemeral containers "{name}" may not be changed\n'))
    before = {each.get("name") for each in old.get("ephemeralContainers") or []}
    for number, each in enumerate(new.get("ephemeralContainers") or []):
        if each.get("name") not in before:
            for field in NOT_EPHEMERAL:
                if each.get(field):
                    causes.append(forbidden(f"{path}[{number}].{field}", "cannot be set for an Ephemeral Container"))
    return causes


def _only_seconds_changed(new: list[JsonObject], old: list[JsonObject]) -> bool:
    def kinds(tolerations: list[JsonObject]) -> list[JsonObject]:
        return [{k: v for k, v in each.items() if k != "tolerationSeconds"} for each in tolerations]

    return all(each in kinds(new) for each in kinds(old))


def _fixed_part(spec: JsonObject, new: JsonObject) -> JsonObject:
    """A spec with all that may change taken out, or set as in the new one."""
    free = ("activeDeadlineSeconds", "tolerations")
    fixed = {k: v for k, v in spec.items() if k not in free and v not in (None, [], "")}
    for kind in _CONTAINERS:
        if spec.get(kind):
            fixed[kind] = [{k: v for k, v in each.items() if k != "image"} for each in spec[kind]]
    # A negative grace period is an old mistake that may be mended.
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0 and new.get("terminationGracePeriodSeconds") == 1:
        fixed["terminationGracePeriodSeconds"] = 1
    gates = [gate.get("name") for gate in new.get("schedulingGates") or []]
    if spec.get("schedulingGates"):
        # Gates may be opened, one by one, never closed.
        fixed["schedulingGates"] = [gate for gate in spec["schedulingGates"] if gate.get("name") in gates]
        if not fixed["schedulingGates"]:
            del fixed["schedulingGates"]
    return fixed


def _resurrection_causes(obj: JsonObject, old: JsonObject) -> list[Cause]:
    if obj["spec"].get("restartPolicy") == "Always":
        return []
    causes = []
    now = {each.get("name"): each for each in (obj.get("status") or {}).get("containerStatuses") or []}
    for number, before in enumerate((old.get("status") or {}).get("containerStatuses") or []):
        ended = (before.get("state") or {}).get("terminated")
        after = now.get(before.get("name"))
        if not ended or after is None or (obj["spec"].get("restartPolicy") == "OnFailure" and ended.get("exitCode")):
            continue
        if not (after.get("state") or {}).get("terminated"):
            path = f"status.containerStatuses[{number}].state"
            causes.append(forbidden(path, "may not be transitioned to non-terminated state"))
    return causes
