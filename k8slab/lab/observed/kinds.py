"""Which kinds a cluster has: it says so itself, custom ones too.

Discovery comes in two forms. Since Kubernetes 1.26 one answer says everything (aggregated); older servers are walked, group
by group. Of a kind that is served in several versions, the version that the server prefers is taken.

An API that another server stands behind (metrics, a company's own) may be silent: it is named, and the rest goes on.

A kind is named as kubectl takes it: `po`, `pods`, `Pod`, `pods.v1.`, `deployments.apps`, `certificates.cert-manager.io`.

Models: k8s.io/client-go/discovery (ServerPreferredResources), restmapper/shortcut.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches

from k8slab.apimachinery.errors import ApiError, Forbidden
from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource, split_api_version
from k8slab.client.client import Client
from k8slab.lab.drawing import Table
from k8slab.lab.observed.read_only import ConnectError

AGGREGATED = ",".join(
    [
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        "application/json",
    ]
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind that a cluster serves."""

    resource: Resource
    singular: str = ""
    short_names: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    label: str = ""
    """What pictures call it: `Pod`; with its group, if a kind before it has the same name."""

    @property
    def name(self) -> str:
        """Without doubt which: `pods`, `deployments.apps`."""
        return f"{self.resource.plural}.{self.resource.group}" if self.resource.group else self.resource.plural

    @property
    def secret(self) -> bool:
        """Whether its content is nobody's business: then only metadata is ever asked for."""
        return self.name == "secrets"

    def answers_to(self, text: str) -> bool:
        """Whether somebody who says `text`, in small letters, means this kind."""
        names = {self.resource.kind.lower(), self.resource.plural, self.singular, *self.short_names} - {""}
        group, version = self.resource.group, self.resource.version
        return any(text in (name, f"{name}.{group}", f"{name}.{version}.{group}") for name in names)


@dataclass(frozen=True)
class Kinds:
    """All kinds of a cluster, in the server's order: the core group first."""

    all: tuple[Kind, ...]
    silent: tuple[str, ...] = ()
    """Group-versions whose server said nothing."""

    def named(self, text: str) -> Kind:
        """The kind that somebody means, the first of several. Raises ValueError, which names some that are like it."""
        wanted = text.strip().lower()
        for kind in self.all:
            if kind.answers_to(wanted):
                return kind
        known = {kind.resource.kind.lower(): None for kind in self.all} | {kind.name: None for kind in self.all}
        like = get_close_matches(wanted, list(known), 3)
        hint = f"did you mean {', '.join(like)}?" if like else "see: lab.kinds"
        silent = f" (silent: {', '.join(self.silent)})" if self.silent else ""
        raise ValueError(f"this cluster serves no kind {text!r}{silent}; {hint}")

    def of(self, api_version: str, kind: str) -> Kind | None:
        """The kind that an object or a reference names, in whatever version."""
        group, _ = split_api_version(api_version)
        return next((each for each in self.all if (each.resource.group, each.resource.kind) == (group, kind)), None)

    @property
    def table(self) -> Table:
        """The kinds as rows."""
        rows = ((each.name, each.resource.kind, each.resource.api_version, *_described(each)) for each in self.all)
        return Table(("Name", "Kind", "Version", "Short names", "Namespaced", "Verbs"), tuple(rows))


def discover(client: Client) -> Kinds:
    """Ask a server for its kinds. Raises ConnectError where it does not say."""
    found: list[Kind] = []
    silent: list[str] = []
    for root in ("/api", "/apis"):
        try:
            answer = client.request("GET", root, accept=AGGREGATED).object or {}
        except Forbidden as error:
            raise ConnectError(
                f"asked which kinds there are (GET {root}): not allowed: {error.message}; everybody who is logged in may, "
                "by the ClusterRole system:discovery: ask an administrator for its binding"
            ) from None
        except ApiError as error:
            raise ConnectError(
                f"asked which kinds there are (GET {root}): {error.message}; is this a Kubernetes API server?"
            ) from None
        aggregated = answer.get("kind") == "APIGroupDiscoveryList"
        found += _aggregated(answer, silent) if aggregated else _walked(client, answer, silent)
    if not found:
        raise ConnectError("asked which kinds there are: none; is this a Kubernetes API server?")
    return Kinds(tuple(_labelled(_preferred(found))), tuple(silent))


def _described(kind: Kind) -> tuple[str, str, str]:
    return ", ".join(kind.short_names), "yes" if kind.resource.namespaced else "no", ", ".join(kind.verbs)


def _aggregated(answer: JsonObject, silent: list[str]) -> Iterator[Kind]:
    for group in answer.get("items") or []:
        name = group["metadata"].get("name") or ""
        for version in group.get("versions") or []:
            if version.get("freshness") == "Stale":
                silent.append(f"{name}/{version['version']}")
            for each in version.get("resources") or []:
                response = each.get("responseKind") or {}
                if response.get("kind"):
                    where = Resource(
                        name, version["version"], each["resource"], response["kind"], each.get("scope") == "Namespaced"
                    )
                    yield _kind(where, each.get("singularResource"), each)


def _walked(client: Client, answer: JsonObject, silent: list[str]) -> Iterator[Kind]:
    """The older form: which groups and versions, and then each by itself."""
    for group, version in _group_versions(answer):
        prefix = Resource(group, version, "", "").prefix
        try:
            resources = client.raw("GET", prefix).get("resources") or []
        except ApiError:
            silent.append(f"{group}/{version}" if group else version)
            continue
        for each in resources:
            if "/" not in each["name"]:
                where = Resource(group, version, each["name"], each["kind"], bool(each.get("namespaced")))
                yield _kind(where, each.get("singularName"), each)


def _group_versions(answer: JsonObject) -> Iterator[tuple[str, str]]:
    for version in answer.get("versions") or []:
        yield "", version
    for group in answer.get("groups") or []:
        preferred = (group.get("preferredVersion") or {}).get("version")
        versions = [each["version"] for each in group.get("versions") or []]
        for version in sorted(versions, key=lambda each: each != preferred):
            yield group["name"], version


def _kind(where: Resource, singular: str | None, said: JsonObject) -> Kind:
    return Kind(where, singular or "", tuple(said.get("shortNames") or ()), tuple(said.get("verbs") or ()))


def _preferred(found: Iterable[Kind]) -> Iterator[Kind]:
    """Each kind once: versions come in the order of preference."""
    chosen: dict[tuple[str, str], Kind] = {}
    for kind in found:
        chosen.setdefault((kind.resource.group, kind.resource.plural), kind)
    yield from chosen.values()


def _labelled(kinds: Iterable[Kind]) -> Iterator[Kind]:
    taken: set[str] = set()
    for kind in kinds:
        bare = kind.resource.kind
        yield replace(kind, label=f"{bare}.{kind.resource.group}" if bare in taken else bare)
        taken.add(bare)
