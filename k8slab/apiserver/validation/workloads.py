"""The rules of the kinds that run Pods.

Models: pkg/apis/apps/validation/validation.go, pkg/apis/batch/validation/validation.go,
pkg/apis/autoscaling/validation/validation.go, pkg/apis/policy/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from k8slab.apimachinery.cron import cron_fault
from k8slab.apimachinery.errors import Cause, forbidden, invalid, not_supported, required
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.validation.common import int_or_percent, is_zero, label_selector, not_negative, selects
from k8slab.apiserver.validation.pods import RESTART_POLICIES, template_causes

MAX_CRON_JOB_NAME = 52


def _runs_pods(obj: JsonObject) -> Iterator[Cause]:
    """What Deployments, ReplicaSets, StatefulSets and DaemonSets have in common: selector, template, replicas."""
    spec, kind = obj["spec"], str(obj.get("kind", "")).lower()
    yield from not_negative(spec, "spec", "replicas", "minReadySeconds", "revisionHistoryLimit")
    selector, template = spec.get("selector"), spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    empty = selector is not None and not (selector.get("matchLabels") or selector.get("matchExpressions"))
    if selector is None and kind != "daemonset":
        yield required("spec.selector")
    yield from label_selector(selector or {}, "spec.selector")
    if empty:
        yield invalid("spec.selector", selector, f"empty selector is invalid for {kind}")
    elif selector is None or not selects(selector, labels or {}):  # no selector selects nothing
        yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    yield from template_causes(_with_claims(spec, template), "spec.template")
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy in RESTART_POLICIES and policy != "Always":
        yield not_supported("spec.template.spec.restartPolicy", policy, ("Always",))
    if (template.get("spec") or {}).get("activeDeadlineSeconds") is not None:
        text = f"activeDeadlineSeconds in {obj.get('kind')} is not Supported"
        yield forbidden("spec.template.spec.activeDeadlineSeconds", text)


def _with_claims(spec: JsonObject, template: JsonObject) -> JsonObject:
    """A StatefulSet's Pods have volumes that their template does not name. (Upstream leaves that template unchecked.)"""
    claims = [{"name": (each.get("metadata") or {}).get("name", "")} for each in spec.get("volumeClaimTemplates") or ()]
    if not claims:
        return template
    content = template.get("spec") or {}
    volumes = [{**each, "persistentVolumeClaim": {"claimName": each["name"]}} for each in claims]
    return {**template, "spec": {**content, "volumes": [*(content.get("volumes") or ()), *volumes]}}


def validate_replica_set(obj: JsonObject) -> list[Cause]:
    """What is wrong with a ReplicaSet."""
    return list(_runs_pods(obj))


def validate_deployment(obj: JsonObject) -> list[Cause]:
    """What is wrong with a Deployment."""
    causes, spec = list(_runs_pods(obj)), obj["spec"]
    strategy = spec.get("strategy") or {}
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind not in ("Recreate", "RollingUpdate"):
        causes.append(not_supported("spec.strategy.type", kind or "", ("Recreate", "RollingUpdate")))
    elif kind == "Recreate" and rolling is not None:
        text = "may not be specified when strategy `type` is 'Recreate'"
        causes.append(forbidden("spec.strategy.rollingUpdate", text))
    elif kind == "RollingUpdate":
        causes += _rolling_update(rolling or {}, "spec.strategy.rollingUpdate")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        causes += not_negative(spec, "spec", "progressDeadlineSeconds")
        if deadline <= (spec.get("minReadySeconds") or 0):
            causes.append(invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return causes


def _rolling_update(rolling: JsonObject, path: str) -> Iterator[Cause]:
    surge, unavailable = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    yield from int_or_percent(unavailable, f"{path}.maxUnavailable", at_most_all=True)
    yield from int_or_percent(surge, f"{path}.maxSurge")
    if is_zero(unavailable) and is_zero(surge):
        yield invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")


def validate_stateful_set(obj: JsonObject) -> list[Cause]:
    """What is wrong with a StatefulSet."""
    causes, spec = list(_runs_pods(obj)), obj["spec"]
    policies = ("OrderedReady", "Parallel")
    if spec.get("podManagementPolicy") not in policies:
        text = "must be 'OrderedReady' or 'Parallel'"
        causes.append(invalid("spec.podManagementPolicy", spec.get("podManagementPolicy", ""), text))
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") not in ("RollingUpdate", "OnDelete"):
        text = "must be 'RollingUpdate' or 'OnDelete'"
        causes.append(invalid("spec.updateStrategy", strategy, text))
    elif strategy["type"] == "OnDelete" and strategy.get("rollingUpdate") is not None:
        text = "only allowed for updateStrategy 'RollingUpdate'"
        causes.append(invalid("spec.updateStrategy.rollingUpdate", strategy["rollingUpdate"], text))
    causes += not_negative(strategy.get("rollingUpdate") or {}, "spec.updateStrategy.rollingUpdate", "partition")
    return causes


def validate_daemon_set(obj: JsonObject) -> list[Cause]:
    """What is wrong with a DaemonSet."""
    causes, spec = list(_runs_pods(obj)), obj["spec"]
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") not in ("OnDelete", "RollingUpdate"):
        causes.append(
            not_supported("spec.updateStrategy.type", strategy.get("type", ""), ("OnDelete", "RollingUpdate"))
        )
    elif strategy["type"] == "RollingUpdate":
        path, rolling = "spec.updateStrategy.rollingUpdate", strategy.get("rollingUpdate") or {}
        surge, unavailable = rolling.get("maxSurge"), rolling.get("maxUnavailable")
        causes += int_or_percent(unavailable, f"{path}.maxUnavailable", at_most_all=True)
        causes += int_or_percent(surge, f"{path}.maxSurge", at_most_all=True)
        if is_zero(unavailable) and is_zero(surge):
            causes.append(required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
        elif not is_zero(unavailable) and not is_zero(surge) and surge is not None:
            causes.append(invalid(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero"))
    return causes


def validate_replication_controller(obj: JsonObject) -> list[Cause]:
    """What is wrong with a ReplicationController."""
    spec, causes = obj["spec"], list(not_negative(obj["spec"], "spec", "replicas", "minReadySeconds"))
    template, selector = spec.get("template"), spec.get("selector") or {}
    if not selector:
        causes.append(required("spec.selector"))
    if template is None:
        return [*causes, required("spec.template")]
    labels = (template.get("metadata") or {}).get("labels") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        causes.append(invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"))
    return causes + list(template_causes(template, "spec.template"))


def _job_spec(spec: JsonObject, path: str) -> Iterator[Cause]:
    numbers = (
        "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
        "backoffLimitPerIndex", "maxFailedIndexes",
    )  # fmt: skip
    yield from not_negative(spec, path, *numbers)
    mode = spec.get("completionMode")
    if mode not in (None, "Indexed", "NonIndexed"):
        yield not_supported(f"{path}.completionMode", mode, ("Indexed", "NonIndexed"))
    elif mode == "Indexed" and spec.get("completions") is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    template = spec.get("template") or {}
    yield from template_causes(template, f"{path}.template")
    # A Job ends; a Pod that always starts again does not.
    if (template.get("spec") or {}).get("restartPolicy") not in ("OnFailure", "Never"):
        yield required(f"{path}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')


def validate_job(obj: JsonObject) -> list[Cause]:
    """What is wrong with a Job."""
    spec, causes = obj["spec"], []
    selector = spec.get("selector")
    if selector is None:
        causes.append(required("spec.selector"))
    else:
        causes += label_selector(selector, "spec.selector")
        labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
        if not selects(selector, labels):
            causes.append(
                invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
            )
    return causes + list(_job_spec(spec, "spec"))


def _time_zone(name: str | None) -> Iterator[Cause]:
    if name is None:
        return
    if not name:
        yield invalid("spec.timeZone", name, "must be nil or non-empty string")
    elif name.lower() == "local":
        text = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        yield invalid("spec.timeZone", name, text)
    else:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            yield invalid("spec.timeZone", name, f"unknown time zone {name}")


def validate_cron_job(obj: JsonObject) -> list[Cause]:
    """What is wrong with a CronJob."""
    spec, causes, name = obj["spec"], [], obj["metadata"].get("name", "")
    if len(name) > MAX_CRON_JOB_NAME:
        # A Job's name is this one and the minute, and must be a label.
        causes.append(invalid("metadata.name", name, f"must be no more than {MAX_CRON_JOB_NAME} characters"))
    schedule = spec.get("schedule") or ""
    if not schedule:
        causes.append(required("spec.schedule"))
    elif "TZ" in schedule:
        text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        causes.append(invalid("spec.schedule", schedule, text))
    elif fault := cron_fault(schedule):
        causes.append(invalid("spec.schedule", schedule, fault))
    causes += _time_zone(spec.get("timeZone"))
    policies = ("Allow", "Forbid", "Replace")
    if spec.get("concurrencyPolicy") not in policies:
        causes.append(not_supported("spec.concurrencyPolicy", spec.get("concurrencyPolicy", ""), policies))
    causes += not_negative(
        spec, "spec", "startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"
    )  # fmt: skip
    return causes + list(_job_spec((spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec"))


def validate_autoscaler(obj: JsonObject) -> list[Cause]:
    """What is wrong with a HorizontalPodAutoscaler."""
    spec, causes = obj["spec"], []
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if least is not None and least < 1:
        causes.append(invalid("spec.minReplicas", least, "must be greater than or equal to 1"))
    if most < 1:
        causes.append(invalid("spec.maxReplicas", most, "must be greater than 0"))
    if least is not None and most < least:
        causes.append(invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"))
    target = spec.get("scaleTargetRef") or {}
    causes += [required(f"spec.scaleTargetRef.{field}") for field in ("kind", "name") if not target.get(field)]
    return causes


def validate_budget(obj: JsonObject) -> list[Cause]:
    """What is wrong with a PodDisruptionBudget."""
    spec: JsonObject = obj.get("spec") or {}
    causes: list[Cause] = []
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        causes.append(invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"))
    for field in ("minAvailable", "maxUnavailable"):
        causes += int_or_percent(spec.get(field), f"spec.{field}", at_most_all=True)
    return causes + list(label_selector(spec.get("selector") or {}, "spec.selector"))
