"""The status of each Pod of a node, written when it is news.

What was written last is remembered, so that the same is not written twice, and so that the time of a condition stays that of
its last change though the watch may not have told us of our own write yet. It is kept packed: there is one for every Pod.

Models: pkg/kubelet/status/status_manager.go.
"""

from __future__ import annotations

import orjson

from k8slab.api.core import Pod
from k8slab.apimachinery.packing import Packed, Samples
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import Client
from k8slab.clock import Clock
from k8slab.kubelet.pod_state import PodState
from k8slab.kubelet.pod_status import NodeFacts, pod_status
from k8slab.kubelet.worker import Worker


class StatusManager:
    """Tells the API server what the Pods of a node are."""

    def __init__(self, client: Client, clock: Clock, facts: NodeFacts) -> None:
        self._client, self._clock, self._facts = client, clock, facts
        self._samples = Samples()

    def status_of(self, worker: Worker, state: PodState) -> JsonObject:
        """What a Pod is now."""
        status = pod_status(worker.pod, state, worker.waiting, self._facts, self._clock.now(), worker.started)
        if worker.written is not None and _as_json(status) != (written := worker.written.value):
            _keep_times(status, orjson.loads(written))
        return status

    def is_news(self, worker: Worker, status: JsonObject) -> bool:
        """Whether this is not what was said of the Pod last."""
        return worker.written is None or _as_json(status) != worker.written.value

    def write(self, worker: Worker, status: JsonObject) -> None:
        """Say what a Pod is. Raises ApiError: NotFound and Conflict if the Pod has gone."""
        pod, said = worker.pod, _as_json(status)
        found = self._client.patch_status(Pod, pod.name, pod.namespace, status, uid=pod.uid)
        worker.written = Packed(said, self._samples.for_value("status", said))
        worker.revision = int(found["metadata"]["resourceVersion"])

    def is_denied(self, worker: Worker) -> bool:
        """Whether somebody has written since that a Pod is ready, or not, against what was said here.

        The control plane does that to the Pods of a node that it takes for lost.
        """
        if worker.written is None or worker.known.revision <= worker.revision:
            return False
        conditions = orjson.loads(worker.written.value)["conditions"]
        ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
        return worker.pod.ready != ready


def _as_json(status: JsonObject) -> bytes:
    return bytes(memoryview(orjson.dumps(status)))  # a copy: its own bytes keep the 4 kB of their buffer


def _keep_times(status: JsonObject, written: JsonObject) -> None:
    status["startTime"] = written["startTime"]
    before = {each["type"]: each for each in written["conditions"]}
    for condition in status["conditions"]:
        same = before.get(condition["type"])
        if same is not None and same["status"] == condition["status"]:
            condition["lastTransitionTime"] = same["lastTransitionTime"]
