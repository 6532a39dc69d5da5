from __future__ import annotations

import pytest

from k8slab import Cluster
from tests.lab.worlds import a_day, create, scale


@pytest.fixture(scope="module", autouse=True)
def no_cluster_left_open():
    """The two lives below are shared by the files of this folder, and closed after the last."""


@pytest.fixture(scope="package")
def young():
    """A cluster in which a Deployment was made, and scaled."""
    with Cluster(nodes=2, seed=1) as cluster:
        create(cluster, "web", 2)
        cluster.run_until_idle()
        scale(cluster, "web", 3)
        cluster.run_until_idle()
        yield cluster


@pytest.fixture(scope="package")
def old():
    """A cluster that has lived through a day: a rollout, a lost node, a slow watch, a deletion."""
    with Cluster(nodes=3, seed=5) as cluster:
        a_day(cluster)
        yield cluster
