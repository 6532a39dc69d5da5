"""Which kinds a server serves: asked, never known by heart.

Some components work on every kind there is: the garbage collector, the namespace controller. Which kinds there are depends on
the server, and changes while it runs, when somebody defines one. So they ask: `/api` and `/apis` answer with all groups,
their versions, and the kinds in them, each with its plural, its scope and its verbs.

A group may serve a kind in several versions; they are one and the same object, so whoever wants each object once takes the
*preferred* version of each.

Models: k8s.io/client-go/discovery (ServerPreferredResources), restmapper.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from k8slab.apimachinery.rest import JsonObject
from k8slab.apimachinery.scheme import Resource
from k8slab.client.client import Client

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
ENTRIES = ("/api", "/apis")


@dataclass(frozen=True, slots=True)
class Served:
    """A kind in one version, as the server describes it."""

    resource: Resource
    verbs: frozenset[str]

    def supports(self, *verbs: str) -> bool:
        """Whether it has all these verbs."""
        return self.verbs.issuperset(verbs)


def discover(client: Client) -> tuple[Served, ...]:
    """Every kind in every version, the preferred version of a group first. Raises ApiError."""
    found: list[Served] = []
    for entry in ENTRIES:
        answer = client.request("GET", entry, accept=AGGREGATED)
        groups: JsonObject = answer.object if answer.object is not None else orjson.loads(answer.body)
        found += (served for group in groups["items"] for served in _of_group(group))
    return tuple(found)


def preferred(served: Iterable[Served]) -> list[Served]:
    """Each kind once, in the first version that has it."""
    first: dict[tuple[str, str], Served] = {}
    for each in served:
        first.setdefault((each.resource.group, each.resource.plural), each)
    return list(first.values())


class NoKindMatch(Exception):
    """No kind of that name is served."""


class RestMapper:
    """From a kind, as owner references name it, to where it is served."""

    def __init__(self, served: Sequence[Served] = ()) -> None:
        self._resources = {(each.resource.api_version, each.resource.kind): each.resource for each in served}

    def resource(self, api_version: str, kind: str) -> Resource:
        """The resource of a kind. Raises NoKindMatch."""
        found = self._resources.get((api_version, kind))
        if found is None:
            raise NoKindMatch(f'no matches for kind "{kind}" in version "{api_version}"')
        return found


def _of_group(group: JsonObject) -> Iterable[Served]:
    name = group["metadata"].get("name", "")
    for version in group["versions"]:
        for row in version["resources"]:
            kind = row.get("responseKind") or {}
            resource = Resource(
                name, version["version"], row["resource"], kind.get("kind", ""), row["scope"] == "Namespaced"
            )  # fmt: skip
            yield Served(resource, frozenset(row["verbs"]))
