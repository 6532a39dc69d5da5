from __future__ import annotations

import json

import pytest

from k8slab.lab.dashboard.page import Page
from k8slab.lab.dashboard.views import VIEWS

from .conftest import deploy


class Heard(list):
    """What a page was told, the newest last."""

    def __call__(self, text: str) -> None:
        self.append(json.loads(text))

    def state(self, name: str) -> dict:
        return [said["state"] for said in self if said["from"] == name and "state" in said][-1]

    def patches(self, name: str) -> list[dict]:
        told = [said["message"] for said in self if said["from"] == name and "message" in said]
        return [each for each in told if each["type"] == "patch"]


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def page(cluster, heard):
    page = Page(cluster, heard)
    yield page
    page.close()


def say(page: Page, name: str, **said: object) -> None:
    page.receive(json.dumps({"to": name, **said}))


def ask(page: Page, name: str, **message: object) -> None:
    say(page, name, message=message)


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_has_a_state_without_a_problem(page, heard, name):
    say(page, name, seen=True)
    assert heard.state(name)["problem"] == ""


def test_what_is_not_looked_at_is_not_made(page, heard):
    say(page, "timeline", seen=False)
    ask(page, "timeline", type="hello", rev=0)
    assert heard == []


def test_a_view_out_of_sight_rests_and_shows_everything_when_it_is_back(cluster, page, heard):
    say(page, "view", seen=True)
    say(page, "view", seen=False)
    cluster.run_for("60s")
    assert heard.patches("view") == []
    say(page, "view", seen=True)
    assert len(heard.patches("view")) == 1


def test_choosing_on_the_page_chooses_in_the_notebook_and_back(cluster, page, heard):
    for name in ("objects", "ownership", "why"):
        say(page, name, seen=True)
    ask(page, "ownership", type="select", id="Deployment/default/web", n=1)
    assert cluster.selection.selected == "Deployment/default/web"
    assert heard.patches("why")[-1]["set"]["title"] == "Why: Deployment web"
    cluster.selection.selected = "Node/node-1"
    assert heard.patches("objects")[-1]["set"]["selected"] == "Node/node-1"


def test_a_component_is_no_object_and_that_is_said(page, heard):
    say(page, "objects", seen=True)
    ask(page, "objects", type="select", id="kube-scheduler")
    assert "no object of the API" in heard.patches("objects")[-1]["set"]["details"]["problem"]


def test_the_ownership_graph_is_of_the_chosen_objects_namespace(cluster, page, heard):
    cluster.selection.selected = "Lease/kube-node-lease/node-1"
    say(page, "ownership", seen=True)
    assert {node["id"] for node in heard.state("ownership")["nodes"]} >= {"Lease/kube-node-lease/node-1"}


def test_a_stepped_cluster_is_stepped_and_taken_back(cluster, page, heard):
    say(page, "controls", seen=True)
    assert heard.state("controls")["cannot"] == {}
    ask(page, "controls", type="step", n=1)
    there = cluster.steps
    ask(page, "controls", type="back", n=2)
    assert (cluster.steps, cluster.last_step) == (there - 1, there)
    assert heard.patches("controls")[-1]["set"]["step"] == there - 1


def test_the_timeline_is_of_the_last_minutes(cluster, page, heard):
    cluster.run_for("1h")
    say(page, "timeline", seen=True)
    items = heard.state("timeline")["items"]
    assert items
    assert all(item["end"] is None or item["end"] >= 2900 for item in items)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "1", '{"to": 1}', '{"to": "nothing", "seen": true}', '{"to": ["view"]}']
)
def test_what_no_page_of_ours_would_say_is_passed_over(page, heard, text):
    page.receive(text)
    assert heard == []


def test_a_message_that_makes_no_sense_is_answered_with_a_sentence(page, heard):
    say(page, "controls", seen=True)
    for message in (None, 1, {"type": []}, {"type": "goto", "step": "x"}, {"type": "goto", "step": -5}):
        say(page, "controls", message=message)
    errors = [said["message"]["say"] for said in heard if said.get("message", {}).get("type") == "error"]
    assert len(errors) == 5


def test_a_page_that_has_gone_hears_no_more(cluster, page, heard):
    say(page, "view", seen=True)
    page.close()
    told = len(heard)
    deploy_another(cluster)
    assert len(heard) == told


def deploy_another(cluster) -> None:
    cluster.kubectl("delete deployment web")
    deploy(cluster)
    cluster.run_until_idle()
