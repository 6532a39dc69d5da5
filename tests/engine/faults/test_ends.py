"""Whatever happens, the end is the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api.core import ConfigMap, Pod
from k8slab.apimachinery.rest import copy_of
from k8slab.clock import EPOCH
from k8slab.cluster import Cluster
from k8slab.cri.api import SandboxState
from k8slab.engine.faults import FAULTS
from tests.engine.faults.harness import KUBELET, SCHEDULER, running
from tests.engine.harness import PATIENCE, act, end_state, pod

COMPONENTS = ("deployment-controller", "replicaset-controller", SCHEDULER, KUBELET, "kubelet-node-2",
              "garbage-collector-controller")  # fmt: skip
component = st.sampled_from(COMPONENTS)
node = st.sampled_from(["node-1", "node-2"])
faults = st.one_of(
    st.tuples(
        st.just("slow-watch"),
        st.fixed_dictionaries(
            {"component": component, "delay": st.sampled_from([1, 5, 20]), "repeat": st.sampled_from([0, 0.3]),
             "lose": st.sampled_from([0, 0.2])}
        ),
    ),
    st.tuples(
        st.sampled_from(["dropped-watch", "cut-off", "crash", "restart"]), st.fixed_dictionaries({"component": component})
    ),
    st.tuples(st.sampled_from(["node-lost", "node-partitioned"]), st.fixed_dictionaries({"node": node})),
    st.tuples(
        st.just("clock-skew"),
        st.fixed_dictionaries({"component": component, "ahead": st.sampled_from([-400, -0.3, 0.1, 20, 400])}),
    ),
    st.tuples(
        st.just("api-latency"),
        st.fixed_dictionaries({"component": component, "seconds": st.sampled_from([0.1, 1, 5])}),
    ),
    st.tuples(
        st.just("api-errors"),
        st.fixed_dictionaries(
            {"component": component, "share": st.sampled_from([0.3, 0.8, 1]), "code": st.sampled_from([429, 503])}
        ),
    ),
    st.tuples(st.just("image-pull-failure"), st.fixed_dictionaries({"where": st.just("docker.io")})),
)  # fmt: skip
ROLLOUT = (
    ("create", "web", 3), ("create", "shop", 2), ("image", "web", "nginx:1.29"), ("delete", "shop"), ("scale", "web", 5),
    ("delete_pod", 0), ("image", "web", "nginx:1.27"),
)  # fmt: skip


@settings(max_examples=25)
@given(
    st.lists(st.tuples(faults, st.floats(0, 40, width=16), st.sampled_from([0.5, 5, 30])), min_size=1, max_size=6),
    st.lists(st.sampled_from([0, 0.5, 2.5, 10]), min_size=len(ROLLOUT), max_size=len(ROLLOUT)),
)
def test_faults_around_a_rollout_change_nothing_about_its_end(disasters, gaps):
    assert roll_out(disasters, gaps) == roll_out([], gaps)


def roll_out(disasters, gaps):
    """The end of a rollout, with these faults while it goes on."""
    plan, when = [], 0.0
    for gap, what in zip(gaps, ROLLOUT, strict=True):
        when += gap
        plan.append((when, lambda cluster, what=what: act(cluster, *what)))
    for (name, arguments), begins, lasts in disasters:
        plan.append((begins, lambda cluster, n=name, a=arguments: cluster.fault(n, **a).start()))
        if FAULTS[name].end is not None:
            plan.append((begins + lasts, lambda cluster, n=name, a=arguments: cluster.fault(n, **a).stop()))
    with Cluster(nodes=2, seed=5) as cluster:
        for when, happens in sorted(plan, key=lambda each: each[0]):
            cluster.run_for(max(0, EPOCH + when - cluster.now))
            happens(cluster)
        cluster.run_until_idle("2h")
        cluster.run_for(PATIENCE)
        cluster.run_until_idle("2h")
        return end_state(cluster)


# The same for Pods of one's own: ones that end, ones that do not want to, ones that wait for a ConfigMap.

ONES_OWN = (
    pod("once", image="busybox:1.36", command=["sh", "-c", "sleep 5"], restartPolicy="Never"),
    pod("fails", image="busybox:1.36", command=["sh", "-c", "sleep 3; exit 2"], restartPolicy="Never"),
    pod("waits", image="busybox:1.36", command=["sh", "-c", "sleep 999999"]),
    pod("stubborn", image="busybox:1.36", command=["sh", "-c", "trap '' TERM; sleep 999999"]),
    pod("forced"),
)
kubelet_faults = st.one_of(
    st.tuples(st.sampled_from(["cut-off", "crash", "restart", "dropped-watch"]), st.just({})),
    st.tuples(st.just("slow-watch"), st.sampled_from([{"delay": 1}, {"delay": 6, "lose": 0.3}])),
    st.tuples(st.just("api-errors"), st.sampled_from([{"share": 0.4}, {"share": 1}])),
    st.tuples(st.just("api-latency"), st.sampled_from([{"seconds": 0.1}, {"seconds": 2}])),
    st.tuples(st.just("clock-skew"), st.sampled_from([{"ahead": -0.3}, {"ahead": 7}, {"ahead": 400}])),
)


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(kubelet_faults, st.floats(0, 30, width=16), st.sampled_from([0.5, 4, 20])), min_size=1, max_size=5
    ),
    st.sampled_from([4, 10, 20]),
    st.integers(0, 99),
)
def test_faults_of_a_kubelet_change_nothing_about_the_end_of_its_pods(disasters, deletes, seed):
    assert live_with(disasters, deletes, seed) == live_with([], deletes, seed)


def live_with(disasters, deletes, seed):
    """What has become of one's own Pods, with these faults of their kubelet."""
    happen = [(0.5 * number, lambda cluster, body=body: make(cluster, body)) for number, body in enumerate(ONES_OWN)]
    happen.append((6.0, lambda cluster: cluster.client.create(ConfigMap, {"metadata": {"name": "conf"}}, "default")))
    happen.append((deletes, lambda cluster: cluster.client.delete(Pod, "stubborn", "default", grace_period=3)))
    happen.append((deletes, lambda cluster: cluster.client.delete(Pod, "forced", "default", grace_period=0)))
    for (name, arguments), begins, lasts in disasters:
        arguments = {"component": KUBELET, **arguments}
        happen.append((begins, lambda cluster, n=name, a=arguments: cluster.fault(n, **a).start()))
        if FAULTS[name].end is not None:
            happen.append((begins + lasts, lambda cluster, n=name, a=arguments: cluster.fault(n, **a).stop()))
    with Cluster(nodes=1, seed=seed) as cluster:
        for when, it in sorted(happen, key=lambda each: each[0]):
            cluster.run_for(max(0, EPOCH + when - cluster.now))
            it(cluster)
        cluster.run_until_idle("2h")
        cluster.run_for(60)
        cluster.run_until_idle("2h")
        return own_end(cluster)


def make(cluster, body):
    body = copy_of(body)
    if body["metadata"]["name"] == "waits":
        body["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "conf"}}]
    cluster.client.create(Pod, body, "default")


def own_end(cluster):
    runtime = cluster._engine.runtimes["node-1"]
    ready = [each.name for each in runtime.list_pod_sandboxes() if each.state is SandboxState.READY]
    known = {each.uid for each in cluster.client.list(Pod)}
    orphans = [each.name for each in runtime.list_pod_sandboxes() if each.uid not in known]
    names = sorted(each.labels["io.kubernetes.pod.name"] for each in running(cluster))
    return [(each.name, each.status.phase, each.ready) for each in cluster.client.list(Pod)], names, ready, orphans
