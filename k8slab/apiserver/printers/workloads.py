"""How the kinds that run Pods are shown.

Models: pkg/printers/internalversion/printers.go (printDeployment, printReplicaSet, printJob, printCronJob, ...).
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
    labels_text,
    meta,
    name,
    selector_text,
    since,
    spec,
    status,
    template_texts,
)
from k8slab.clock import from_rfc3339


def _count(obj: JsonObject, field: str) -> int:
    return int(status(obj).get(field) or 0)


def _desired(obj: JsonObject) -> int:
    replicas = spec(obj).get("replicas")
    return 1 if replicas is None else int(replicas)


def _deployment(obj: JsonObject, now: float) -> list[Any]:
    return [
        name(obj), f"{_count(obj, 'readyReplicas')}/{_desired(obj)}", _count(obj, "updatedReplicas"),
        _count(obj, "availableReplicas"), age(obj, now), *template_texts(obj), selector_text(spec(obj).get("selector")),
    ]  # fmt: skip


def _replica_set(obj: JsonObject, now: float) -> list[Any]:
    return [
        name(obj), _desired(obj), _count(obj, "replicas"), _count(obj, "readyReplicas"), age(obj, now),
        *template_texts(obj), selector_text(spec(obj).get("selector")),
    ]  # fmt: skip


def _replication_controller(obj: JsonObject, now: float) -> list[Any]:
    return [*_replica_set(obj, now)[:-1], labels_text(spec(obj).get("selector"))]


def _stateful_set(obj: JsonObject, now: float) -> list[Any]:
    return [name(obj), f"{_count(obj, 'readyReplicas')}/{_desired(obj)}", age(obj, now), *template_texts(obj)]


def _daemon_set(obj: JsonObject, now: float) -> list[Any]:
    chosen = ((spec(obj).get("template") or {}).get("spec") or {}).get("nodeSelector")
    return [
        name(obj), _count(obj, "desiredNumberScheduled"), _count(obj, "currentNumberScheduled"), _count(obj, "numberReady"),
        _count(obj, "updatedNumberScheduled"), _count(obj, "numberAvailable"), labels_text(chosen), age(obj, now),
        *template_texts(obj), selector_text(spec(obj).get("selector")),
    ]  # fmt: skip


_JOB_STATES = (("Complete", "Complete"), ("Failed", "Failed"))
_JOB_STATES_THEN = (
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def _job_state(obj: JsonObject) -> str:
    for kind, text in _JOB_STATES:
        if condition(obj, kind).get("status") == "True":
            return text
    if meta(obj).get("deletionTimestamp"):
        return "Terminating"
    return next((text for kind, text in _JOB_STATES_THEN if condition(obj, kind).get("status") == "True"), "Running")


def _completions(obj: JsonObject) -> str:
    succeeded, wanted, parallelism = (
        _count(obj, "succeeded"),
        spec(obj).get("completions"),
        spec(obj).get("parallelism") or 0,
    )
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _job_duration(obj: JsonObject, now: float) -> str:
    began, ended = status(obj).get("startTime"), status(obj).get("completionTime")
    if not began:
        return ""
    try:
        return human_duration((from_rfc3339(ended) if ended else now) - from_rfc3339(began))
    except ValueError:
        return UNKNOWN


def _job(obj: JsonObject, now: float) -> list[Any]:
    return [
        name(obj), _job_state(obj), _completions(obj), _job_duration(obj, now), age(obj, now),
        *template_texts(obj), selector_text(spec(obj).get("selector")),
    ]  # fmt: skip


def _cron_job(obj: JsonObject, now: float) -> list[Any]:
    last = status(obj).get("lastScheduleTime")
    return [
        name(obj), spec(obj).get("schedule", ""), spec(obj).get("timeZone") or NONE, str(bool(spec(obj).get("suspend"))),
        len(status(obj).get("active") or []), since(last, now) if last else NONE, age(obj, now),
        *template_texts({"spec": (spec(obj).get("jobTemplate") or {}).get("spec") or {}}),
        selector_text(((spec(obj).get("jobTemplate") or {}).get("spec") or {}).get("selector")),
    ]  # fmt: skip


def _target(metric: JsonObject, found: JsonObject) -> str:
    """One metric of an autoscaler: `cpu: 40%/80%`."""
    kind = str(metric.get("type") or "")
    source = metric.get(kind[:1].lower() + kind[1:]) or {}
    now_at = (found.get(kind[:1].lower() + kind[1:]) or {}).get("current") or {}
    target = source.get("target") or {}
    if target.get("averageUtilization") is not None:
        current = now_at.get("averageUtilization")
        shown, wanted = UNKNOWN if current is None else f"{current}%", f"{target['averageUtilization']}%"
    else:
        field = "averageValue" if target.get("averageValue") is not None else "value"
        shown, wanted = now_at.get(field) or UNKNOWN, target.get(field) or "<auto>"
        wanted = f"{wanted} (avg)" if field == "averageValue" and kind in ("Object", "External") else wanted
    text = f"{shown}/{wanted}"
    return f"{source.get('name', '')}: {text}" if kind in ("Resource", "ContainerResource") else text


def _autoscaler(obj: JsonObject, now: float) -> list[Any]:
    scaled = spec(obj).get("scaleTargetRef") or {}
    current = status(obj).get("currentMetrics") or []
    metrics = spec(obj).get("metrics") or []
    targets = [_target(each, current[i] if i < len(current) else {}) for i, each in enumerate(metrics)]
    shown = ", ".join(targets[:2]) + (f" + {len(targets) - 2} more..." if len(targets) > 2 else "")
    least = spec(obj).get("minReplicas")
    return [
        name(obj), f"{scaled.get('kind', '')}/{scaled.get('name', '')}", shown or NONE,
        UNSET if least is None else str(least), spec(obj).get("maxReplicas", 0), _count(obj, "currentReplicas"), age(obj, now),
    ]  # fmt: skip


def _budget(obj: JsonObject, now: float) -> list[Any]:
    least, most = spec(obj).get("minAvailable"), spec(obj).get("maxUnavailable")
    return [
        name(obj), "N/A" if least is None else str(least), "N/A" if most is None else str(most),
        _count(obj, "disruptionsAllowed"), age(obj, now),
    ]  # fmt: skip


def _controller_revision(obj: JsonObject, now: float) -> list[Any]:
    owner = next((each for each in meta(obj).get("ownerReferences") or [] if each.get("controller")), None)
    controller = NONE
    if owner:
        group = str(owner.get("apiVersion", "")).rpartition("/")[0]
        kind = str(owner.get("kind", "")).lower()
        controller = f"{kind}.{group}/{owner.get('name', '')}" if group else f"{kind}/{owner.get('name', '')}"
    return [name(obj), controller, obj.get("revision", 0), age(obj, now)]


def _pod_template(obj: JsonObject, now: float) -> list[Any]:
    template = obj.get("template") or {}
    return [name(obj), *template_texts({"spec": obj}), labels_text((template.get("metadata") or {}).get("labels"))]


_PODS = "Containers, Images, Selector"


def _scale(obj: JsonObject, now: float) -> list[Any]:
    return [name(obj), spec(obj).get("replicas", 0), status(obj).get("replicas", 0), age(obj, now)]


PRINTERS = {
    ("", "podtemplates"): Printer(columns("Name, Containers, Images, Pod Labels"), _pod_template),
    ("", "replicationcontrollers"): Printer(
        columns(f"Name, Desired#, Current#, Ready#, Age | {_PODS}"), _replication_controller
    ),
    ("apps", "controllerrevisions"): Printer(columns("Name, Controller, Revision#, Age"), _controller_revision),
    ("apps", "daemonsets"): Printer(
        columns(f"Name, Desired#, Current#, Ready#, Up-to-date#, Available#, Node Selector, Age | {_PODS}"), _daemon_set
    ),
    ("apps", "deployments"): Printer(columns(f"Name, Ready, Up-to-date#, Available#, Age | {_PODS}"), _deployment),
    ("apps", "replicasets"): Printer(columns(f"Name, Desired#, Current#, Ready#, Age | {_PODS}"), _replica_set),
    ("apps", "statefulsets"): Printer(columns("Name, Ready, Age | Containers, Images"), _stateful_set),
    ("autoscaling", "scales"): Printer(columns("Name, Desired#, Available#, Age"), _scale),
    ("autoscaling", "horizontalpodautoscalers"): Printer(
        columns("Name, Reference, Targets, MinPods, MaxPods, Replicas#, Age"), _autoscaler
    ),
    ("batch", "cronjobs"): Printer(
        columns(f"Name, Schedule, Timezone, Suspend, Active#, Last Schedule, Age | {_PODS}"), _cron_job
    ),
    ("batch", "jobs"): Printer(columns(f"Name, Status, Completions, Duration, Age | {_PODS}"), _job),
    ("policy", "poddisruptionbudgets"): Printer(
        columns("Name, Min Available, Max Unavailable, Allowed Disruptions#, Age"), _budget
    ),
}  # fmt: skip
