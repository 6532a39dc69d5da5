"""Admission: the last word on a write, after defaults and before it is stored.

A plugin sees the whole request: who asks, what it was before, what it would be. Mutating plugins may change the object in
place (and refuse early); validating plugins only refuse, after the kind's own rules. Each is a function in a table below,
in upstream's order: to add one, write it and put it in its table.

Models: k8s.io/apiserver/pkg/admission (chain.go, attributes.go), plugin/pkg/admission (namespace/lifecycle,
nodetaint, priority, serviceaccount, defaulttolerationseconds).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from k8slab.apimachinery.errors import Forbidden, NotFound, qualified
from k8slab.apimachinery.rest import JsonObject, UserInfo
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import RESOURCES, ResourceInfo
from k8slab.clock import Clock
from k8slab.names import Chance

CREATE, UPDATE, DELETE, CONNECT = "CREATE", "UPDATE", "DELETE", "CONNECT"


@dataclass(slots=True)
class Attributes:
    """One write, as the plugins see it."""

    operation: str
    """CREATE, UPDATE, DELETE or CONNECT."""
    resource: ResourceInfo
    namespace: str
    name: str
    subresource: str
    object: JsonObject | None
    """What would be stored: private to this request. None for a deletion."""
    old: JsonObject | None
    """What is stored: shared, read-only. None for a creation."""
    user: UserInfo
    dry_run: bool = False

    def is_about(self, plural: str, *operations: str) -> bool:
        """Whether this is one of the operations on a core kind itself, not on a subresource."""
        resource = self.resource
        return (
            resource.plural == plural and not resource.group and not self.subresource and self.operation in operations
        )  # fmt: skip

    def forbidden(self, why: str, causes: list[JsonObject] | None = None) -> Forbidden:
        """`pods "web" is forbidden: ...`."""
        resource = self.resource
        details: JsonObject = {"name": self.name, "group": resource.group, "kind": resource.plural, "causes": causes}
        named = f' "{self.name}"' if self.name else ""
        text = f"{qualified(resource.plural, resource.group)}{named} is forbidden: {why}"
        return Forbidden(text, details={key: value for key, value in details.items() if value})


Plugin = Callable[[Attributes, Registry], None]


class Admission:
    """The chain of plugins. `plugins`: validating ones that need more than the registry."""

    def __init__(self, registry: Registry, clock: Clock, chance: Chance, *plugins: Plugin) -> None:
        self.registry, self.clock, self.chance = registry, clock, chance
        self._validating = (*VALIDATING, *plugins)

    def mutate(self, attributes: Attributes) -> None:
        """Let every mutating plugin complete the object. Raises ApiError where one refuses."""
        for plugin in MUTATING:
            plugin(attributes, self.registry)

    def validate(self, attributes: Attributes) -> None:
        """Ask every validating plugin. Raises ApiError where one refuses."""
        for plugin in self._validating:
            plugin(attributes, self.registry)


# NamespaceLifecycle

_NAMESPACES = RESOURCES["", "namespaces"]
IMMORTAL = ("default", "kube-system", "kube-public")


def namespace_exists(attributes: Attributes, registry: Registry) -> None:
    """Nothing is created in a namespace that is not there, or that is on its way out."""
    namespace = attributes.namespace
    if attributes.operation != CREATE or not namespace or not attributes.resource.namespaced:
        return
    found = registry.find(_NAMESPACES, "", namespace)
    if found is None:
        raise NotFound.named("", "namespaces", namespace)
    if found["metadata"].get("deletionTimestamp") or (found.get("status") or {}).get("phase") == "Terminating":
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        raise attributes.forbidden(why, [cause])


def namespace_is_mortal(attributes: Attributes, registry: Registry) -> None:
    """The namespaces that a cluster cannot do without stay."""
    if attributes.is_about("namespaces", DELETE) and attributes.name in IMMORTAL:
        raise attributes.forbidden("this namespace may not be deleted")


# TaintNodesByCondition

NOT_READY_TAINT = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def taint_new_nodes(attributes: Attributes, registry: Registry) -> None:
    """A new node takes no Pods until it has been seen ready.

    Upstream marks every new node, and a controller takes the mark away; a node that says at birth that it is ready gets none.
    """
    if not attributes.is_about("nodes", CREATE) or attributes.object is None:
        return
    conditions = (attributes.object.get("status") or {}).get("conditions") or []
    if any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions):
        return
    taints = attributes.object.setdefault("spec", {}).setdefault("taints", [])
    if not any(taint.get("key") == NOT_READY_TAINT["key"] and taint.get("effect") == "NoSchedule" for taint in taints):
        taints.append(dict(NOT_READY_TAINT))


# ServiceAccount


def service_account(attributes: Attributes, registry: Registry) -> None:
    """A Pod that names no service account runs as `default`."""
    if not attributes.is_about("pods", CREATE) or attributes.object is None:
        return
    if "kubernetes.io/config.mirror" in (attributes.object["metadata"].get("annotations") or {}):
        return
    spec = attributes.object["spec"]
    name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name


# DefaultTolerationSeconds

TOLERATION_SECONDS = 300
_TROUBLES = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def tolerate_short_troubles(attributes: Attributes, registry: Registry) -> None:
    """A Pod stays for five minutes on a node that is not ready or not reachable, unless it says otherwise."""
    if not attributes.is_about("pods", CREATE, UPDATE) or attributes.object is None:
        return
    spec = attributes.object["spec"]
    tolerations = spec.get("tolerations") or []
    for key in _TROUBLES:
        if not any(_tolerates(toleration, key) for toleration in tolerations):
            toleration = {
                "key": key,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": TOLERATION_SECONDS,
            }
            tolerations = [*tolerations, toleration]
    spec["tolerations"] = tolerations


def _tolerates(toleration: JsonObject, key: str) -> bool:
    return toleration.get("key", "") in (key, "") and toleration.get("effect", "") in ("NoExecute", "")


# Priority

_PRIORITY_CLASSES = RESOURCES["scheduling.k8s.io", "priorityclasses"]
SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
PREEMPT = "PreemptLowerPriority"


def priority(attributes: Attributes, registry: Registry) -> None:
    """The name of a priority class becomes a number, once and for all."""
    if not attributes.is_about("pods", CREATE) or attributes.object is None:
        return
    spec = attributes.object["spec"]
    name, value, policy = _priority_class(attributes, registry, spec.get("priorityClassName") or "")
    if name:
        spec["priorityClassName"] = name
    asked = spec.get("priority")
    if asked is not None and asked != value:
        raise attributes.forbidden(
            f"the integer value of priority ({asked}) must not be provided in pod spec; "
            f"priority admission controller computed {value} from the given PriorityClass name"
        )
    asked_policy = spec.get("preemptionPolicy")
    if asked_policy is not None and asked_policy != policy:
        raise attributes.forbidden(
            f"the string value of PreemptionPolicy ({asked_policy}) must not be provided in pod spec; "
            f"priority admission controller computed {policy} from the given PriorityClass name"
        )
    spec["priority"], spec["preemptionPolicy"] = value, policy


def _priority_class(attributes: Attributes, registry: Registry, name: str) -> tuple[str, int, str]:
    """(name, value, preemption policy) of a class, or of the default one; (``, 0, PreemptLowerPriority) if there is none."""
    if not name:
        # Of several defaults the lowest counts: that hurts nobody who was there before.
        classes = [each for each in registry.list(_PRIORITY_CLASSES).items if each.get("globalDefault")]
        found = min(classes, key=lambda each: (each.get("value", 0), each["metadata"]["name"]), default=None)
    else:
        found = registry.find(_PRIORITY_CLASSES, "", name)
        if found is None and name in SYSTEM_PRIORITIES:
            return name, SYSTEM_PRIORITIES[name], PREEMPT
        if found is None:
            raise attributes.forbidden(f"no PriorityClass with name {name} was found")
    if found is None:
        return "", 0, PREEMPT
    return found["metadata"]["name"], int(found.get("value", 0)), found.get("preemptionPolicy") or PREEMPT


def one_default_priority(attributes: Attributes, registry: Registry) -> None:
    """Only one priority class can be everybody's."""
    resource, obj = attributes.resource, attributes.object
    if resource is not _PRIORITY_CLASSES or attributes.operation not in (CREATE, UPDATE) or obj is None:
        return
    for other in registry.list(resource).items if obj.get("globalDefault") else []:
        name = other["metadata"]["name"]
        if other.get("globalDefault") and name != attributes.name:
            raise attributes.forbidden(f"PriorityClass {name} is already marked as default. Only one default can exist")


MUTATING: tuple[Plugin, ...] = (namespace_exists, taint_new_nodes, service_account, tolerate_short_troubles, priority)
VALIDATING: tuple[Plugin, ...] = (namespace_is_mortal, one_default_priority)
