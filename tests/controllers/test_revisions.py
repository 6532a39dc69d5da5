from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.controllers.deployment.revisions import (
    HASH_LABEL,
    HISTORY,
    HISTORY_LENGTH,
    REVISION,
    annotations_for,
    new_replica_set,
    next_revision,
    revision_of,
    same_template,
    template_hash,
)
from k8slab.names import ALPHABET


def replica_set(name="web-1", revision="", image="nginx:1", born="2026-01-01T00:00:00Z", **annotations):
    notes = ({REVISION: revision} if revision else {}) | annotations
    meta = {"name": name, "creationTimestamp": born, "annotations": notes}
    return ReplicaSet.of({"metadata": meta, "spec": {"template": template(image, **{HASH_LABEL: name})}})


def template(image="nginx:1", **labels):
    return {"metadata": {"labels": {"app": "web", **labels}}, "spec": {"containers": [{"image": image}]}}


def deployment(image="nginx:1", **annotations):
    return Deployment.of({"metadata": {"annotations": annotations}, "spec": {"template": template(image)}})


def test_the_hash_label_is_not_part_of_the_template():
    assert same_template(replica_set(), template())
    assert not same_template(replica_set(), template("nginx:2"))
    assert not same_template(replica_set(), template(tier="front"))


def test_the_oldest_with_the_template_is_the_new_one():
    young, old = replica_set("young", born="2026-01-01T00:00:09Z"), replica_set("old")
    assert new_replica_set(deployment(), [young, old]) is old
    assert new_replica_set(deployment("nginx:2"), [young, old]) is None


def test_the_next_revision_is_one_more_than_the_highest():
    assert next_revision([]) == 1
    assert next_revision([replica_set(revision="3"), replica_set(revision="12")]) == 13


def test_a_number_that_is_none_is_0():
    assert [revision_of(replica_set(revision=text)) for text in ("", "x", "-1", "7")] == [0, 0, 0, 7]


def test_a_hash_is_a_word_of_the_alphabet_and_a_collision_changes_it():
    plain, other = template_hash(template(), None), template_hash(template(), 1)
    assert plain == template_hash(template(), None) != other
    assert set(plain + other) <= set(ALPHABET)


@given(st.permutations(["app", "tier", "zone"]))
def test_the_order_of_keys_does_not_change_the_hash(order):
    assert template_hash(template(**dict.fromkeys(order, "x")), None) == template_hash(
        template(**dict.fromkeys(sorted(order), "x")), None
    )


def test_annotations_of_the_deployment_are_copied_save_those_that_are_its_own():
    mine = {
        "kubernetes.io/change-cause": "why",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        REVISION: "9",
    }
    assert annotations_for(deployment(**mine), None, 1) == {"kubernetes.io/change-cause": "why", REVISION: "1"}


def test_a_version_that_comes_back_moves_its_old_number_to_its_history():
    found = annotations_for(deployment(), replica_set(revision="2", **{HISTORY: "1"}), 5)
    assert (found[REVISION], found[HISTORY]) == ("5", "1,2")


def test_a_version_with_its_number_keeps_it():
    assert annotations_for(deployment(), replica_set(revision="5"), 5) == {REVISION: "5"}


def test_the_history_does_not_grow_for_ever():
    long = ",".join(str(number) for number in range(1000, 1399))
    found = annotations_for(deployment(), replica_set(revision="9999", **{HISTORY: long}), 10_000)[HISTORY]
    assert len(found) <= HISTORY_LENGTH
    assert found.endswith(",9999")
