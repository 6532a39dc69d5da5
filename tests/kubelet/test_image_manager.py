"""Images: there, to be pulled, or not to be had."""

import pytest

from k8slab.api.core import Pod
from k8slab.clock import VirtualClock
from k8slab.cri.api import CriError, Image, PullResult
from k8slab.kubelet.image_manager import LOOK_AGAIN, PULL, ImageManager
from k8slab.kubelet.jobs import InlineJobs


class Node:
    """An image manager, a runtime that it asks, and what it says."""

    def __init__(self):
        self.clock, self.said, self.done = VirtualClock(0.0), [], []
        self.images, self.broken = {}, ""
        self.jobs = InlineJobs(self.clock)
        self.manager = ImageManager(self, self.jobs, self.clock, self, self.done.append)

    def image_status(self, image):
        return self.images.get(image)

    def pull_image(self, image):
        if self.broken:
            raise CriError("Unavailable", self.broken)
        self.images[image] = Image(image, (image,))
        return PullResult(image, 1000, 2.0)

    def event(self, pod, type, reason, message, field_path=""):
        self.said.append(reason)

    def ensure(self, name="web", image="app:1", policy="IfNotPresent"):
        container = {"name": "main", "image": image, "imagePullPolicy": policy}
        pod = Pod.of({"metadata": {"name": name, "uid": name}, "spec": {"containers": [container]}})
        return self.manager.ensure(pod, pod.spec.containers[0])

    def wait(self, seconds):
        self.clock.advance_to(self.clock.now() + seconds)
        for outcome in self.jobs.finished():
            assert outcome.key == PULL
            self.manager.finish(outcome)


@pytest.fixture
def node():
    return Node()


def test_an_image_that_is_not_here_is_pulled_once_and_then_there(node):
    assert node.ensure().ready is False
    assert node.ensure().ready is False
    node.wait(2.0)
    assert (node.done, node.ensure().ready) == (["web"], True)
    assert node.said == ["Pulling", "Pulled"]


@pytest.mark.parametrize(
    ("policy", "present", "ready", "said"),
    [
        ("IfNotPresent", True, True, ["Pulled"]),
        ("Never", True, True, ["Pulled"]),
        ("Always", True, False, ["Pulling"]),
        ("Never", False, False, ["ErrImageNeverPull", "Failed"]),
    ],
)
def test_the_pull_policy_decides(node, policy, present, ready, said):
    if present:
        node.images["app:1"] = Image("app:1", ("app:1",))
    assert node.ensure(policy=policy).ready is ready
    assert node.said == said


def test_pulls_of_a_node_go_one_after_the_other(node):
    node.ensure("one")
    node.ensure("two", "other:1")
    node.wait(2.0)
    assert node.done == ["one"]
    node.wait(2.0)
    assert node.done == ["one", "two"]


def test_a_failed_pull_is_told_and_then_waits(node):
    node.broken = "no route to host"
    node.ensure()
    node.wait(0.0)
    assert node.ensure().reason == "ErrImagePull"
    node.wait(LOOK_AGAIN)
    verdict = node.ensure()
    assert (verdict.reason, verdict.again) == ("ImagePullBackOff", 10.0)
    why = "rpc error: code = Unavailable desc = no route to host"
    assert verdict.message == f'Back-off pulling image "app:1": ErrImagePull: {why}'


def test_after_its_wait_it_is_tried_again(node):
    node.broken = "no route to host"
    node.ensure()
    node.wait(0.0)
    node.broken = ""
    node.wait(10.0)
    assert node.ensure().reason == "ImagePullBackOff"  # while it pulls it says why it failed before
    node.wait(2.0)
    assert node.ensure().ready


def test_a_pod_that_has_gone_is_taken_out_of_the_queue(node):
    node.ensure("one")
    node.ensure("two", "other:1")
    node.manager.forget("two")
    node.wait(2.0)
    assert (node.done, node.manager.busy) == (["one"], False)
