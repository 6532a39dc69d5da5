"""Whose is what in Docker, and how it goes away.

Everything that a cluster makes in Docker carries its *run*: for a cluster that is kept, its name; for an ephemeral one, its
name and a random part, so that two notebooks with the same lesson do not meet. An ephemeral run also names its owner, the
process it lives with: when that is gone, the run is an orphan, and the next cluster to start sweeps it away.

k8slab's own.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound

from k8slab.cri.docker_engine import Engine, translated
from k8slab.cri.docker_images import OWN_DOMAIN, remove_tag
from k8slab.cri.docker_objects import CLUSTER, OWNER, RUN
from k8slab.names import unlike_any_other

_PARALLEL = 8


@dataclass(frozen=True, slots=True)
class Run:
    """One cluster's life in Docker."""

    id: str
    labels: Mapping[str, str]
    """On everything that it makes."""

    @property
    def network(self) -> str:
        """The name of its bridge."""
        return f"k8slab-{self.id}"

    def message_file(self) -> str:
        """A new file of the machine, to be a container's termination log."""
        folder = _folder(self.id)
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        path = folder / unlike_any_other(32)
        path.touch()
        path.chmod(0o666)  # whoever the container's user is
        return str(path)


def new_run(cluster_name: str, *, ephemeral: bool) -> Run:
    """The run of a cluster that starts now. Raises ValueError if Docker could not use the name."""
    if not cluster_name.replace("-", "").isalnum() or cluster_name.lower() != cluster_name or cluster_name[0] == "-":
        raise ValueError(f"not a cluster name: {cluster_name!r}; write lower-case letters, digits and dashes")
    labels = {CLUSTER: cluster_name}
    if not ephemeral:
        return Run(cluster_name, {**labels, RUN: cluster_name})
    run = f"{cluster_name}-{unlike_any_other()}"
    return Run(run, {**labels, RUN: run, OWNER: _process(os.getpid())})


def _folder(run: str) -> Path:
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"k8slab-{user}" / run


def _process(pid: int) -> str:
    """A process that no other can be taken for: machine, pid, and when it started."""
    started = ""
    with suppress(OSError, IndexError):
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return f"{socket.gethostname()}/{pid}/{started}"


def _is_gone(owner: str) -> bool:
    """Whether an owner surely does not run any more. Of another machine, nothing is sure."""
    host, pid, _ = owner.rsplit("/", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _process(int(pid)) != owner


def clean_up(name: str, *, engine: Engine | None = None) -> None:
    """Remove every container, network, image tag and file of a cluster that is kept, or of one run.

    An ephemeral cluster of that name goes only if its owner is gone. Nothing there is fine.
    """
    with translated():
        own = engine or Engine()
    try:
        _sweep(own, lambda labels: labels.get(RUN) == name)
        clean_up_orphans(own)
    finally:
        if engine is None:
            own.close()


def clean_up_orphans(engine: Engine) -> None:
    """Remove what ephemeral clusters left whose process is gone."""
    _sweep(engine, lambda labels: OWNER in labels and _is_gone(labels[OWNER]))


def _sweep(engine: Engine, is_doomed: Any) -> None:
    with translated():
        containers = engine.containers(all=True, filters={"label": RUN})
        networks = engine.networks(filters={"label": RUN})
    doomed = [one for one in (*containers, *networks) if is_doomed(one["Labels"])]
    runs = {one["Labels"][RUN] for one in doomed}
    ids = [one["Id"] for one in containers if is_doomed(one["Labels"])]
    with ThreadPoolExecutor(_PARALLEL, "k8slab-clean-up") as pool:
        list(pool.map(partial(_remove_container, engine), ids))
    with translated():
        images = engine.images(all=True)
    for image in images:
        labels = image.get("Labels") or {}
        for tag in image.get("RepoTags") or ():
            run = tag.removeprefix(f"{OWN_DOMAIN}/").partition("/")[0]
            if tag.startswith(f"{OWN_DOMAIN}/") and (run in runs or is_doomed({RUN: run})):
                remove_tag(engine, tag)
        if labels.get(RUN) in runs or (RUN in labels and is_doomed({RUN: labels[RUN]})):
            with translated(), suppress(NotFound, APIError):
                engine.remove_image(image["Id"])  # one that was made and never got its name
    # The networks go last: as long as one is there, a clean-up that was cut short can be taken up again.
    for network in networks:
        if is_doomed(network["Labels"]):
            with translated(), suppress(NotFound):
                engine.remove_network(network["Id"])
    for run in runs:
        shutil.rmtree(_folder(run), ignore_errors=True)


def _remove_container(engine: Engine, container_id: str) -> None:
    with translated(), suppress(NotFound):
        try:
            engine.remove_container(container_id, force=True, v=True)
        except APIError as error:
            if "already in progress" not in str(error.explanation):
                raise
