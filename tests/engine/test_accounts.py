"""As whom each part asks."""

from __future__ import annotations

import pytest

from k8slab.engine.accounts import user_of, user_of_node


@pytest.mark.parametrize(
    ("component", "name"),
    [
        ("replicaset-controller", "system:serviceaccount:kube-system:replicaset-controller"),
        ("kube-scheduler", "system:kube-scheduler"),
        ("kube-controller-manager", "system:kube-controller-manager"),
        ("team-info-controller", "system:kube-controller-manager"),
    ],
)
def test_each_component_asks_as_itself(component, name):
    assert user_of(component).name == name


@pytest.mark.parametrize("component", ["replicaset-controller", "kube-scheduler"])
def test_a_learners_own_asks_as_the_manager(component):
    assert user_of(component, ("replicaset", "scheduler")).name == "system:kube-controller-manager"


def test_a_kubelet_asks_as_its_node():
    assert user_of_node("node-1").name == "system:node:node-1"
    assert "system:nodes" in user_of_node("node-1").groups
