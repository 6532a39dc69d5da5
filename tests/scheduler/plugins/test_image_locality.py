from k8slab.scheduler.framework import State, score_nodes
from k8slab.scheduler.node_info import NodeInfo, full_name
from k8slab.scheduler.plugins import ImageLocality
from tests.scheduler.objects import node, pod

MB = 1024 * 1024


def with_image(name, megabytes, image="nginx:latest"):
    info = node(name)
    status = info.node.status.model_copy(update={"images": ({"names": [image], "sizeBytes": megabytes * MB},)})
    return NodeInfo.of(info.node.model_copy(update={"status": status}))


def scores(*nodes):
    return score_nodes([ImageLocality()], State.of(nodes), pod(), nodes)


def test_a_node_that_has_the_image_is_better():
    has, lacks = scores(with_image("a", 500), node("b"))["ImageLocality"]
    assert has > lacks == 0


def test_the_larger_the_image_the_more_it_counts():
    large, small, _ = scores(with_image("a", 500), with_image("b", 100), node("c"))["ImageLocality"]
    assert large > small


def test_a_small_image_counts_for_nothing():
    assert scores(with_image("a", 30), node("b"))["ImageLocality"] == [0, 0]


def test_an_image_that_only_one_node_has_counts_less():
    [alone, *_] = scores(with_image("a", 500), node("b"), node("c"))["ImageLocality"]
    [shared, *_] = scores(with_image("a", 500), with_image("b", 500), node("c"))["ImageLocality"]
    assert alone < shared


def test_where_nobody_has_it_nothing_is_said():
    assert scores(with_image("a", 500, "redis:latest")) == {}


def test_an_image_without_a_tag_is_the_latest():
    assert full_name("nginx") == "nginx:latest"
    assert full_name("localhost:5000/nginx") == "localhost:5000/nginx:latest"
    assert full_name("nginx:1.27") == "nginx:1.27"


def test_where_everybody_has_it_nothing_is_said_either():
    assert scores(with_image("a", 500), with_image("b", 500)) == {}
