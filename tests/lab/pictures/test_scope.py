from __future__ import annotations

import pytest

from k8slab.clock import EPOCH
from k8slab.lab.pictures.scope import command_of, effects_of, family, scope_of
from k8slab.lab.reference import reference

from .lives import parts, pods


def test_a_family_is_an_object_and_all_that_it_owns_the_owner_first(young):
    members = list(family(*parts(young), reference("deploy/web")))
    assert members[0] == "deployments/default/web"
    assert members[1].startswith("replicasets/default/web-")
    assert set(members[2:]) == {f"pods/default/{name}" for name in pods(young)}


def test_a_family_is_known_when_all_of_it_is_gone(old):
    members = list(family(*parts(old), reference("deploy/web")))
    assert not pods(old)
    assert sum(each.startswith("pods/") for each in members) > 5


def test_moments_are_counted_from_the_beginning(young):
    scope = scope_of(*parts(young), start="1s", end=2)
    assert (scope.origin, scope.start, scope.end) == (EPOCH + 1, EPOCH + 1, EPOCH + 2)


def test_what_there_is_not_is_answered_by_what_there_is(young):
    with pytest.raises(ValueError, match="there is no Pod 'nope' in 'default'; there are: web-"):
        scope_of(*parts(young), "pod/nope")
    with pytest.raises(ValueError, match=r"no component is called 'kubelt'; there are: .*kubelet-node-1"):
        scope_of(*parts(young), component="kubelt")
    with pytest.raises(ValueError, match=r"no command has 'dance' in it; the last ones: POST .*; PATCH"):
        command_of(young.trace, "dance")


def test_the_last_command_is_the_last_that_changed_something(young):
    assert command_of(young.trace).text.startswith("PATCH /apis/apps/v1/namespaces/default/deployments/web")
    assert command_of(young.trace, "POST").text.startswith("POST")


def test_the_effects_of_a_command_begin_with_it_and_reach_the_kubelets(young):
    root = command_of(young.trace, "POST")
    effects = effects_of(young.trace, root)
    assert effects[0] == root
    assert {each.component for each in effects} >= {"deployment-controller", "kube-scheduler"}
    assert any(each.verb == "StartContainer" for each in effects)
