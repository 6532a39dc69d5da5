"""The numbers of the parts that are no API server: queues, scheduler, and the process itself.

They are looked up in the running components when somebody asks. A component that crashed and came back begins with zero, as a
process does.

Models: k8s.io/component-base/metrics/prometheus/workqueue, pkg/scheduler/metrics/metrics.go,
github.com/prometheus/client_golang/prometheus/process_collector.go.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from k8slab.client.workqueue import WorkQueue
from k8slab.loop.component import Component
from k8slab.metrics import Family, Histogram, Labels
from k8slab.scheduler.scheduler import Scheduler


def measures(components: Sequence[Component]) -> Iterator[Family]:
    """The families of all components that have something to tell."""
    queues = [getattr(each, "queue", None) for each in components]
    yield from _queues([queue for queue in queues if isinstance(queue, WorkQueue)])
    for scheduler in components:
        if isinstance(scheduler, Scheduler):
            yield from _scheduler(scheduler)


def process() -> Iterator[Family]:
    """What this process uses: of no meaning on a virtual clock, where nothing is the same twice."""
    used = os.times()
    yield Family(
        "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.",
        [({}, used.user + used.system)],
    )  # fmt: skip
    with suppress(OSError, ValueError, IndexError):  # where there is a /proc
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        yield Family(
            "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
            [({}, pages * os.sysconf("SC_PAGE_SIZE"))],
        )  # fmt: skip
        yield Family(
            "process_open_fds", "gauge", "Number of open file descriptors.",
            [({}, len(os.listdir("/proc/self/fd")))],
        )  # fmt: skip


def _queues(queues: Sequence[WorkQueue]) -> Iterator[Family]:
    for name, kind, text, look in (
        ("adds_total", "counter", "Total number of adds handled by workqueue", lambda queue: queue.measures.adds),
        ("depth", "gauge", "Current depth of workqueue", len),
        ("retries_total", "counter", "Total number of retries handled by workqueue", lambda queue: queue.measures.retries),
        (
            "queue_duration_seconds", "histogram",
            "How long in seconds an item stays in workqueue before being requested.", lambda queue: queue.measures.waited,
        ),
        (
            "work_duration_seconds", "histogram",
            "How long in seconds processing an item from workqueue takes.", lambda queue: queue.measures.worked,
        ),
    ):  # fmt: skip
        samples: list[tuple[Labels, float | Histogram]] = [
            ({"name": queue.name.removesuffix("-controller")}, look(queue)) for queue in queues
        ]
        yield Family(f"workqueue_{name}", kind, f"[ALPHA] {text}", samples)


def _scheduler(scheduler: Scheduler) -> Iterator[Family]:
    profile = {"profile": scheduler.scheduler_name}
    yield Family(
        "scheduler_schedule_attempts_total", "counter",
        "[STABLE] Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, while "
        "'error' means an internal scheduler problem.",
        [(profile | {"result": result}, count) for result, count in scheduler.attempts.items()],
    )  # fmt: skip
    yield Family(
        "scheduler_pending_pods", "gauge",
        "[STABLE] Number of pending pods, by the queue type. 'active' means number of pods in activeQ; 'backoff' means number of "
        "pods in backoffQ; 'unschedulable' means number of pods in unschedulablePods that the scheduler attempted to schedule "
        "and failed; 'gated' is the number of unschedulable pods that the scheduler never attempted to schedule because they "
        "are gated.",
        [({"queue": name}, count) for name, count in scheduler.queue.depths().items()],
    )  # fmt: skip
