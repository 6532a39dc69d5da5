"""The lab's questions about objects of kinds that a user defined."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.lab.reference import reference, reference_of
from k8slab.mistake import Mistake
from tests.story.custom_resources import BARE, FULL

NAME = "crontabs.stable.example.com/my-new-cron-object"


@pytest.fixture(scope="module")
def cluster():
    with Cluster(nodes=1, seed=1) as cluster:
        cluster.kubectl("create -f -", stdin=FULL).check()
        cluster.kubectl("create -f -", stdin=BARE).check()
        cluster.kubectl("scale --replicas=3 ct/my-new-cron-object").check()
        yield cluster


def test_a_custom_object_has_its_causes(cluster):
    assert "kubectl scale --replicas=3 ct/my-new-cron-object" in str(cluster.why(NAME, field="spec.replicas"))


def test_that_a_kind_is_established_has_its_cause(cluster):
    assert "crd-controller" in str(cluster.why("crd/crontabs.stable.example.com", field="status.conditions"))


def test_a_difference_names_a_custom_object(cluster):
    found = str(cluster.diff(cluster.store.revision - 1, cluster.store.revision))
    assert f"changed  {NAME}" in found
    assert "spec.replicas" in found


def test_a_custom_object_that_is_not_there_is_told(cluster):
    with pytest.raises(Mistake, match=r"there is no crontabs.stable.example.com 'nothing'"):
        cluster.why("crontabs.stable.example.com/nothing")


def test_a_short_name_of_a_custom_kind_is_answered_with_the_way_to_write_it(cluster):
    with pytest.raises(Mistake, match=r"named in full: crontabs.stable.example.com"):
        cluster.why("ct/my-new-cron-object")


def test_the_name_in_the_trace_leads_back_to_the_object():
    wanted = reference(NAME)
    assert wanted.what == "stable.example.com/crontabs/default/my-new-cron-object"
    assert reference_of(wanted.what) == wanted


def test_a_built_in_kind_may_be_named_in_full_too():
    assert reference("deployments.apps/web") == reference("deploy/web")
