"""What a node says of itself: here, of the images that it has."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.api.core import Node, Pod
from k8slab.cri.api import Image
from tests.engine.harness import pod

REPOSITORY = "docker.io/library/nginx"


@pytest.fixture
def cluster():
    with Cluster(nodes=2, seed=1) as cluster:
        yield cluster


def run(cluster, node="node-1", image="nginx:1.29"):
    cluster.client.create(Pod, pod(image=image, nodeName=node), "default")
    cluster.run_until_idle()


def images(cluster, node="node-1"):
    return [dict(each) for each in cluster.client.get(Node, node).status.images]


def test_a_node_tells_which_images_it_has_by_digest_and_by_tag_half_a_minute_after_they_came(cluster):
    run(cluster)
    assert images(cluster) == []
    cluster.run_for("40s")
    [found] = images(cluster)
    digest, tag = found["names"]
    assert (digest.partition("@sha256:")[0], tag) == (REPOSITORY, f"{REPOSITORY}:1.29")
    assert found["sizeBytes"] > 10_000_000
    assert images(cluster, "node-2") == []


def test_an_image_that_is_gone_is_told_of_no_more(cluster):
    run(cluster)
    cluster.run_for("40s")
    cluster.client.delete(Pod, "web", "default")
    cluster.run_until_idle()
    cluster.engine.runtimes["node-1"].remove_image(images(cluster)[0]["names"][1])
    cluster.run_for("40s")
    assert images(cluster) == []


def test_fifty_images_are_told_the_largest_first_with_five_names_each(cluster):
    held = [Image(f"sha256:{size:03}", tuple(f"web:{tag}" for tag in range(9)), (), size) for size in range(1, 61)]
    cluster.engine.loop.component("kubelet-node-1").node._runtime.list_images = lambda: held
    cluster.run_for("40s")
    found = images(cluster)
    assert [each["sizeBytes"] for each in found] == list(range(60, 10, -1))
    assert found[0]["names"] == [f"web:{tag}" for tag in range(5)]


def test_what_has_not_changed_is_not_said_again(cluster):
    run(cluster)
    cluster.run_for("40s")
    before = cluster.client.get(Node, "node-1").metadata.resource_version
    cluster.run_for("4m")
    assert cluster.client.get(Node, "node-1").metadata.resource_version == before
