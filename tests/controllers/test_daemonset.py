from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.apps import ControllerRevision, DaemonSet
from k8slab.api.core import Node, Pod
from k8slab.client.slow_watch import SlowWatch
from k8slab.controllers.daemonset import DaemonSetController
from k8slab.controllers.history import in_order
from k8slab.scheduler.scheduler import Scheduler
from tests.client.fake_server import workload
from tests.controllers.harness import Workloads
from tests.scheduler.objects import node_body


class Daemons(Workloads):
    """A world with nodes, DaemonSets and a scheduler."""

    def __init__(self, nodes=3, wrap=None):
        super().__init__(wrap=wrap, also=[DaemonSetController])
        self.components.append(Scheduler(self.connect(), self.clock, self.chance))
        for number in range(nodes):
            self.add_node(f"node-{number}")

    def settle(self, rounds=2000):
        """With kubelets that end at once what is to go."""
        super().settle(rounds)
        while going := [pod for pod in self.pods() if pod.metadata.deleting]:
            for pod in going:
                self.client.delete(Pod, pod.name, pod.namespace, grace_period=0)
            super().settle(rounds)

    def add_node(self, name, **options):
        self.client.create(Node, node_body(name, **options))
        self.taint(name, None)  # a new one is not ready

    def create(self, image="nginx:1", **spec):
        body = workload("agent", 0, image, **spec)
        del body["spec"]["replicas"]
        return self.client.create(DaemonSet, body, "default")

    def set_image(self, image, name="agent"):
        template = {"spec": {"containers": [{"name": "main", "image": image}]}}
        self.client.patch(DaemonSet, name, "default", {"spec": {"template": template}})

    def status(self):
        return self.client.get(DaemonSet, "agent", "default").status

    def taint(self, name, effect):
        self.client.patch(Node, name, "", {"spec": {"taints": [{"key": "db", "effect": effect}] if effect else []}})

    def where(self):
        return sorted(pod.spec.node_name for pod in self.pods() if pod.active)

    def revisions(self):
        return in_order(self.client.list(ControllerRevision, "default"))


@pytest.fixture
def world():
    return Daemons()


def test_one_pod_on_each_node(world):
    world.create()
    world.run()
    assert world.where() == ["node-0", "node-1", "node-2"]
    status = world.status()
    assert (status.desired_number_scheduled, status.current_number_scheduled, status.number_ready) == (3, 3, 3)
    assert (status.number_available, status.number_unavailable, status.updated_number_scheduled) == (3, 0, 3)
    assert status.observed_generation == 1
    assert len(world.events("SuccessfulCreate")) == 3


def test_a_new_node_gets_one_and_a_node_that_goes_leaves_none_behind(world):
    world.create()
    world.run()
    world.add_node("node-9")
    world.run()
    assert world.where() == ["node-0", "node-1", "node-2", "node-9"]
    world.client.delete(Node, "node-9")
    world.run()
    assert world.status().desired_number_scheduled == 3


def test_a_pod_for_a_node_that_went_before_it_was_bound_is_deleted(world):
    template = workload("agent")["spec"]["template"]
    template["spec"]["schedulerName"] = "nobody"
    world.create(template=template)
    world.settle()
    assert len(world.pods()) == 3
    world.client.delete(Node, "node-1")
    world.settle()
    assert len(world.pods()) == 2


def test_a_taint_keeps_away_or_drives_out(world):
    world.taint("node-0", "NoSchedule")
    world.create()
    world.run()
    assert world.where() == ["node-1", "node-2"]
    world.taint("node-1", "NoSchedule")
    world.run()
    assert world.where() == ["node-1", "node-2"]
    assert (world.status().desired_number_scheduled, world.status().number_misscheduled) == (1, 1)
    world.taint("node-1", "NoExecute")
    world.run()
    assert world.where() == ["node-2"]
    world.taint("node-0", None)
    world.run()
    assert world.where() == ["node-0", "node-2"]


def test_labels_of_nodes_decide(world):
    world.client.patch(Node, "node-1", "", {"metadata": {"labels": {"disk": "ssd"}}})
    template = workload("agent")["spec"]["template"]
    template["spec"]["nodeSelector"] = {"disk": "ssd"}
    world.create(template=template)
    world.run()
    assert world.where() == ["node-1"]
    world.client.patch(Node, "node-2", "", {"metadata": {"labels": {"disk": "ssd"}}})
    world.run()
    assert world.where() == ["node-1", "node-2"]


def test_a_heartbeat_of_a_node_wakes_nobody(world):
    world.create()
    world.run()
    controller = world.components[3]
    world.client.patch_status(Node, "node-1", "", {"conditions": [{"type": "Ready", "status": "True"}]})
    for informer in controller.informers:
        informer.drain()
    assert len(controller.queue) == 0


def test_an_update_replaces_one_pod_at_a_time(world):
    world.create()
    world.run()
    world.set_image("nginx:2")
    world.settle()
    assert world.images() == ["nginx:1", "nginx:1", "nginx:2"]
    world.run()
    assert world.images() == ["nginx:2"] * 3
    assert [each.revision for each in world.revisions()] == [1, 2]


def test_an_update_with_a_surge_makes_the_new_pod_first(world):
    world.create(updateStrategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
    world.run()
    world.set_image("nginx:2")
    world.settle()
    assert world.images() == ["nginx:1"] * 3 + ["nginx:2"]
    world.run()
    assert world.images() == ["nginx:2"] * 3


def test_an_update_on_delete_waits_for_somebody_to_delete(world):
    world.create(updateStrategy={"type": "OnDelete"})
    world.run()
    world.set_image("nginx:2")
    world.run()
    assert world.images() == ["nginx:1"] * 3
    world.client.delete(Pod, world.pods()[0].name, "default")
    world.run()
    assert world.images() == ["nginx:1", "nginx:1", "nginx:2"]


def test_a_version_that_comes_back_becomes_the_newest(world):
    world.create()
    for image in ("nginx:1", "nginx:2", "nginx:1"):
        world.set_image(image)
        world.run()
    first, second = world.revisions()[::-1]
    assert (first.revision, second.revision) == (3, 2)
    assert {pod.metadata.labels["controller-revision-hash"] for pod in world.pods()} == {
        first.metadata.labels["controller-revision-hash"]
    }


def test_keeps_as_many_old_versions_as_it_is_told(world):
    world.create(revisionHistoryLimit=1)
    for number in range(1, 5):
        world.set_image(f"nginx:{number}")
        world.run()
    assert [each.revision for each in world.revisions()] == [3, 4]


def test_an_annotation_counts_the_versions_of_the_template(world):
    world.create()
    world.set_image("nginx:2")
    found = world.client.get(DaemonSet, "agent", "default")
    assert found.metadata.annotations["deprecated.daemonset.template.generation"] == "2"


def test_a_pod_that_fails_is_replaced_later_and_later():
    world = Daemons(nodes=1)
    world.create()
    world.settle()
    times = []
    for _ in range(4):
        world.client.patch_status(Pod, world.pods()[0].name, "default", {"phase": "Failed"})
        world.settle()
        times.append(world.clock.now())
    waits = [round(after - before) for before, after in pairwise(times)]
    assert waits == [1, 2, 4]
    assert "Found failed daemon pod default/agent-" in world.events("FailedDaemonPod")[0]
    assert world.events("FailedDaemonPod")[0].endswith("on node node-0, will try to kill it")


def slow(seed):
    return lambda world, transport, name: SlowWatch(
        transport, world.clock, world.chance, f"{seed}/{name}", repeat=0.2, lose=0.1
    )


CHANGES = st.one_of(
    st.tuples(st.just("image"), st.sampled_from(["nginx:1", "nginx:2"])),
    st.tuples(st.just("taint"), st.sampled_from(["NoSchedule", "NoExecute", None])),
    st.tuples(st.just("node"), st.booleans()),
)


@settings(max_examples=25)
@given(st.integers(0, 100), st.lists(CHANGES, max_size=4), st.sampled_from([(0, 1), (0, 2), (1, 0)]))
def test_slow_watches_change_nothing_about_the_end(seed, changes, limits):
    world = Daemons(wrap=slow(seed))
    surge, unavailable = limits
    world.create(updateStrategy={"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}})
    image, nodes, tainted = "nginx:1", {"node-0", "node-1", "node-2"}, None
    for what, value in changes:
        for _ in range(6):
            for component in world.components:
                component.step()
            world.bring_up()
            world.clock.advance_to(world.clock.now() + 1)
        if what == "image":
            image = value
            world.set_image(image)
        elif what == "taint":
            tainted = value
            world.taint("node-0", value)
        elif value and "node-3" not in nodes:
            nodes.add("node-3")
            world.add_node("node-3")
    world.run()
    world.pass_time(310)
    world.run()
    wanted = sorted(nodes - ({"node-0"} if tainted else set()))
    allowed = sorted(nodes - ({"node-0"} if tainted == "NoExecute" else set()))
    assert world.where() in (wanted, allowed)
    running = {pod.spec.node_name: pod.spec.containers[0].image for pod in world.pods() if pod.active}
    assert {running[node] for node in wanted} == {image}
