"""Objects of somebody else's cluster: some in full, most as their metadata only.

Who owns whom stands in the metadata, so of most kinds nothing else is asked for (PartialObjectMetadata): it is little, and
what is in a ConfigMap is not ours to carry about. Pods, and what makes Pods, come in full, for their state. Of Secrets there is
only ever the metadata, without the annotation in which `kubectl apply` keeps a copy of them.

Rules differ by kind and namespace, so a refusal is a finding: it is noted beside what was found. Lists come in pages, and
a list that is too long is cut off, which is noted too. resourceVersions are opaque: kept as they are, compared for equality.

k8slab's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from difflib import get_close_matches

from k8slab.apimachinery.errors import ApiError, Expired, Forbidden, MethodNotAllowed, NotFound
from k8slab.apimachinery.rest import JsonObject
from k8slab.client.client import Client
from k8slab.lab.observed.kinds import Kind, Kinds
from k8slab.lab.observed.read_only import ConnectError, NoAnswer, ObservedError

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
HIDDEN = "(not shown)"
IN_FULL = frozenset(
    {"pods", "deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch"}
)
PAGE, MOST_PAGES = 500, 40
AT_ONCE = 8
"""Lists under way at the same time: as polite as one kubectl."""
NOT_ALLOWED, NO_ANSWER = "not allowed to list", "no answer in time"
PATIENCE = 3
"""So many lists may go unanswered; then it is the server that does not answer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An object as it was read, or the metadata of it."""

    kind: Kind
    raw: JsonObject

    @property
    def meta(self) -> JsonObject:
        """Its metadata."""
        found: JsonObject = self.raw["metadata"]
        return found

    @property
    def name(self) -> str:
        """Its name in its namespace."""
        return str(self.meta["name"])

    @property
    def namespace(self) -> str:
        """Its namespace, empty for none."""
        return str(self.meta.get("namespace") or "")

    @property
    def uid(self) -> str:
        """What makes it different from every other object, of the same name too."""
        return str(self.meta.get("uid") or "")

    @property
    def id(self) -> str:
        """As pictures have it: `Pod/default/web`."""
        return "/".join(part for part in (self.kind.label, self.namespace, self.name) if part)

    @property
    def title(self) -> str:
        """As people say it: `Pod web`."""
        return f"{self.kind.label} {self.name}"

    @property
    def owners(self) -> list[JsonObject]:
        """Its owner references."""
        return list(self.meta.get("ownerReferences") or [])


@dataclass(slots=True)
class Listed:
    """What a list of one kind brought."""

    kind: Kind
    items: list[Seen] = field(default_factory=list)
    version: str = ""
    """The list's resourceVersion, from which a watch goes on."""
    problem: str = ""
    """Why there is nothing, or not all; empty: this is all."""


@dataclass(slots=True)
class Everything:
    """All objects that could be seen: of a namespace, or of the cluster."""

    objects: dict[str, Seen]
    """By uid."""
    dependents: dict[str, list[Seen]]
    """By the uid of an owner."""
    notes: tuple[str, ...]


class Reader:
    """Reads objects through a client. Safe to use from several threads."""

    def __init__(self, client: Client, kinds: Kinds) -> None:
        self.client, self.kinds = client, kinds

    def seen(self, kind: Kind, raw: JsonObject) -> Seen:
        """An object as it may be seen: of a Secret nothing but metadata, whatever the server has sent."""
        if not kind.secret:
            return Seen(kind, raw)
        meta = dict(raw["metadata"])
        meta["annotations"] = {key: HIDDEN for key in meta.get("annotations") or {} if key != LAST_APPLIED}
        return Seen(kind, {"metadata": meta})

    def get(self, kind: Kind, namespace: str, name: str) -> Seen | None:
        """One object, in full unless it is a Secret; None if it is not there. Raises ObservedError where we may not."""
        accept = METADATA if kind.secret else "application/json"
        path = kind.resource.path(namespace, name)
        try:
            raw = self.client.request("GET", path, accept=accept).object or {}
        except NotFound:
            return None
        except ApiError as error:
            raise ObservedError(
                f"asked for {kind.resource.kind} {name!r}: {error.message}; try: kubectl auth can-i get {kind.name}"
                + (f" -n {namespace}" if kind.resource.namespaced else "")
            ) from None
        return self.seen(kind, raw)

    def find(self, kind: Kind, namespace: str, name: str) -> Seen:
        """One object. Raises ValueError, which names some that are there, and ObservedError where we may not."""
        found = self.get(kind, namespace, name)
        if found is not None:
            return found
        names = sorted(each.name for each in self.list(kind, namespace).items)
        shown = get_close_matches(name, names, 8) or names[:8]
        where = f" in the namespace {namespace!r}" if kind.resource.namespaced else ""
        hint = f"there are: {', '.join(shown)}" if shown else "none is seen there"
        raise ValueError(f"there is no {kind.resource.kind} {name!r}{where}; {hint}")

    def list(self, kind: Kind, namespace: str = "", fields: str = "", *, chosen: bool = False) -> Listed:
        """The objects of a kind, in a namespace or everywhere. What goes wrong is in its `problem`, never raised.

        In full where the kind is one of `IN_FULL`, or was `chosen` by somebody who wants to see it.
        """
        listed = Listed(kind)
        full = (chosen or kind.name in IN_FULL) and not kind.secret
        accept = "application/json" if full else METADATA_LIST
        query = {"limit": str(PAGE)} | ({"fieldSelector": fields} if fields else {})
        try:
            for _ in range(MOST_PAGES):
                page = (
                    self.client.request("GET", kind.resource.path(namespace), query=query, accept=accept).object or {}
                )
                listed.items += (self.seen(kind, item) for item in page.get("items") or [])
                about = page.get("metadata") or {}
                listed.version = str(about.get("resourceVersion") or "")
                if not about.get("continue"):
                    return listed
                query["continue"] = about["continue"]
            listed.problem = f"cut off after {len(listed.items)}"
        except ApiError as error:
            listed.problem = _problem(error)
        except NoAnswer:
            listed.problem = NO_ANSWER
        return listed

    def everything(self, namespace: str = "") -> Everything:
        """All objects of all kinds that can be listed there: those with a namespace, or all of the cluster."""
        wanted = [kind for kind in self.kinds.all if "list" in kind.verbs and kind.resource.kind != "Event"]
        if namespace:
            wanted = [kind for kind in wanted if kind.resource.namespaced]
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="k8slab-list") as pool:
            lists = list(_patiently(pool.map(lambda kind: self.list(kind, namespace), wanted)))
        objects: dict[str, Seen] = {}
        for each in (item for listed in lists for item in listed.items):
            if each.uid:  # metrics and the like are answers, not objects
                objects.setdefault(each.uid, each)
        return Everything(objects, _by_owner(objects.values()), tuple(self.notes(lists)))

    def notes(self, lists: Iterable[Listed]) -> Iterator[str]:
        """What could not be seen, in sentences: one for each reason."""
        reasons: dict[str, list[str]] = {}
        for listed in lists:
            if listed.problem:
                reasons.setdefault(listed.problem, []).append(listed.kind.name)
        for reason, names in reasons.items():
            yield f"{reason}: {', '.join(names)}"
        if self.kinds.silent:
            yield f"no answer about their kinds: {', '.join(self.kinds.silent)}"


def _patiently(lists: Iterator[Listed]) -> Iterator[Listed]:
    """The lists as they come, until too many go unanswered. Raises ConnectError then; what is still to do is not done."""
    unanswered: list[str] = []
    for listed in lists:
        if listed.problem == NO_ANSWER:
            unanswered.append(listed.kind.name)
            if len(unanswered) > PATIENCE:
                raise ConnectError(f"asked for {', '.join(unanswered)}: no answer in time; is the VPN on?")
        yield listed


def _problem(error: ApiError) -> str:
    if isinstance(error, Forbidden):
        return NOT_ALLOWED
    if isinstance(error, (NotFound, MethodNotAllowed)):
        return "no longer there"
    return "cut off" if isinstance(error, Expired) else f"failed ({error.message.strip()[:80]})"


def _by_owner(objects: Iterable[Seen]) -> dict[str, list[Seen]]:
    dependents: dict[str, list[Seen]] = {}
    for each in objects:
        for uid in Counter(str(owner.get("uid")) for owner in each.owners):
            dependents.setdefault(uid, []).append(each)
    for found in dependents.values():
        found.sort(key=lambda each: (each.kind.label, each.namespace, each.name))
    return dependents
