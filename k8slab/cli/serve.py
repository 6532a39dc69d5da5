"""The process that is a live cluster: started by `k8slab start`, in the foreground or detached.

It tells its parent how far it is by lines on standard output, runs until SIGTERM or SIGINT, and leaves a profile from which
it can be started again with all its objects. Its dashboard listens from the beginning: that is a socket and two sleeping
threads, and the rest comes with the first page. Where it is stands in the profile's state, for `k8slab dashboard`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from k8slab.cli.detached import READY
from k8slab.cli.profile import Config, Profile, ProfileError, State
from k8slab.client.kubeconfig import merge_context
from k8slab.clock import RealClock, Stopwatch
from k8slab.etcd.kinds import open_store
from k8slab.etcd.store import Store, StoreError
from k8slab.lab.cluster import Cluster
from k8slab.lab.dashboard import open_dashboard
from k8slab.names import unlike_any_other

Say = Callable[[str], None]

READY_WITHIN = 60.0


def serve(profile: Profile, config: Config, say: Say, stop: threading.Event) -> None:
    """Run the cluster until `stop` is set. Raises ProfileError with what is wrong and what to do."""
    watch = Stopwatch()
    profile.make()
    again = profile.stored
    say(
        f"{'Starting' if again else 'Creating'} the cluster {profile.name!r}: {config.nodes} nodes, {config.runtime} runtime"
    )
    with closing(_open(profile, config)) as store:
        with _cluster(profile, config, store) as cluster, open_dashboard(cluster) as dashboard:
            config.port = int(cluster.url.rpartition(":")[2])
            say(f"The control plane listens on {cluster.url}")
            _publish(profile, config, cluster)
            profile.save(config)
            profile.save_state(State(os.getpid(), cluster.url, RealClock().now(), dashboard.url))
            try:
                cluster.run_until(lambda: _all_ready(cluster, config.nodes), READY_WITHIN)
            except TimeoutError:
                say(f"Not all nodes were Ready within {READY_WITHIN:g}s; look at: kubectl describe nodes")
            say(f"{config.nodes} nodes are Ready, after {watch.elapsed():.1f}s")
            say(f"kubectl now uses the context {profile.name!r} of {config.kubeconfig}")
            say(READY)
            stop.wait()
            say("Stopping ...")
        profile.save_state(None)


def _open(profile: Profile, config: Config) -> Store:
    try:
        return open_store(config.store, RealClock(), profile.path)
    except StoreError as error:
        raise ProfileError(str(error)) from None


def _cluster(profile: Profile, config: Config, store: Store) -> Cluster:
    def make(port: int) -> Cluster:
        cluster = Cluster(
            config.nodes,
            seed=_seed(profile),
            mode="live",
            runtime=config.runtime,
            name=profile.name,
            store=store,
            directory=profile.path,
            port=port,
            mirrors=config.mirrors,
        )
        if config.audit_log:
            cluster.audit(config.audit_log)
        try:
            _ = cluster.url
        except OSError:
            cluster.close()
            raise
        return cluster

    try:
        return make(config.port)
    except OSError:
        if not config.port:
            raise
        return make(0)  # someone else has the port now; the context is written anew


def _seed(profile: Profile) -> int:
    """Live clusters have names of their own: the seed comes from chance, once, and is kept."""
    path = profile.path / "seed"
    with contextlib.suppress(OSError, ValueError):
        return int(path.read_text())
    seed = int(unlike_any_other(12), 16)
    path.write_text(str(seed))
    return seed


def _publish(profile: Profile, config: Config, cluster: Cluster) -> None:
    merge_context(Path(config.kubeconfig), profile.name, cluster.url, cluster.credentials)


def _all_ready(cluster: Cluster, count: int) -> bool:
    from k8slab.api.core import Node

    nodes = cluster.client.list(Node)
    ready = [node for node in nodes if (found := node.condition("Ready")) and found.status == "True"]
    return len(ready) >= count
