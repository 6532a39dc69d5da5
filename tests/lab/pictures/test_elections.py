from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.engine.candidates import process_of

CANDIDATES = {"kube-scheduler": 2}


@pytest.fixture
def cluster():
    with Cluster(nodes=0, seed=1, candidates=CANDIDATES) as cluster:
        cluster.run_for("10s")
        yield cluster


def leader(cluster):
    return next(process_of(name) for name in cluster.components if name.endswith("/kube-scheduler"))


def bars(cluster, **options):
    """What stands in each lane, in order: (label, start, end)."""
    model = cluster.pictures.elections(**options).model
    found = {lane: [] for lane in model.lanes}
    for each in model.bars:
        end = None if each.end is None else round(each.end - model.origin, 1)
        found[each.lane].append((each.label, round(each.start - model.origin, 1), end))
    return found


def other_than(name):
    return next(each for each in ("kube-scheduler-0", "kube-scheduler-1") if each != name)


def test_who_holds_the_lease_leads(cluster):
    first = leader(cluster)
    assert bars(cluster) == {
        "the lease": [(f"held by candidate {first[-1]}", 0.0, None)],
        first: [("leads", 0.0, None)],
        other_than(first): [],
    }  # fmt: skip


def test_between_two_leaders_there_is_a_gap(cluster):
    first = leader(cluster)
    cluster.crash(first)
    cluster.run_for("40s")
    found = bars(cluster)
    (_, _, ended), (_, began, _) = found[first][0], found[other_than(first)][0]
    assert found[first] == [("leads", 0.0, 10.0), ("stopped", 10.0, None)]
    assert began - ended >= 15
    (_, _, ran_out), (_, taken, _) = found["the lease"]
    assert (ran_out, taken) == (25.0, began)


def test_a_leader_that_stands_still_leads_as_far_as_it_knows(cluster):
    first = leader(cluster)
    with cluster.fault("freeze", component=first):
        cluster.run_for("40s")
    cluster.run_for("5s")
    found = bars(cluster)
    assert ("leads", 0.0, 50.0) in found[first]
    assert ("stands still", 10.0, 50.0) in found[first]
    assert found[other_than(first)][0][1] < 50


def test_it_can_be_of_a_part_of_the_time(cluster):
    cluster.run_for("60s")
    assert bars(cluster, start="30s", end="40s")["the lease"][0][1:] == (0.0, None)


def test_it_says_for_what_nobody_stands(cluster):
    with pytest.raises(ValueError, match="nobody is elected as 'kube-controller-manager'; there are: kube-scheduler"):
        cluster.pictures.elections("kube-controller-manager")
    with Cluster(nodes=0) as quiet, pytest.raises(ValueError, match=r"there are none: Cluster\(candidates="):
        quiet.pictures.elections()


def test_it_is_drawn(cluster):
    picture = cluster.pictures.elections()
    assert picture.svg.startswith("<svg")
    assert "leads" in picture.text
