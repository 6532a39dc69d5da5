"""The Pods behind Services: what the two controllers share that write down where Services lead.

Pods are followed only while some Service selects Pods; a cluster without Services does not pay for it. A Pod is found by its
labels: an index knows all Pods of a namespace that have a label, so a Service looks at those that have one of its own.

Models: k8s.io/endpointslice/util/controller_utils.go (GetPodServiceMemberships, podEndpointsChanged).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8slab.api.core import Pod
from k8slab.api.discovery import Service
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.clock import Clock
from k8slab.controllers.trigger_time import TriggerTimes
from k8slab.names import Chance

BY_LABEL, BY_NAMESPACE = "label", "namespace"


class ServicePodsController(Controller):
    """Queues the keys of Services about which, or about whose Pods, there is news."""

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.services = self.informer(
            Service, indexers={BY_NAMESPACE: _namespace_if_selecting}, on_change=self._service_changed
        )
        self.pods = self.informer(Pod, indexers={BY_LABEL: _labels}, on_change=self._pod_changed)
        self.pods.rest()
        self.trigger_times = TriggerTimes()

    def pods_of(self, service: Service) -> list[Pod]:
        """The Pods that a Service selects, by key. `pods` has to be up to date."""
        selector = service.spec.selector
        places = [f"{service.namespace} {key}={value}" for key, value in selector.items()]
        rarest = min(places, key=lambda place: self.pods.count(BY_LABEL, place))
        return [pod for pod in self.pods.by_index(BY_LABEL, rarest) if _selects(selector, pod)]

    def _service_changed(self, old: Service | None, new: Service | None) -> None:
        service = new or old
        assert service is not None
        if new is None:
            self.trigger_times.forget(service.key)
        if any(True for _ in self.services.values(BY_NAMESPACE)):
            self.pods.follow()
        else:
            self.pods.rest()
        self.queue.add(service.key)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if old is not None and new is not None and _as_an_endpoint(old) == _as_an_endpoint(new):
            return
        pod = new or old
        assert pod is not None
        for service in self.services.by_index(BY_NAMESPACE, pod.namespace):
            if any(each is not None and _selects(service.spec.selector, each) for each in (old, new)):
                self.queue.add(service.key)


def _as_an_endpoint(pod: Pod) -> tuple[object, ...]:
    """All that Services could notice of a Pod."""
    return (
        pod.uid, pod.ready, pod.metadata.deleting, pod.finished, pod.status.pod_ip, pod.spec.node_name, pod.metadata.labels,
        pod.spec.hostname,
    )  # fmt: skip


def _selects(selector: Mapping[str, str], pod: Pod) -> bool:
    labels = pod.metadata.labels
    return all(labels.get(key) == value for key, value in selector.items())


def _labels(pod: Pod) -> list[str]:
    return [f"{pod.namespace} {key}={value}" for key, value in pod.metadata.labels.items()]


def _namespace_if_selecting(service: Service) -> list[str]:
    return [service.namespace] if service.spec.selector else []
