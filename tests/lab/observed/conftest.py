from __future__ import annotations

import pytest

from k8slab.lab.connect import Lab
from tests.lab.observed.fake_cluster import FakeCluster


@pytest.fixture
def fake():
    fake = FakeCluster()
    yield fake
    fake.stop()


@pytest.fixture
def lab(fake, tmp_path):
    """A lab on the fake cluster; what a test adds to the cluster is seen at once."""
    with Lab.connect(fake.kubeconfig(tmp_path)) as lab:
        yield lab


@pytest.fixture
def web(fake):
    """A Deployment, its ReplicaSet and a Pod."""
    deployment = fake.add("apps/v1/deployments", "web", spec={"replicas": 1}, status={"readyReplicas": 1})
    replicas = fake.add("apps/v1/replicasets", "web-1", owner=deployment, spec={"replicas": 1}, status={})
    pod = fake.add("v1/pods", "web-1-a", owner=replicas, spec={}, status={"phase": "Running"})
    return deployment, replicas, pod
