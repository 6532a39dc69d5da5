"""The Pod of a Job: with the finalizer by which it is counted, and its index where each has one.

Models: pkg/controller/job/job_controller.go (manageJob), indexed_job_utils.go (addCompletionIndexEnvVariables).
"""

from __future__ import annotations

from typing import Any

from k8slab.api.batch import Job
from k8slab.apimachinery.rest import JsonObject, copy_of
from k8slab.controllers.job.indexes import INDEX
from k8slab.controllers.job.state import FINALIZER
from k8slab.controllers.pod_control import pod_from_template

VARIABLE = "JOB_COMPLETION_INDEX"
LONGEST_PREFIX = 57
"""Room for a hyphen and five letters in 63."""


def job_pod(job: Job, index: int | None) -> JsonObject:
    """The body of a Pod, of this index if there are any."""
    prefix = f"{job.name}-{index}-" if index is not None else ""
    if len(prefix) > LONGEST_PREFIX + 1:
        prefix = f"{job.name[: LONGEST_PREFIX - len(f'-{index}')]}-{index}-"
    body = pod_from_template(job, copy_of(dict(job.spec.template)), prefix)
    metadata: dict[str, Any] = body["metadata"]
    finalizers = metadata.get("finalizers") or []
    metadata["finalizers"] = finalizers if FINALIZER in finalizers else [*finalizers, FINALIZER]
    if index is None:
        return body
    metadata.setdefault("annotations", {})[INDEX] = str(index)
    metadata.setdefault("labels", {})[INDEX] = str(index)
    spec = body["spec"]
    spec["hostname"] = f"{job.name}-{index}"
    source = {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        env = container.setdefault("env", [])
        if not any(each["name"] == VARIABLE for each in env):
            env.append({"name": VARIABLE, "valueFrom": source})
    return body
