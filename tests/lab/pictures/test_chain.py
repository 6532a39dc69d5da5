from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from k8slab import Cluster
from k8slab.api.apps import Deployment
from k8slab.apimachinery.errors import ApiError
from k8slab.lab.pictures.chain import CHAINS, STEPS, handler_chain
from tests.lab.worlds import create, deployment, scale

from .lives import parts

REQUESTS: dict[str, Callable[[Cluster], object]] = {
    "create": lambda cluster: create(cluster, "new", 1),
    "update": lambda cluster: cluster.client.update(
        Deployment, {**deployment("web", 3), "metadata": {"name": "web", "namespace": "default"}}
    ),
    "patch": lambda cluster: scale(cluster, "web", 0),
    "patch status": lambda cluster: cluster.client.patch_status(Deployment, "web", "default", {"replicas": 7}),
    "delete": lambda cluster: cluster.client.delete(Deployment, "web", "default"),
    "get": lambda cluster: cluster.client.get(Deployment, "web", "default"),
    "list": lambda cluster: cluster.client.list(Deployment, "default"),
}


def steps_taken(call: Callable[[], object]) -> list[str]:
    """The steps whose functions are called, in the order of their first calls."""
    found: dict[str, None] = {}

    def watch(frame, event, _argument):
        if event == "call":
            module, name = frame.f_globals.get("__name__", ""), frame.f_code.co_name
            for step, each in STEPS.items():
                if name == each.function and module.startswith(each.module):
                    found.setdefault(step)

    sys.setprofile(watch)
    try:
        call()
    finally:
        sys.setprofile(None)
    return list(found)


@pytest.mark.parametrize("verb", CHAINS)
def test_the_table_says_what_the_server_does(verb):
    with Cluster(nodes=0, seed=1) as cluster:
        create(cluster, "web", 1)
        taken = steps_taken(lambda: REQUESTS[verb](cluster))
    assert tuple(taken) == CHAINS[verb]


def test_the_chain_of_a_real_request_ends_with_its_answer(young):
    picture = handler_chain(young.trace, "POST")
    assert picture.title == "k8slab-admin: create Deployment web"
    assert picture.model.nodes[-1].lines[0].startswith("201, revision ")
    assert len(picture.table.rows) == len(CHAINS["create"])


def test_how_far_a_request_came_that_failed_is_not_said():
    with Cluster(nodes=0, seed=1) as cluster:
        create(cluster, "web", 1)
        with pytest.raises(ApiError):
            create(cluster, "web", 1)
        picture = handler_chain(parts(cluster)[1], "POST")
    assert picture.said == "answered: 409"
    assert {edge.kind for edge in picture.model.edges} == {"dashed"}


def test_a_verb_has_a_chain_without_a_request(young):
    assert [one.source for one in handler_chain(young.trace, verb="get").model.edges] == list(CHAINS["get"][:-1])
    with pytest.raises(ValueError, match="'dance' request is not known; known are: create, "):
        handler_chain(young.trace, verb="dance")
