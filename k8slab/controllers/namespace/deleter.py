"""Emptying a namespace: all objects of all kinds that live in namespaces, the Pods first.

Pods take time to end, and what they use (Secrets, ServiceAccounts, NetworkPolicies) should be there until they have. So
nothing else is deleted before the last Pod is gone.

Which kinds there are is asked of the server each time. If it cannot say, nothing is deleted, and the namespace stays.

Models: pkg/controller/namespace/deletion/namespaced_resources_deleter.go (deleteAllContent).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from k8slab.apimachinery.errors import ApiError, MethodNotAllowed, NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource
from k8slab.client.client import Client
from k8slab.client.discovery import Served, discover, preferred
from k8slab.clock import Clock

PODS = ("", "pods")
FINALIZER_SECONDS = 15
"""How long an object with finalizers is expected to need."""
ENDED = ("Succeeded", "Failed")


@dataclass(slots=True)
class Left:
    """What is left in a namespace."""

    objects: dict[str, int] = field(default_factory=dict)
    """How many, by `plural.group`."""
    finalizers: Counter[str] = field(default_factory=Counter)
    """How many of them have each finalizer."""
    seconds: int = 0
    """How long that is expected to take."""
    ending: bool = False
    """Whether Pods are left whose grace period is not over."""
    discovery_error: str = ""
    delete_errors: list[str] = field(default_factory=list)

    @property
    def errors(self) -> list[str]:
        """All that went wrong."""
        return [self.discovery_error, *self.delete_errors] if self.discovery_error else self.delete_errors


class Deleter:
    """Deletes what is in a namespace."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._clock = client, clock

    def delete_all(self, namespace: str, since: float) -> Left:
        """Ask for the deletion of everything in a namespace that is itself being deleted since then. What is left."""
        left = Left()
        try:
            kinds = deletable(discover(self._client))
        except ApiError as error:
            left.discovery_error = error.message
            return left
        for served in kinds:
            try:
                self._delete(served, namespace, since, left)
            except ApiError as error:
                left.delete_errors.append(error.message)
            if _is_pods(served.resource) and left.objects:
                break
        return left

    def _delete(self, served: Served, namespace: str, since: float, left: Left) -> None:
        resource, items = served.resource, self._list(served.resource, namespace)
        if not items:
            return
        grace = _grace(items) if _is_pods(resource) else 0
        seconds = grace if self._clock.now() - since < grace else 0
        path = resource.path(namespace)
        if served.supports("deletecollection"):
            self._client.raw("DELETE", path, body={"propagationPolicy": "Background"})
        else:
            for item in items:
                self._delete_one(resource, item["metadata"]["name"], namespace)
        items = self._list(resource, namespace)
        if not items:
            return
        finalizers = Counter(each for item in items for each in item["metadata"].get("finalizers") or ())
        left.objects[f"{resource.plural}.{resource.group}"] = len(items)
        left.finalizers += finalizers
        left.ending = left.ending or seconds > 0
        left.seconds = max(left.seconds, seconds or (FINALIZER_SECONDS if finalizers else 0))
        if not seconds and not finalizers:
            what = f"{resource.group}/{resource.version}, Resource={resource.plural}"
            left.delete_errors.append(f"unexpected items still remain in namespace: {namespace} for gvr: {what}")

    def _delete_one(self, resource: Resource, name: str, namespace: str) -> None:
        try:
            self._client.delete(resource, name, namespace, propagation="Background")
        except NotFound:
            return

    def _list(self, resource: Resource, namespace: str) -> list[JsonObject]:
        try:
            items: list[JsonObject] = self._client.raw("GET", resource.path(namespace))["items"]
        except (MethodNotAllowed, NotFound):
            return []  # a kind that is only ever created, or not served any more
        return items


def deletable(served: tuple[Served, ...]) -> list[Served]:
    """The kinds to delete in a namespace, Pods first."""
    found = [each for each in preferred(served) if each.resource.namespaced and each.supports("delete")]
    return sorted(found, key=lambda each: not _is_pods(each.resource))


def _is_pods(resource: Resource) -> bool:
    return (resource.group, resource.plural) == PODS


def _grace(pods: list[JsonObject]) -> int:
    """The longest time that one of these Pods may take to end."""
    running = [pod for pod in pods if (pod.get("status") or {}).get("phase") not in ENDED]
    return max((pod["spec"].get("terminationGracePeriodSeconds") or 0 for pod in running), default=0)
