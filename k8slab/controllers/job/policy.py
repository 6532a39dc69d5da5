"""What a Job does about a Pod that failed, and when it is done early, by its policies.

Models: pkg/controller/job/pod_failure_policy.go, success_policy.go.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from k8slab.api.core import Pod
from k8slab.controllers.job.indexes import parse_indexes


class Matched(NamedTuple):
    """The rule that a failed Pod matches."""

    action: str
    """Count (also where no rule matches), Ignore, FailIndex or FailJob."""
    message: str = ""


def match_failure(policy: Mapping[str, Any] | None, pod: Pod) -> Matched:
    """The first rule that the Pod matches."""
    for number, rule in enumerate((policy or {}).get("rules") or ()):
        action = str(rule["action"])
        codes = rule.get("onExitCodes")
        found = _exit(codes, pod) if codes else _condition(rule.get("onPodConditions") or (), pod)
        if found:
            return Matched(action, f"{found} matching {action} rule at index {number}")
    return Matched("Count")


def _exit(codes: Mapping[str, Any], pod: Pod) -> str:
    statuses = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    for status in statuses:
        ended = status.state.terminated
        if ended is None or ended.exit_code == 0 or codes.get("containerName") not in (None, status.name):
            continue
        if (ended.exit_code in codes["values"]) == (codes["operator"] == "In"):
            return f"Container {status.name} for pod {pod.namespace}/{pod.name} failed with exit code {ended.exit_code}"
    return ""


def _condition(patterns: Sequence[Mapping[str, str]], pod: Pod) -> str:
    for pattern in patterns:
        found = pod.condition(pattern["type"])
        if found is not None and found.status == pattern.get("status", "True"):
            return f"Pod {pod.namespace}/{pod.name} has condition {found.type}"
    return ""


def match_success(policy: Mapping[str, Any] | None, completions: int, succeeded: Collection[int]) -> str:
    """What to say of the first rule that the succeeded indexes meet; empty if they meet none."""
    for number, rule in enumerate((policy or {}).get("rules") or ()):
        named, least = rule.get("succeededIndexes"), rule.get("succeededCount")
        wanted = parse_indexes(named, completions) if named is not None else frozenset(range(completions))
        met = len(wanted & frozenset(succeeded))
        if met >= (least if least is not None else len(wanted)):
            return f"Matched rules at index {number}"
    return ""
