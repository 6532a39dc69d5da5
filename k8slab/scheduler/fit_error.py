"""Why no node will do, in upstream's words.

    0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. preemption: ...

Models: pkg/scheduler/framework/types.go (FitError).
"""

from __future__ import annotations

from collections.abc import Iterable

from k8slab.scheduler.framework import Verdict

NO_NODES = "no nodes available to schedule pods"


def fit_error(verdict: Verdict, total: int, afterwards: str = "") -> str:
    """Each reason with the number of nodes that gave it; then what came of the attempt to make room."""
    if not total:
        return NO_NODES
    if verdict.outright:
        reasons = f"{verdict.outright}."
    else:
        reasons = f"{histogram(reason for reasons in verdict.reasons.values() for reason in reasons)}."
    return f"0/{total} nodes are available: {reasons}{' ' if afterwards else ''}{afterwards}"


def histogram(reasons: Iterable[str]) -> str:
    """`1 this, 2 that`: each reason and how often it was given, in the order of that text."""
    counts: dict[str, int] = {}
    for reason in reasons:
        counts[reason] = counts.get(reason, 0) + 1
    return ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
