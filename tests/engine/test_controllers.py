"""The table of controllers, and what stands in for its rows."""

from __future__ import annotations

from functools import partial

from k8slab.controllers.replicaset import ReplicaSetController
from k8slab.engine.controllers import CONTROLLERS, OTHERS, REPLACEABLE, SMALL_CLUSTER, controllers_of, other_of
from k8slab.engine.spec import Spec

NODES = tuple(f"node-{number}" for number in range(SMALL_CLUSTER + 1))


def mine(*arguments, **more):
    return ReplicaSetController(*arguments, **more)


def test_a_cluster_has_the_controllers_of_the_table():
    assert list(controllers_of(Spec(()), "")) == [f"{name}-controller" for name in CONTROLLERS]


def test_a_learners_controller_stands_in_the_place_of_one_or_beside_all():
    made = controllers_of(Spec((), replace={"replicaset": mine, "team-info": mine}), "")
    assert made["replicaset-controller"] is made["team-info-controller"] is mine
    assert len(made) == len(CONTROLLERS) + 1


def test_what_is_no_controller_is_not_among_them():
    spec = Spec((), replace={"scheduler": mine})
    assert list(controllers_of(spec, "")) == list(controllers_of(Spec(()), ""))
    assert (other_of(spec, "scheduler"), other_of(spec, "node-lease")) == (mine, OTHERS["node-lease"])


def test_each_can_be_replaced_by_one_name():
    assert len(set(REPLACEABLE)) == len(CONTROLLERS) + len(OTHERS)


def test_a_controller_is_told_what_it_has_to_know_of_its_cluster():
    made = controllers_of(Spec(NODES), "the certificate")
    assert isinstance(publisher := made["root-ca-cert-publisher-controller"], partial)
    assert publisher.keywords == {"root_ca": "the certificate"}
    assert made["node-ipam-controller"].keywords == {"cluster_cidr": "10.244.0.0/14"}
    assert controllers_of(Spec(NODES[1:]), "")["node-ipam-controller"] is CONTROLLERS["node-ipam"]
