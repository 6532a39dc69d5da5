from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import k8slab
from k8slab import Cluster
from k8slab.api.apps import Deployment
from k8slab.apimachinery.errors import ApiError
from k8slab.lab.pictures.chain import CHAINS, STEPS, chain_model, handler_chain, object_of_request, refuser
from k8slab.lab.records import Record
from tests.lab.worlds import create, deployment, scale

from .lives import parts

ROOT = Path(k8slab.__file__).parent.parent
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


def refused(cluster: Cluster, call: Callable[[], object], words: str):
    with pytest.raises(ApiError):
        call()
    return handler_chain(parts(cluster)[1], words)


def test_the_step_that_refused_is_marked_and_those_after_it_were_not_reached():
    with Cluster(nodes=0, seed=1) as cluster:
        picture = refused(cluster, lambda: create(cluster, "Web", 1), "POST")
    assert picture.said == "answered: 422, by: validate"
    boxes = {node.id: node for node in picture.model.nodes}
    assert (boxes["validate"].kind, boxes["validate"].state) == ("refused", "refused here")
    assert boxes["admit, and change"].style == ""
    assert (boxes["store"].style, boxes["store"].state) == ("absent", "not reached")
    assert [edge.kind for edge in picture.model.edges].count("dashed") == 4
    assert picture.table.rows[-1][-1] == "not reached"


def test_what_is_there_already_is_refused_by_the_store():
    with Cluster(nodes=0, seed=1) as cluster:
        create(cluster, "web", 1)
        picture = refused(cluster, lambda: create(cluster, "web", 1), "POST")
    assert picture.said == "answered: 409, by: store"


def test_what_is_not_there_is_found_out_when_the_old_object_is_read():
    with Cluster(nodes=0, seed=1) as cluster:
        picture = refused(cluster, lambda: cluster.client.delete(Deployment, "nope", "default"), "DELETE")
    assert picture.said == "answered: 404, by: read the old object"


def request(**fields: object) -> Record:
    return Record(1, "request", 0.0, 1, "kubectl", **fields)


@pytest.mark.parametrize(
    ("verb", "code", "step", "more"),
    [
        ("create", 400, "decode", False),
        ("patch", 415, "decode the patch", False),
        ("create", 403, "authorize", True),
        ("get", 403, "authorize", False),
        ("update", 409, "read the old object", True),
        ("update", 422, "validate the change", True),
        ("get", 503, "", False),
    ],
)
def test_a_code_tells_who_refused_as_far_as_it_can(verb, code, step, more):
    assert refuser(CHAINS[verb], request(what="pods/default/web", code=code)) == (step, more)


def test_between_those_that_can_have_refused_it_is_not_known():
    model = chain_model("x", CHAINS["create"], request(verb="create", what="pods/default", code=403))
    states = [node.state for node in model.nodes]
    assert states[2] == "refused here or later"
    assert states[3:9] == ["perhaps reached"] * 6
    assert states[9:11] == ["not reached"] * 2


def test_if_it_cannot_be_told_every_arrow_is_dashed():
    model = chain_model("x", CHAINS["get"], request(verb="get", what="pods/default/web", code=503))
    assert {edge.kind for edge in model.edges} == {"dashed"}
    assert {node.state for node in model.nodes} == {""}


def test_what_was_not_made_is_named_as_the_command_names_it():
    collection = request(verb="create", what="deployments/default", code=422)
    assert object_of_request(collection, "kubectl create deployment Web --image=nginx") == "Deployment Web"
    assert object_of_request(collection, "kubectl apply -f web.yaml") == "Deployment"
    assert object_of_request(request(verb="list", what="pods/shop"), "kubectl get pods") == "Pods in shop"
    assert object_of_request(request(verb="get", what="nodes/node-1"), "kubectl get node") == "Node node-1"


@pytest.mark.parametrize("step", STEPS)
def test_where_a_step_is_done_is_a_file_or_a_folder_that_there_is(step):
    assert (ROOT / STEPS[step].where.partition(":")[0]).exists()


def test_a_verb_has_a_chain_without_a_request(young):
    assert [one.source for one in handler_chain(young.trace, verb="get").model.edges] == list(CHAINS["get"][:-1])
    with pytest.raises(ValueError, match="'dance' request is not known; known are: create, "):
        handler_chain(young.trace, verb="dance")
