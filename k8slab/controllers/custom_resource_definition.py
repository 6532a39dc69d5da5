"""The controller of CustomResourceDefinitions: from a wish for a kind to a kind that is served, and back.

    names free in the group?  -> status.acceptedNames, NamesAccepted     (no: which name is in the way)
    NamesAccepted             -> Established: from now on the API server serves the kind
    deletionTimestamp         -> delete all objects of the kind, then take the finalizer away

Names are given to who came first. When a definition lets go of a name, the others in its group are looked at again.
Upstream runs this inside the API server, as three controllers; here it is one controller like all others.

Models: k8s.io/apiextensions-apiserver/pkg/controller/status/naming_controller.go,
controller/establish/establishing_controller.go, controller/finalizer/crd_finalizer.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from k8slab.api.apiextensions import CustomResourceDefinition, DefinitionVersion
from k8slab.apimachinery.errors import Conflict, NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource
from k8slab.client.client import Client
from k8slab.client.controller import Controller
from k8slab.clock import Clock, to_rfc3339
from k8slab.names import Chance

LEFT_OUT = (
    "Upstream runs this in the API server, as three controllers; here it is one component, which can crash like all others.",
    "The conditions NonStructuralSchema and KubernetesAPIApprovalPolicyConformant are not written.",
    "Objects of a definition with no version served stay in the store when it is deleted.",
)

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
NAMES_ACCEPTED, ESTABLISHED, TERMINATING = "NamesAccepted", "Established", "Terminating"
LOOK_AGAIN = 5.0
"""Seconds after which to look whether the last objects are gone."""
GROUP = "group"

# The names that a definition asks for: field, and what upstream calls a conflict of it.
RESOURCE_NAMES = (("plural", "PluralConflict"), ("singular", "SingularConflict"))
KIND_NAMES = (("kind", "KindConflict"), ("listKind", "ListKindConflict"))


class CustomResourceDefinitionController(Controller):
    """Accepts the names of definitions, establishes them, and clears up after them."""

    name = "crd-controller"

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(client, clock, chance, wake=wake)
        self.definitions = self.informer(
            CustomResourceDefinition, indexers={GROUP: lambda crd: [crd.spec.group]}, on_change=self._changed
        )

    def reconcile(self, key: str) -> float | None:
        """Take the next step of a definition's life."""
        crd = self.definitions.get(key)
        if crd is None:
            return None
        try:
            if crd.metadata.deleting:
                return self._clean_up(crd) if CLEANUP_FINALIZER in crd.metadata.finalizers else None
            self._accept_names(crd)
        except (NotFound, Conflict):
            pass  # it has changed, or gone: we'll be told
        return None

    # Names, and being established.

    def _accept_names(self, crd: CustomResourceDefinition) -> None:
        if crd.spec.names != crd.status.accepted_names:
            # Asked, not remembered: two definitions must not be given the same name by an old cache.
            path = CustomResourceDefinition.resource.path()
            everyone = self.client.raw("GET", path)["items"]
            fresh = next((each for each in everyone if each["metadata"]["uid"] == crd.uid), None)
            if fresh is None:
                return
            in_use = [_accepted(each) for each in everyone if each["spec"]["group"] == crd.spec.group]
            names, reason, message = accepted_names(fresh["spec"]["names"], _accepted(fresh), in_use)
            free = reason == "NoConflicts"
            conditions = [(NAMES_ACCEPTED, free, reason, message)]
            if not crd.is_true(ESTABLISHED):
                waiting = ("Installing", "the initial names have been accepted")
                conditions.append(
                    (ESTABLISHED, False, *(waiting if free else ("NotAccepted", "not all names are accepted")))
                )
            self._write(crd, fresh, conditions, names)
        elif crd.is_true(NAMES_ACCEPTED) and not crd.is_true(ESTABLISHED):
            fresh = self._fresh(crd)
            text = "the initial names have been accepted"
            self._write(crd, fresh, [(ESTABLISHED, True, "InitialNamesAccepted", text)])

    def _fresh(self, crd: CustomResourceDefinition) -> JsonObject:
        return self.client.raw("GET", crd.resource.path("", crd.name))

    def _write(
        self,
        crd: CustomResourceDefinition,
        fresh: JsonObject,
        changes: Iterable[tuple[str, bool, str, str]],
        names: JsonObject | None = None,
    ) -> None:
        """Set conditions, as (type, whether, reason, message), and the accepted names; nothing if nothing changes."""
        before = fresh["status"].get("conditions") or []
        conditions = before
        for type_, holds, reason, message in changes:
            conditions = with_condition(conditions, type_, holds, reason, message, to_rfc3339(self.clock.now()))
        status: JsonObject = {} if conditions == before else {"conditions": conditions}
        if names is not None and names != _accepted(fresh):
            gone = {key: None for key in _accepted(fresh) if key not in names}
            status["acceptedNames"] = names | gone
        if status:
            self.client.patch_status(
                CustomResourceDefinition, crd.name, "", status, resourceVersion=fresh["metadata"]["resourceVersion"]
            )

    # Going.

    def _clean_up(self, crd: CustomResourceDefinition) -> float | None:
        """Delete what is left, and look again while something is; then let the definition go."""
        instances = _served(crd)
        if instances is None:
            self._let_go(crd, "NeverEstablished", "resource was never established")
            return None
        self._write(crd, self._fresh(crd), [
            (TERMINATING, True, "InstanceDeletionInProgress", "CustomResource deletion is in progress")
        ])  # fmt: skip
        try:
            left = self.client.raw("GET", instances.path())["items"]
            for namespace in dict.fromkeys(each["metadata"].get("namespace", "") for each in left):
                self.client.raw("DELETE", instances.path(namespace))
            if left and self.client.raw("GET", instances.path())["items"]:
                return LOOK_AGAIN
        except NotFound:
            return LOOK_AGAIN  # the server does not serve it at the moment
        self._let_go(crd, "InstanceDeletionCompleted", "removed all instances")
        return None

    def _let_go(self, crd: CustomResourceDefinition, reason: str, message: str) -> None:
        self._write(crd, self._fresh(crd), [(TERMINATING, False, reason, message)])
        fresh = self._fresh(crd)["metadata"]
        kept = [each for each in fresh.get("finalizers") or [] if each != CLEANUP_FINALIZER]
        metadata = {"finalizers": kept, "resourceVersion": fresh["resourceVersion"]}
        self.client.patch(CustomResourceDefinition, crd.name, "", {"metadata": metadata})

    def _changed(self, old: CustomResourceDefinition | None, new: CustomResourceDefinition | None) -> None:
        now = new or old
        assert now is not None
        if new is not None:
            self.queue.add(new.key)
        if new is None or (old is not None and old.status.accepted_names != new.status.accepted_names):
            for other in self.definitions.by_index(GROUP, now.spec.group):
                self.queue.add(other.key)


def accepted_names(
    wanted: JsonObject, mine: JsonObject, in_use: Iterable[JsonObject]
) -> tuple[JsonObject, str, str]:  # fmt: skip
    """(the names that are accepted, reason, message): those that are free or mine already; of the others the last in the way.

    `in_use` are the accepted names of all definitions of the group, this one's among them.
    """
    resources: list[str] = []
    kinds: list[str] = []
    for each in in_use:
        resources += [each.get("plural", ""), each.get("singular", ""), *(each.get("shortNames") or [])]
        kinds += [each.get("kind", ""), each.get("listKind", "")]
    names, reason, message = dict(mine), "NoConflicts", "no conflicts found"

    def take(field: str, conflict: str, taken: list[str]) -> None:
        nonlocal reason, message
        name = wanted.get(field, "")
        if name != mine.get(field, "") and name in taken:
            reason, message = conflict, f'"{name}" is already in use'
        else:
            names[field] = name

    for field, conflict in RESOURCE_NAMES:
        take(field, conflict, resources)
    own = [*(mine.get("shortNames") or []), mine.get("plural", ""), mine.get("singular", "")]
    clashes = [name for name in wanted.get("shortNames") or [] if name not in own and name in resources]
    if clashes:
        texts = [f'"{name}" is already in use' for name in clashes]
        reason, message = "ShortNamesConflict", texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    else:
        _set(names, "shortNames", wanted.get("shortNames"))
    for field, conflict in KIND_NAMES:
        take(field, conflict, kinds)
    _set(names, "categories", wanted.get("categories"))
    return names, reason, message


def with_condition(
    conditions: list[JsonObject], type_: str, holds: bool, reason: str, message: str, now: str
) -> list[JsonObject]:
    """The conditions with one of them set; its time of transition changes only where its status does."""
    status = "True" if holds else "False"
    old = next((each for each in conditions if each["type"] == type_), None)
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else now
    new = {"type": type_, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}
    if old is None:
        return [*conditions, new]
    return [new if each is old else each for each in conditions]


def _set(names: JsonObject, field: str, value: object) -> None:
    names.pop(field, None)
    if value:
        names[field] = value


def _accepted(crd: JsonObject) -> JsonObject:
    names: JsonObject = (crd.get("status") or {}).get("acceptedNames") or {}
    return names


def _served(crd: CustomResourceDefinition) -> Resource | None:
    """Where the objects of a definition are; None if it was never established."""
    versions: list[DefinitionVersion] = [each for each in crd.spec.versions if each.served]
    if not crd.is_true(ESTABLISHED) or not versions:
        return None
    names = crd.status.accepted_names
    namespaced = crd.spec.scope == "Namespaced"
    return Resource(crd.spec.group, versions[0].name, names.plural, names.kind, namespaced=namespaced)
