from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.controllers.deployment.fences import Fences, Size, fences, new_size, old_sizes, proportions

BOTH = {"maxSurge": "25%", "maxUnavailable": "25%"}


@pytest.mark.parametrize(
    ("rolling", "replicas", "maximum", "minimum"),
    [
        (None, 4, 5, 3),
        (BOTH, 10, 13, 8),
        (BOTH, 1, 2, 1),
        ({"maxSurge": 0, "maxUnavailable": 1}, 3, 3, 2),
        ({"maxSurge": 0, "maxUnavailable": "10%"}, 3, 3, 2),
        ({"maxSurge": 0, "maxUnavailable": "100%"}, 3, 3, 0),
        ({"maxSurge": 2, "maxUnavailable": 5}, 3, 5, 0),
        (BOTH, 0, 0, 0),
    ],
)
def test_surge_rounds_up_and_unavailable_rounds_down(rolling, replicas, maximum, minimum):
    found = fences("RollingUpdate", rolling, replicas)
    assert (found.maximum, found.minimum) == (maximum, minimum)


def test_recreate_never_has_more_pods_than_wanted():
    assert fences("Recreate", None, 3) == Fences(3, 0, 0)


def test_the_new_replica_set_grows_as_far_as_the_fence():
    assert new_size(Fences(10, 3, 2), Size("new", 0, 0), [Size("old", 10, 10)]) == 3


def test_a_new_replica_set_that_is_too_large_shrinks():
    assert new_size(Fences(2, 1, 0), Size("new", 5, 5), []) == 2


def test_unavailable_pods_of_the_oldest_go_first():
    old = [Size("oldest", 4, 2), Size("older", 6, 6)]
    assert old_sizes(Fences(10, 3, 2), Size("new", 3, 0), old) == {"oldest": 2}


def test_available_pods_go_while_enough_others_are():
    assert old_sizes(Fences(10, 3, 2), Size("new", 3, 3), [Size("old", 10, 10)]) == {"old": 5}


def test_nothing_shrinks_while_the_new_pods_come_up():
    assert old_sizes(Fences(3, 1, 0), Size("new", 1, 0), [Size("old", 3, 3)]) == {}


def test_scaling_in_the_middle_of_a_rollout_gives_each_its_share():
    assert proportions(Fences(15, 3, 2), [Size("new", 5, 0), Size("old", 8, 8)]) == {"new": 7, "old": 11}


def test_scaling_to_nothing_leaves_nothing():
    assert proportions(Fences(0, 0, 0), [Size("new", 2, 0), Size("old", 3, 3)]) == {"new": 0, "old": 0}


def test_broken_old_pods_stay_while_as_many_new_ones_are_not_available_yet():
    assert old_sizes(Fences(10, 3, 2), Size("new", 5, 0), [Size("old", 8, 6)]) == {}


def test_of_equals_the_newest_grows_and_the_oldest_shrinks():
    equal = [Size("new", 2, 2), Size("old", 2, 2)]
    assert proportions(Fences(5, 0, 0), equal) == {"new": 3, "old": 2}
    assert proportions(Fences(3, 0, 0), equal) == {"new": 2, "old": 1}


limits = st.builds(
    lambda replicas, surge, unavailable: fences(
        "RollingUpdate", {"maxSurge": surge, "maxUnavailable": unavailable}, replicas
    ),
    st.integers(0, 20),
    st.integers(0, 5) | st.sampled_from(["0%", "10%", "25%", "100%"]),
    st.integers(0, 5) | st.sampled_from(["0%", "10%", "25%", "100%"]),
)
sizes = st.lists(st.integers(0, 8), min_size=1, max_size=4)


@given(limits, sizes)
def test_shares_add_up_to_what_is_allowed(limits, sizes):
    sets = [Size(str(place), size, size) for place, size in enumerate(sizes) if size]
    shares = proportions(limits, sets)
    assert sum(shares.values()) == (limits.maximum if limits.replicas and sets else 0)
    assert all(share >= 0 for share in shares.values())


@given(limits, st.data())
def test_a_rollout_stays_between_the_fences_and_ends(limits, data):
    """Pods come up in any order: never more than the maximum, never fewer available than the minimum, always an end."""
    first = data.draw(st.integers(0, limits.replicas))
    old = {"oldest": [first, first], "older": [limits.replicas - first, limits.replicas - first]}
    new = [0, 0]

    def of(name, pair):
        return Size(name, *pair)

    for _ in range(400):
        before = (list(new), {name: list(pair) for name, pair in old.items()})
        olds = [of(name, pair) for name, pair in old.items()]
        grown = new_size(limits, of("new", new), olds)
        if grown != new[0]:
            new[0] = grown
        else:
            for name, size in old_sizes(limits, of("new", new), olds).items():
                assert 0 <= size < old[name][0]
                # The ReplicaSet controller deletes those that are not ready first.
                old[name] = [size, min(old[name][1], size)]
        assert new[0] + sum(pair[0] for pair in old.values()) <= max(limits.maximum, limits.replicas)
        assert new[1] + sum(pair[1] for pair in old.values()) >= limits.minimum
        coming = new[0] - new[1]
        if coming and (before == (new, old) or data.draw(st.booleans())):
            new[1] += data.draw(st.integers(1, coming))
        if new == [limits.replicas] * 2 and not any(pair[0] for pair in old.values()):
            return
    raise AssertionError("the rollout never ends")


def test_a_share_is_measured_by_the_maximum_of_its_time():
    """10 Pods of a rollout that might have had 13: what it had not yet goes to the largest."""
    sets = [Size("new", 2, 2, before=13), Size("old", 8, 8, before=13)]
    assert proportions(Fences(15, 3, 2), sets) == {"new": 3, "old": 15}
