"""What the lab costs: the trace, in time and in memory; going back; an answer to why; a picture of many objects."""

from __future__ import annotations

import gc
import time

from bench.measure import Figure, figure, resident_bytes
from k8slab.api.apps import Deployment
from k8slab.cluster import Cluster as Unwatched
from k8slab.lab.cluster import Cluster
from k8slab.lab.trace import CAPACITY, Trace
from k8slab.lab.tracer import Tracer

PODS = 1_000
ROUNDS = 5
SESSION_PODS = 490
"""About 5,000 changes: ten a Pod."""


def trace_cost() -> Figure:
    """Percent of processor time that 1,000 Pods take more in a watched cluster: the best of five, taken in turns."""
    without, with_ = [], []
    for _ in range(ROUNDS):
        without.append(_deploy(Unwatched, PODS))
        with_.append(_deploy(Cluster, PODS))
    more = (min(with_) / min(without) - 1) * 100
    detail = f"{PODS:,} Pods: {min(without):.2f} s, watched {min(with_):.2f} s; best of {ROUNDS}"
    return figure("cost of the trace", more, "% of run time", detail)


def trace_memory() -> Figure:
    """Megabytes of a full trace: it grows no further."""
    with Cluster(nodes=10, seed=1) as cluster:
        _create(cluster, 100)
        cluster.run_until_idle()
        kept = list(cluster.trace)
        full = Trace()
        gc.collect()
        before = resident_bytes()
        for number in range(CAPACITY):
            each = kept[number % len(kept)]
            full.add(each.kind, each.component, each.verb, f"{each.what}/{number}", each.revision, causes=each.causes)
        gc.collect()
        grown = (resident_bytes() - before) / 2**20
    return figure("memory of a full trace", grown, "MB", f"{CAPACITY:,} records, each with a name of its own")


def replay() -> list[Figure]:
    """Seconds to live a session of about 5,000 changes again, and to step back in it and check the state."""
    with Cluster(nodes=5, seed=1) as cluster:
        _create(cluster, SESSION_PODS)
        cluster.run_until_idle("1h")
        changes, steps = cluster.store.revision, cluster.steps
        start = time.perf_counter()
        cluster.back()
        back = time.perf_counter() - start
        start = time.perf_counter()
        story = cluster._known_story()
        story.live(cluster._engine.spec, steps - 1, Tracer()).close()
        lived = time.perf_counter() - start
    detail = f"{changes:,} changes, {steps:,} steps, {SESSION_PODS} Pods"
    return [
        figure("replay of a session", lived, "s", detail),
        figure("one step back in it", back, "s", "replay, and fingerprints of the state left and reached"),
    ]


def why() -> Figure:
    """Milliseconds to say why, in a full cluster of 1,000 Pods."""
    with Cluster(nodes=10, seed=1) as cluster:
        _create(cluster, PODS)
        cluster.run_until_idle("1h")
        start = time.perf_counter()
        links = len(cluster.why("deployment/web", field="status.readyReplicas").links)
        seconds = time.perf_counter() - start
    return figure(
        "why, among 1,000 Pods", seconds * 1000, "ms", f"a chain of {links} links, {len(cluster.trace):,} records"
    )


def _deploy(kind: type[Unwatched], count: int) -> float:
    with kind(nodes=10, seed=1) as cluster:
        cluster.run_until_idle()
        gc.collect()
        start = time.process_time()
        _create(cluster, count)
        cluster.run_until_idle("1h")
        return time.process_time() - start


def _create(cluster: Unwatched, count: int) -> None:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}}
    spec = {"replicas": count, "selector": {"matchLabels": labels}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    cluster.client.create(Deployment, body, "default")
