"""Who owns which fields: how the handlers keep managedFields.

Each accepted create, update and patch is recorded here: after defaulting, so that a manager also owns what was filled in for
it, and before admission, whose changes are nobody's. A client may send managedFields of its own (`kubectl edit` does, and the
way from client-side to server-side apply): they are taken as they are, `[]` begins anew, and nonsense counts as nothing.

Writes that only the server makes (a binding, the mark of a deletion) are not recorded.

Models: k8s.io/apimachinery/pkg/util/managedfields (fieldmanager.go), k8s.io/apiserver/pkg/endpoints/handlers/fieldmanager.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from k8slab.apimachinery.errors import Cause, Invalid, invalid
from k8slab.apimachinery.fields_of import compare
from k8slab.apimachinery.fieldset import LEAF, FieldSet
from k8slab.apimachinery.managed import MANAGED, UPDATE, Entries, Writer, read_entries, record_update
from k8slab.apimachinery.managed import record_create as created_entries
from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.handlers.context import Context
from k8slab.clock import to_rfc3339

LEFT_OUT = (
    "Sets of fields are not converted between versions of a kind.",
    "Managers of components are their own names; upstream has one for all controllers.",
)

LONGEST_MANAGER = 128
STATUS: FieldSet = {"f:status": LEAF}


def writer_of(context: Context, operation: str = UPDATE) -> Writer:
    """Who makes a request. Raises Invalid for a fieldManager that can't be one."""
    asked = context.request.param("fieldManager")
    causes = manager_causes(asked) if asked else []
    if causes:
        options = {"create": "CreateOptions", "update": "UpdateOptions"}.get(context.info.verb, "PatchOptions")
        raise Invalid.object(options, "meta.k8s.io", "", causes)
    return Writer(
        asked or _named_by_agent(context.request.headers.get("user-agent", "")) or "unknown",
        operation,
        context.resource.api_version,
        context.info.subresource,
        to_rfc3339(context.server.clock.now()),
    )


def manager_causes(name: str) -> list[Cause]:
    """What is wrong with a manager's name."""
    if len(name.encode()) > LONGEST_MANAGER:
        return [Cause("fieldManager", "FieldValueTooLong", f"Too long: may not be more than {LONGEST_MANAGER} bytes")]
    wrong = [(place, sign) for place, sign in enumerate(name) if not sign.isprintable()]
    return [
        invalid("fieldManager", name, f"invalid character U+{ord(sign):04X} (at position {place})")
        for place, sign in wrong
    ]


@lru_cache(maxsize=256)
def _named_by_agent(agent: str) -> str:
    """A client that does not name its manager is known by the first part of its user agent: `kubectl/v1.37.1 ...`."""
    return "".join(filter(str.isprintable, agent.partition("/")[0]))[:LONGEST_MANAGER]


def fields_reset(context: Context) -> FieldSet:
    """The fields that a request cannot set, whatever it says: the status, or all but the status."""
    if context.info.subresource == "status":
        definition = context.definition
        return {"f:" + name: LEAF for name in definition.fields if name != "status"} if definition else LEAF
    return STATUS if has_status(context) else LEAF


def has_status(context: Context) -> bool:
    """Whether the kind's status is written through /status only."""
    return context.strategy.status_subresource and "status" in context.resource.subresources


def record_create(context: Context, obj: JsonObject) -> None:
    """Note who created an object, in its metadata."""
    definition = context.definition
    if definition is None:
        return
    # What a client sends along says nothing here: whoever creates an object adds, and so takes, all that is in it.
    set_entries(
        obj, created_entries(definition.type, obj, writer_of(context), ("status",) if has_status(context) else ())
    )


def record_change(context: Context, new: JsonObject, old: JsonObject, sent: Any) -> None:
    """Note who changed what of an object, in its metadata. `sent` is what the client said of managedFields."""
    definition = context.definition
    before: Entries = old["metadata"].get(MANAGED) or []
    entries = before if sent is before or context.info.subresource else _sent_entries(sent, before)
    if not entries or definition is None:
        # Without a beginning there is no account: only a create, or an apply, opens one.
        set_entries(new, [])
        return
    if has_status(context) and context.info.subresource != "status":
        old = (
            {**old, "status": new.get("status")} if "status" in new else {k: v for k, v in old.items() if k != "status"}
        )
    changed, removed = compare(definition.type, old, new)
    if changed or removed:
        entries = record_update(entries, writer_of(context), changed, removed)
    set_entries(new, entries)


def _sent_entries(sent: Any, before: Entries) -> Entries:
    if sent is None or sent == before:
        return before
    found = read_entries(sent)
    return before if found is None else found


def set_entries(obj: JsonObject, entries: Entries) -> None:
    """Put entries into an object's own metadata; none at all are left out."""
    if entries:
        obj["metadata"][MANAGED] = entries
    else:
        obj["metadata"].pop(MANAGED, None)


def keep_times(new: JsonObject, old: JsonObject) -> JsonObject:
    """The new object; with the old entries where it differs in nothing but their times. So a write of nothing writes nothing."""
    mine, before = new["metadata"].get(MANAGED), old["metadata"].get(MANAGED)
    if mine is before or not mine or not before or len(mine) != len(before):
        return new
    if any(a is not b and {**a, "time": ""} != {**b, "time": ""} for a, b in zip(mine, before, strict=True)):
        return new
    kept = {**new, "metadata": {**new["metadata"], MANAGED: before}}
    return kept if kept == old else new
