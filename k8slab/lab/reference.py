"""What a learner calls an object, and which one that is: `pod/web-abc`, `deploy/web`, `Node/node-1`.

A name is taken as kubectl takes it: kind (singular, plural, short or as the API spells it), a slash, a name. A kind that a
CustomResourceDefinition defines is named in full, `crontabs.stable.example.com/mine`: which there are differs from cluster
to cluster and from moment to moment, and a trace outlives them. What is not there is answered by what is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from k8slab.apiserver.resources import RESOURCES, ResourceInfo
from k8slab.lab.records import object_of
from k8slab.mistake import Mistake

AT_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Reference:
    """One object, by its address."""

    resource: ResourceInfo
    namespace: str
    name: str

    @property
    def key(self) -> str:
        """As queues have it: `default/web`, `node-1`."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def what(self) -> str:
        """As the trace has it: `pods/default/web`, `stable.example.com/crontabs/default/mine`."""
        resource = self.resource
        return object_of(f"{resource.group}/{resource.plural}" if resource.by_group else resource.plural, self.key)

    @property
    def id(self) -> str:
        """As pictures have it: `Pod/default/web`."""
        return f"{self.resource.kind}/{self.key}"

    def __str__(self) -> str:
        return f"{self.resource.kind} {self.name!r}" + (f" in {self.namespace!r}" if self.namespace else "")


def resource_named(kind: str) -> ResourceInfo:
    """The kind that somebody means. Raises ValueError, which names some that are like it."""
    wanted = kind.strip().lower()
    if "." in wanted:
        plural, _, group = wanted.partition(".")
        return _custom(group, plural)
    for resource in RESOURCES.values():
        if wanted in (resource.kind.lower(), resource.plural, *resource.short_names):
            return resource
    known = sorted({resource.kind.lower() for resource in RESOURCES.values()})
    like = get_close_matches(wanted, known, 3)
    hint = f"did you mean {', '.join(like)}?" if like else "see: kubectl api-resources"
    hint += " (a kind of a CustomResourceDefinition is named in full: crontabs.stable.example.com)"
    raise Mistake(f"no kind {kind!r} is served; {hint}")


def reference(text: str, namespace: str = "default") -> Reference:
    """The object that `kind/name` or `kind/namespace/name` names. Raises ValueError for an unknown kind, or another form."""
    kind, slash, name = text.strip().partition("/")
    if not slash or not name or name.count("/") > 1:
        raise Mistake(f"cannot tell which object {text!r} is; write kind/name, for example 'pod/web' or 'node/node-1'")
    resource = resource_named(kind)
    if "/" in name:
        namespace, _, name = name.partition("/")
    return Reference(resource, namespace if resource.namespaced else "", name)


def reference_of(what: str) -> Reference | None:
    """The object that the trace calls so; None for a key that is no object's."""
    plural, _, rest = what.partition("/")
    if "." in plural:
        group, (plural, _, rest) = plural, rest.partition("/")
        resource: ResourceInfo | None = _custom(group, plural)
    else:
        resource = _BY_PLURAL.get(plural)
    if resource is None or not rest:
        return None
    namespace, _, name = rest.rpartition("/")
    return Reference(resource, namespace, name)


def _custom(group: str, plural: str) -> ResourceInfo:
    """The address of a custom kind, by the name of its definition: what else it is like is not needed here."""
    return RESOURCES.get((group, plural)) or ResourceInfo(
        group, "", plural, f"{plural}.{group}", storage=group, by_group=True
    )


def not_there(wanted: Reference, known: Iterable[str]) -> Mistake:
    """The error for an object that is not there: it names those of its kind that are, the likest first."""
    names = sorted(known)
    like = get_close_matches(wanted.name, names, AT_MOST_NAMED)
    shown = like or names[:AT_MOST_NAMED]
    more = f", and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    there_are = f"there are: {', '.join(shown)}{more}" if shown else f"there is no {wanted.resource.kind} at all"
    return Mistake(f"there is no {wanted}; {there_are}")


_BY_PLURAL: Mapping[str, ResourceInfo] = {
    resource.plural: resource for resource in reversed(list(RESOURCES.values())) if not resource.is_view
}
