"""Numbers that are not written where they are 0.

Go leaves a plain number out that is 0 (`omitempty`), and writes a pointer to 0: `terminatingReplicas: 0` is there,
`readyReplicas: 0` is not, and `-o jsonpath={.status.readyReplicas}` prints nothing.

Models: the field tags of k8s.io/api/apps/v1/types.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.apimachinery.rest import JsonObject

_WAIT = {"spec": frozenset({"minReadySeconds"})}
OMITTED: Mapping[tuple[str, str], Mapping[str, frozenset[str]]] = {
    ("apps", "daemonsets"): {
        **_WAIT,
        "status": frozenset({"updatedNumberScheduled", "numberAvailable", "numberUnavailable", "observedGeneration"}),
    },
    ("apps", "deployments"): {
        **_WAIT,
        "status": frozenset({
            "replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas",
            "observedGeneration",
        }),
    },
    ("apps", "replicasets"): {
        **_WAIT,
        "status": frozenset({"fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"}),
    },
    ("apps", "statefulsets"): {
        **_WAIT,
        "status": frozenset({"readyReplicas", "currentReplicas", "updatedReplicas", "observedGeneration"}),
    },
}  # fmt: skip
"""By (group, plural), then by the part of the object."""


def leave_out_zeros(obj: JsonObject, omitted: Mapping[str, frozenset[str]]) -> None:
    """Replace the parts of an object in which such a number is 0."""
    for part, names in omitted.items():
        found = obj.get(part)
        if isinstance(found, dict) and any(found.get(name) == 0 for name in names):
            obj[part] = {name: value for name, value in found.items() if value != 0 or name not in names}
