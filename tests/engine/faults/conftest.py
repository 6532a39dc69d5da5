"""A small cluster, to break."""

from __future__ import annotations

import pytest

from k8slab.cluster import Cluster


@pytest.fixture
def cluster():
    with Cluster(nodes=1, seed=1) as cluster:
        yield cluster
