"""The life of a cluster of the command line: configured once, started, stopped, started again, deleted.

A cluster keeps what it was made as until it is deleted; whoever asks a stopped one for something else is told so.
Models: minikube's cmd/minikube/cmd (start.go, stop.go, delete.go).
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from k8slab.cli.profile import Config, Profile, ProfileError, State, runs_a_cluster
from k8slab.cli.words import command
from k8slab.client.kubeconfig import default_path, remove_context
from k8slab.clock import Stopwatch, sleep_really
from k8slab.etcd.kinds import clean_up

STOP_WITHIN = 30.0


def config_for(
    profile: Profile, nodes: int, runtime: str, port: int, kubeconfig: Path | None, mirrors: str, store: str
) -> Config:  # fmt: skip
    """A new cluster's configuration, or a stopped one's: that keeps what it was made as."""
    file = str((kubeconfig or default_path()).expanduser().absolute())
    if not profile.exists:
        return Config(nodes, _resolve(runtime), file, port, mirrors, store)
    config = profile.config()
    if nodes not in (config.nodes, 3) or runtime not in (config.runtime, "auto"):
        raise ProfileError(
            f"the cluster {profile.name!r} has {config.nodes} nodes and the {config.runtime} runtime, and keeps them; "
            f"for others delete it first: {command('delete', profile.name)}"
        )
    if store not in (config.store, "sqlite"):
        raise ProfileError(
            f"the cluster {profile.name!r} keeps its objects in {config.store}, and goes on to; "
            f"for another store delete it first: {command('delete', profile.name)}"
        )
    if kubeconfig is not None:
        config.kubeconfig = file
    config.port = port or config.port
    config.mirrors = mirrors or config.mirrors
    return config


def running(name: str) -> State:
    """The process of a cluster. Raises ProfileError if it does not run."""
    profile = Profile(name)
    profile.config()
    state = profile.state()
    if state is None:
        raise ProfileError(f"the cluster {name!r} does not run; start it: {command('start', name)}")
    return state


def stop(profile: Profile) -> bool:
    """Have the process of a cluster end; False if there is none. Raises ProfileError for one that does not."""
    state = profile.state()
    if state is None:
        return False
    os.kill(state.pid, signal.SIGTERM)
    watch = Stopwatch()
    while runs_a_cluster(state.pid):
        if watch.elapsed() > STOP_WITHIN:
            raise ProfileError(f"process {state.pid} has not stopped within {STOP_WITHIN:g}s; see {profile.log}")
        sleep_really(0.05)
    return True


def delete(profile: Profile) -> None:
    """Remove every trace of a cluster; of a damaged profile too."""
    stop(profile)
    config = None
    with suppress(ProfileError):  # a damaged profile can be deleted too
        config = profile.config()
    if config is not None and config.kubeconfig:
        remove_context(Path(config.kubeconfig), profile.name)
    if config is not None and config.runtime == "docker":
        from k8slab.cri import docker

        docker.clean_up(profile.name)
    clean_up(profile.path)
    profile.remove()


def _resolve(runtime: str) -> str:
    """What a runtime that was asked for comes to on this machine."""
    if runtime == "simulated":
        return runtime
    from k8slab.cri import docker

    problem = docker.DockerRuntime.available()
    if problem is None:
        return "docker"
    if runtime == "docker":
        raise ProfileError(f"the Docker Engine does not answer: {problem}; or use --runtime simulated")
    return "simulated"
