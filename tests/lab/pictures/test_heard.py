from __future__ import annotations

from k8slab.lab.pictures.heard import Heard
from tests.lab.worlds import create

from .lives import parts


def test_what_a_controller_has_heard_is_what_its_cache_holds(old):
    engine, trace = parts(old)
    heard = Heard(engine, trace, "replicaset-controller").until(trace.last + 1)
    controller = engine.loop.component("replicaset-controller")
    for informer in controller.informers:
        held = {obj.key: obj.metadata.resource_version for obj in informer.list()}
        told = {
            f"{obj['metadata']['namespace']}/{obj['metadata']['name']}": obj["metadata"]["resourceVersion"]
            for obj in heard.all(informer._kind.resource.plural)
        }
        assert told == held


def test_a_component_that_is_cut_off_knows_only_what_it_knew():
    from k8slab import Cluster

    with Cluster(nodes=1, seed=1) as cluster:
        create(cluster, "web", 1)
        cluster.run_until_idle()
        with cluster.fault("cut-off", component="deployment-controller"):
            create(cluster, "shop", 1)
            cluster.run_for("5s")
            heard = Heard(*parts(cluster), "deployment-controller").until(cluster.trace.last + 1)
            assert heard.get("deployments/default/web") is not None
            assert heard.get("deployments/default/shop") is None
            assert heard.complete


def test_it_knows_when_the_trace_has_forgotten_the_beginning(young):
    engine, trace = parts(young)
    assert not Heard(engine, trace, "kube-scheduler").until(3).complete
