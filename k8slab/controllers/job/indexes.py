"""The indexes of an Indexed Job: each is to succeed once.

Written as `1,3-5,7`, as in `status.completedIndexes`.

Models: pkg/controller/job/indexed_job_utils.go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from k8slab.api.core import Pod

INDEX = "batch.kubernetes.io/job-completion-index"
"""The annotation, and the label, of a Pod that says its index."""


def index_of(pod: Pod) -> int | None:
    """The Pod's index, None if it has none."""
    text = pod.metadata.annotations.get(INDEX, "")
    return int(text) if text.isdigit() else None


def parse_indexes(text: str | None, count: int) -> frozenset[int]:
    """The indexes that a text names, those below `count`."""
    found: set[int] = set()
    for part in (text or "").split(","):
        first, _, last = part.partition("-")
        if first:
            found.update(range(int(first), int(last or first) + 1))
    return frozenset(each for each in found if each < count)


def format_indexes(indexes: Iterable[int]) -> str:
    """The text for indexes: three or more in a row as a range, two as a pair."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ",".join(
        f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run))
        for run in runs
    )  # fmt: skip


def pending_indexes(count: int, taken: Collection[int], many: int) -> list[int]:
    """The first indexes below `count` that are not taken."""
    return [index for index in range(count) if index not in taken][:many]


def surplus_of(pods: Iterable[Pod], count: int) -> tuple[list[Pod], list[Pod]]:
    """(Pods that have no index, or another's, or one that is out of range; the others). Of twins the older one stays."""
    seen: set[int] = set()
    surplus, kept = [], []
    for pod in sorted(pods, key=lambda each: (each.metadata.creation_timestamp, each.name)):
        index = index_of(pod)
        if index is None or index >= count or index in seen:
            surplus.append(pod)
        else:
            seen.add(index)
            kept.append(pod)
    return surplus, kept
