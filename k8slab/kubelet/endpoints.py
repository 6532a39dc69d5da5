"""What a kubelet answers over HTTP, when somebody asks it through the API server: `/api/v1/nodes/<name>/proxy/...`.

    /healthz                      is it there?
    /pods                         the Pods that it has been given
    /runningpods/                 those that have something running, as the runtime knows them
    /configz                      the settings that it works by
    /metrics/resource             what each container uses, for metrics-server
    /containerLogs/<ns>/<pod>/<c> a container's log

Models: pkg/kubelet/server/server.go (InstallDefaultHandlers, InstallAuthNotRequiredHandlers), server/metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from k8slab.api.core import Pod
from k8slab.apimachinery.errors import NotFound
from k8slab.apimachinery.rest import JsonObject, Response
from k8slab.kubelet.node_lease import DURATION
from k8slab.kubelet.node_status import CAPACITY
from k8slab.kubelet.pod_state import PodState

if TYPE_CHECKING:
    from k8slab.kubelet.kubelet import Kubelet

TEXT = "text/plain; charset=utf-8"
METRICS = "text/plain; version=0.0.4; charset=utf-8"


def answer(kubelet: Kubelet, path: str) -> Response:
    """The answer to a GET. Raises ApiError; NotFound for a path that there is not."""
    first, _, rest = path.strip("/").partition("/")
    if first == "containerLogs" and rest.count("/") == 2:
        namespace, pod, container = rest.split("/")
        stream = kubelet.server.container_logs(namespace, pod, container, wake=lambda: None)
        return Response(200, body=b"".join(data for _, data in stream.poll()), content_type=TEXT)
    answers: dict[str, Callable[[Kubelet], Response]] = {
        "healthz": lambda kubelet: Response(200, body=b"ok", content_type=TEXT),
        "pods": _pods,
        "runningpods": _running_pods,
        "configz": _configuration,
        "metrics/resource": _resource_metrics,
    }
    found = answers.get(path.strip("/"))
    if found is None:
        raise NotFound(f"404 page not found: the kubelet answers /{', /'.join(answers)} and /containerLogs/...")
    return found(kubelet)


def _pods(kubelet: Kubelet) -> Response:
    fields = {"fieldSelector": f"spec.nodeName={kubelet.node_name}"}
    return Response(200, object=kubelet.client.raw("GET", Pod.resource.path(), query=fields))


def _running_pods(kubelet: Kubelet) -> Response:
    items = [_seen(state) for state in _states(kubelet) if state.running()]
    return Response(200, object={"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})


def _seen(state: PodState) -> JsonObject:
    sandbox = state.sandbox
    names = {"name": sandbox.name, "namespace": sandbox.namespace} if sandbox else {}
    containers = [{"name": each.name, "image": each.image, "resources": {}} for each in state.running()]
    return {"metadata": {**names, "uid": state.uid}, "spec": {"containers": containers}, "status": {}}


def _configuration(kubelet: Kubelet) -> Response:
    config = {
        "nodeLeaseDurationSeconds": DURATION,
        "maxPods": int(CAPACITY["pods"]),
    }
    return Response(200, object={"kubeletconfig": config})


def _resource_metrics(kubelet: Kubelet) -> Response:
    return Response(200, body="".join(_lines(kubelet)).encode(), content_type=METRICS)


def _lines(kubelet: Kubelet) -> Iterator[str]:
    used = [
        (state, container.name, kubelet.runtime.container_stats(container.id))
        for state in _states(kubelet)
        for container in state.running()
    ]
    yield "# HELP container_cpu_usage_seconds_total Cumulative cpu time consumed by the container in core-seconds\n"
    yield "# TYPE container_cpu_usage_seconds_total counter\n"
    for state, name, stats in used:
        yield f"container_cpu_usage_seconds_total{_labels(state, name)} {stats.cpu_nanos / 1e9:g}\n"
    yield "# HELP container_memory_working_set_bytes Current working set of the container in bytes\n"
    yield "# TYPE container_memory_working_set_bytes gauge\n"
    for state, name, stats in used:
        yield f"container_memory_working_set_bytes{_labels(state, name)} {stats.memory_bytes}\n"


def _labels(state: PodState, container: str) -> str:
    sandbox = state.sandbox
    namespace, pod = (sandbox.namespace, sandbox.name) if sandbox else ("", "")
    return f'{{container="{container}",namespace="{namespace}",pod="{pod}"}}'


def _states(kubelet: Kubelet) -> Sequence[PodState]:
    return [kubelet.pleg.states[uid] for uid in sorted(kubelet.pleg.states)]
