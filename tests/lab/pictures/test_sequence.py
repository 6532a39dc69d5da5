from __future__ import annotations

from k8slab import Cluster
from k8slab.lab.pictures.sequence import sequence
from tests.lab.worlds import create

from .lives import make, parts, pod


def said(picture) -> list[tuple[str, str, str]]:
    return [(each.source, each.target, each.label) for each in picture.model.messages]


def test_the_way_of_a_deployment_goes_from_the_client_through_every_component(young):
    picture = sequence(*parts(young), "POST")
    found = said(picture)
    assert found[0] == ("k8slab-admin", "API server", "creates Deployment web")
    assert found[1][:2] == ("API server", "etcd")
    assert found[2] == ("API server", "deployment-controller", "ADDED Deployment web")
    assert any(label == "PullImage nginx" for _, _, label in found)
    assert found[-2][2] == "Deployment web is 2/2 ready"
    assert "(one Pod of 2)" in picture.title


def test_nobody_speaks_to_anybody_but_the_api_server(old):
    for command in ("POST", "PATCH"):
        for source, target, _ in said(sequence(*parts(old), command, every=True, limit=10_000)):
            assert source == target or "API server" in (source, target)


def test_a_limit_is_said(young):
    picture = sequence(*parts(young), "POST", limit=3)
    assert len(picture.model.messages) == 3
    assert "(the first 3 of " in picture.title


def test_everything_can_be_shown(young):
    few, all_ = (
        len(sequence(*parts(young), "POST", every=every, limit=10_000).model.messages) for every in (False, True)
    )
    assert all_ > 3 * few


def test_time_that_passes_stands_beside_the_message_that_had_to_wait(young):
    notes = [each.note for each in sequence(*parts(young), "POST").model.messages]
    assert any("1.9s later" in note for note in notes)


def test_a_request_that_is_refused_is_told_with_its_code():
    with Cluster(nodes=1, seed=1) as cluster:
        make(cluster, pod("web"))
        create(cluster, "web", 0)
        cluster.kubectl("delete pod nope")
        found = sequence(*parts(cluster), "delete pod nope").model.messages
    assert [(each.label, each.note) for each in found] == [("delete Pod nope", "delete, 404")]


def test_the_way_of_a_deployment_fits_a_notebook(young):
    assert sequence(*parts(young), "POST").json()["width"] <= 1000
