"""What runs Pods: selectors stay, Jobs get theirs from the server.

Models: pkg/registry/apps/*/strategy.go, pkg/registry/batch/job/strategy.go (generateSelector),
pkg/apis/apps/validation/validation.go (ValidateStatefulSetUpdate).
"""

from __future__ import annotations

from typing import ClassVar

from k8slab.apimachinery.errors import Cause, forbidden, invalid
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.strategies.base import IMMUTABLE, CountedWithStatus

STATEFUL_SET_MUTABLE = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip
CONTROLLER_UID, JOB_NAME = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
LEGACY_CONTROLLER_UID, LEGACY_JOB_NAME = "controller-uid", "job-name"


class SelectingStrategy(CountedWithStatus):
    """Deployments, ReplicaSets, DaemonSets: which Pods are theirs is settled for good."""

    immutable: ClassVar[tuple[str, ...]] = ("spec.selector",)


class DaemonSetStrategy(SelectingStrategy):
    """DaemonSets: an annotation still counts the versions of the template, as the first API did."""

    def prepare_for_create(self, obj: JsonObject) -> None:
        """The first version."""
        super().prepare_for_create(obj)
        obj["metadata"].setdefault("annotations", {})[TEMPLATE_GENERATION] = "1"

    def prepare_for_update(self, obj: JsonObject, old: JsonObject) -> None:
        """One more if the template has changed; nobody else may set it."""
        super().prepare_for_update(obj, old)
        before = (old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "0")
        changed = obj["spec"].get("template") != old["spec"].get("template")
        annotations = dict(obj["metadata"].get("annotations") or {})
        annotations[TEMPLATE_GENERATION] = str((int(before) if before.isdigit() else 0) + changed)
        obj["metadata"]["annotations"] = annotations


class ReplicationControllerStrategy(CountedWithStatus):
    """The ReplicaSet's ancestor: its Pods outlive it unless the client says otherwise."""

    default_propagation: ClassVar[str] = "Orphan"


class StatefulSetStrategy(CountedWithStatus):
    """StatefulSets: what identity rests on may not change."""

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """Only a list of fields may change."""
        causes = self.validate(obj)
        new, before = ({k: v for k, v in each["spec"].items() if k not in STATEFUL_SET_MUTABLE} for each in (obj, old))
        if new != before:
            names = [f"'{name}'" for name in STATEFUL_SET_MUTABLE]
            text = f"updates to statefulset spec for fields other than {', '.join(names[:-1])} and {names[-1]} are forbidden"
            causes.append(forbidden("spec", text))
        return causes


class JobStrategy(CountedWithStatus):
    """Jobs: the server chooses the selector; the Pods outlive a Job unless the client says otherwise."""

    default_propagation: ClassVar[str] = "Orphan"

    def prepare_for_create(self, obj: JsonObject) -> None:
        """Give the Job a selector that no other Job can have: its own uid."""
        super().prepare_for_create(obj)
        spec = obj["spec"]
        if spec.get("manualSelector"):
            return
        uid, name = obj["metadata"].get("uid", ""), obj["metadata"].get("name", "")
        labels = dict(spec["template"].setdefault("metadata", {}).get("labels") or {})
        for key, value in (
            (CONTROLLER_UID, uid), (JOB_NAME, name), (LEGACY_CONTROLLER_UID, uid), (LEGACY_JOB_NAME, name),
        ):  # fmt: skip
            labels.setdefault(key, value)
        spec["template"]["metadata"]["labels"] = labels
        if not obj["metadata"].get("labels"):
            obj["metadata"]["labels"] = dict(labels)
        selector = spec.setdefault("selector", {})
        selector.setdefault("matchLabels", {}).setdefault(CONTROLLER_UID, uid)

    def validate_update(self, obj: JsonObject, old: JsonObject) -> list[Cause]:
        """The work of a Job is settled; how much of it runs at a time is not."""
        causes = self.validate(obj)
        new, before = obj["spec"], old["spec"]
        elastic = before.get("completionMode") == "Indexed" and new.get("completions") == new.get("parallelism")
        fixed = ["selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"]
        fixed += [] if elastic else ["completions"]
        # A suspended Job that never ran may still be placed elsewhere.
        started = (old.get("status") or {}).get("startTime")
        fixed += ["template"] if not before.get("suspend") or started else []
        for field in fixed:
            if new.get(field) != before.get(field):
                causes.append(invalid(f"spec.{field}", new.get(field), IMMUTABLE))
        return causes
