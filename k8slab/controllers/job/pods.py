"""The Pods of a Job: made while there is work, taken away when there is too much, or when the Job is over.

Models: pkg/controller/job/job_controller.go (manageJob, deleteActivePods, podsToDelete).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from k8slab.api.core import Pod
from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import STRATEGIC, Client
from k8slab.clock import NEVER
from k8slab.controllers.job.indexes import index_of, pending_indexes, surplus_of
from k8slab.controllers.job.look import Look
from k8slab.controllers.job.pod import job_pod
from k8slab.controllers.job.state import FINALIZER, seconds_to_next_pod, wanted_active
from k8slab.controllers.pod_control import BURST, Failure, PodControl
from k8slab.controllers.pod_ranking import rank_for_deletion


class JobPods:
    """Makes and deletes Pods of Jobs, and takes their finalizers away."""

    def __init__(self, client: Client, pod_control: PodControl) -> None:
        self.client, self.pod_control = client, pod_control
        self.released: set[str] = set()
        """UIDs of Pods that have lost their finalizer, until the cache knows."""

    def stop(self, look: Look) -> Failure | None:
        """The Job is over: whoever is at work ends. Their finalizers go when they are counted."""
        active = look.count.active
        failure = self.pod_control.delete(look.job, active) if active else None
        if failure is None:
            look.went(active)
        return failure

    def manage(self, look: Look) -> Failure | None:
        """Make Pods if there are too few, take some away if there are too many. What went wrong, if something did."""
        count, active, wanted = look.count, look.count.active, wanted_active(look.count)
        surplus, kept = surplus_of(active, look.job.spec.completions or 0) if count.indexed else ([], active)
        more = max(0, len(active) - wanted - len(surplus))
        doomed = active if look.job.spec.suspend else [*surplus, *rank_for_deletion(kept, kept, look.now)[:more]]
        if doomed:
            doomed = doomed[:BURST]
            self.release(doomed)  # one that is taken away has not failed
            failure = self.pod_control.delete(look.job, doomed)
            if failure is None:
                look.went(doomed)
            return failure
        going = count.terminating if look.job.spec.pod_replacement_policy == "Failed" else 0
        missing = min(wanted - going - len(active), BURST)
        if missing <= 0:
            return None
        indexes = self._indexes(look, missing)
        if not indexes:
            return None
        failure = self.pod_control.create(look.job, [job_pod(look.job, index) for index in indexes])
        if failure is None:
            look.active += len(indexes)
        return failure

    def _indexes(self, look: Look, missing: int) -> Sequence[int | None]:
        """For which indexes to make Pods now; as many times None where there are none. Fewer while a failure is recent."""
        count, per_index = look.count, look.job.spec.backoff_limit_per_index is not None
        if not per_index and (wait := seconds_to_next_pod(count, look.now)) > 0:
            look.again = wait
            return ()
        if not count.indexed:
            return [None] * missing
        busy = {index_of(pod) for pod in count.active}
        if look.job.spec.pod_replacement_policy == "Failed":
            busy |= {index_of(pod) for pod in count.pods if pod.metadata.deleting and not pod.finished}
        taken = (
            {each for each in busy if each is not None} | count.succeeded_indexes() | (count.failed_indexes() or set())
        )
        found = pending_indexes(look.job.spec.completions or 0, taken, missing)
        if not per_index:
            return found
        waits = {index: seconds_to_next_pod(count, look.now, index) for index in found}
        look.again = min((wait for wait in waits.values() if wait > 0), default=NEVER)
        return [index for index, wait in waits.items() if wait <= 0]

    def release(self, pods: Iterable[Pod]) -> None:
        """Take the finalizers away."""
        for pod in pods:
            if FINALIZER in pod.metadata.finalizers and pod.uid not in self.released:
                patch: JsonObject = {"metadata": {"uid": pod.uid, "$deleteFromPrimitiveList/finalizers": [FINALIZER]}}
                with suppress(NotFound):
                    self.client.patch(Pod, pod.name, pod.namespace, patch, content_type=STRATEGIC)
                self.released.add(pod.uid)
