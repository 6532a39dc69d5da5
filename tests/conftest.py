"""What all tests share."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# The same examples in every run: a test that fails here fails everywhere.
settings.register_profile("k8slab", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("k8slab")

REQUIRED = {"docker": "K8SLAB_REQUIRE_DOCKER", "browser": "K8SLAB_REQUIRE_BROWSER"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where CI insists on Docker or a browser, a test that skips for want of it has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        for marker, variable in REQUIRED.items():
            if item.get_closest_marker(marker) and os.environ.get(variable) == "1":
                report.outcome = "failed"
                report.longrepr = f"{variable}=1, so this may not be skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def docker_engine():
    """Call it where a test needs Docker: it skips the test, with the reason, where no Engine answers."""

    def need() -> None:
        from k8slab.cri.docker import DockerRuntime

        if problem := DockerRuntime.available():
            pytest.skip(problem)

    return need
