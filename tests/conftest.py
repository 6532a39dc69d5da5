"""What all tests share."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import settings

# The same examples in every run: a test that fails here fails everywhere.
settings.register_profile("k8slab", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("k8slab")

NO_SKIPS = "K8SLAB_NO_SKIPS"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where CI insists on everything, a test that skips for want of something has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get(NO_SKIPS) == "1":
        report.outcome = "failed"
        report.longrepr = f"{NO_SKIPS}=1, so this may not be skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="module", autouse=True)
def no_cluster_left_open():
    """A file of tests closes the clusters it opens: one left open is `Cluster.current()` to the files that come after."""
    before = _open_clusters()
    yield
    left = _open_clusters() - before
    for cluster in left:
        cluster.close()
    assert not left, f"left open: {left}"


def _open_clusters() -> set:
    module = sys.modules.get("k8slab.cluster")
    return set(module.Cluster._open) if module else set()


@pytest.fixture(scope="session")
def docker_engine():
    """Call it where a test needs Docker: it skips the test, with the reason, where no Engine answers."""

    def need() -> None:
        from k8slab.cri.docker import DockerRuntime

        if problem := DockerRuntime.available():
            pytest.skip(problem)

    return need
