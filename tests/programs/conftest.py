"""Programs by others, unmodified, as processes of their own, against a live cluster over TLS."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from k8slab import Cluster

HERE = Path(__file__).parent
BUDGET = 60
"""Seconds after which a program has gone wrong: it should need a few."""


@pytest.fixture(scope="session")
def live() -> Iterator[Cluster]:
    with Cluster(nodes=2, mode="live", runtime="simulated", name="programs") as cluster:
        yield cluster


@pytest.fixture
def environment(live, tmp_path) -> dict[str, str]:
    """What a program is given: where the cluster is, and nothing else that could lead to one."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR", "PYTHONPATH")}
    return kept | {"KUBECONFIG": str(live.kubeconfig), "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def run(environment) -> Callable[..., list[str]]:
    """Run a program of this folder; the steps that it says it has done. It must end well."""

    def program(name: str, *arguments: str) -> list[str]:
        ran = subprocess.run(
            [sys.executable, str(HERE / name), *arguments],
            env=environment, capture_output=True, text=True, timeout=BUDGET, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout.splitlines()

    return program
