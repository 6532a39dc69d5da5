"""Which version of a Deployment a ReplicaSet is.

A ReplicaSet holds one version of the Pod template; its number is an annotation. The newest has the highest number; going
back to an old template gives its ReplicaSet a new number, and the old one moves to its history.

Models: pkg/controller/deployment/util/deployment_util.go, pkg/controller/controller_utils.go (ComputeHash).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import orjson

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.apimachinery.rest import JsonObject
from k8slab.names import fnv32a, safe_encode

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED, MAXIMUM = "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"
HASH_LABEL = "pod-template-hash"
NOT_COPIED = ("kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MAXIMUM)
HISTORY_LENGTH = 2000


def template_hash(template: JsonObject, collisions: int | None) -> str:
    """A short name for a template. Upstream hashes Go's print of it, which has no meaning elsewhere; we hash its JSON."""
    data = orjson.dumps(template, option=orjson.OPT_SORT_KEYS)
    if collisions is not None:
        data += collisions.to_bytes(8, "little")
    return safe_encode(str(fnv32a(data)))


def same_template(rs: ReplicaSet, template: JsonObject) -> bool:
    """Whether a ReplicaSet has this template, its own hash label aside."""
    theirs = rs.spec.template
    meta = theirs.get("metadata") or {}
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH_LABEL}
    mine = template.get("metadata") or {}
    return (
        theirs.get("spec") == template.get("spec")
        and labels == (mine.get("labels") or {})
        and (meta.get("annotations") or {}) == (mine.get("annotations") or {})
    )


def new_replica_set(deployment: Deployment, sets: Iterable[ReplicaSet]) -> ReplicaSet | None:
    """The ReplicaSet of the present template: the oldest that has it; None if there is none yet."""
    for rs in sorted(sets, key=by_age):
        if same_template(rs, deployment.spec.template):
            return rs
    return None


def by_age(rs: ReplicaSet) -> tuple[str, str]:
    """Oldest first."""
    return rs.metadata.creation_timestamp, rs.name


def revision_of(obj: Deployment | ReplicaSet) -> int:
    """Its number, 0 if it has none."""
    text = obj.metadata.annotations.get(REVISION, "")
    return int(text) if text.isdigit() else 0


def next_revision(old: Sequence[ReplicaSet]) -> int:
    """One more than the highest of the old."""
    return max((revision_of(rs) for rs in old), default=0) + 1


def annotations_for(deployment: Deployment, rs: ReplicaSet | None, revision: int) -> dict[str, str]:
    """What a ReplicaSet's annotations should be: those it has, the Deployment's, and its number."""
    before: Mapping[str, str] = rs.metadata.annotations if rs else {}
    wanted = dict(before)
    wanted |= {key: value for key, value in deployment.metadata.annotations.items() if key not in NOT_COPIED}
    was = revision_of(rs) if rs else 0
    if was < revision:
        wanted[REVISION] = str(revision)
        if was:
            history = [each for each in before.get(HISTORY, "").split(",") if each]
            if str(was) not in history:
                history.append(str(was))
            while len(",".join(history)) > HISTORY_LENGTH:
                history.pop(0)
            wanted[HISTORY] = ",".join(history)
    return wanted


def share_annotations(desired: int, maximum: int) -> dict[str, str]:
    """How many Pods the Deployment wanted when the ReplicaSet was last sized, and how many at most."""
    return {DESIRED: str(desired), MAXIMUM: str(maximum)}
