from __future__ import annotations

import json

import pytest
import yaml

from k8slab.apimachinery.rest import Request
from tests.apiserver.harness import ADMIN, MAPS, config_map

CURL = {"user-agent": "curl/8.5.0"}


@pytest.fixture
def on_wire(api):
    """GET as a client over HTTPS would have it."""
    api.do("POST", MAPS, config_map(a="yes"))

    def get(path=f"{MAPS}/settings", headers=None, **query):
        asked = {name: [value] for name, value in query.items()}
        return api.server.handle(Request("GET", path, asked, headers or {}, user=ADMIN, on_wire=True))

    return get


def test_programs_get_no_space_too_much(on_wire):
    assert b"\n" not in on_wire().payload()


@pytest.mark.parametrize("path", [f"{MAPS}/settings", MAPS, f"{MAPS}/nope", "/version", "/apis", "/"])
@pytest.mark.parametrize("tool", ["curl/8.5.0", "Wget/1.21", "Mozilla/5.0 (X11)"])
def test_people_get_it_indented_and_it_says_the_same(on_wire, path, tool):
    shown = on_wire(path, {"user-agent": tool}).payload()
    assert b"\n  " in shown
    assert json.loads(shown) == json.loads(on_wire(path).payload())


@pytest.mark.parametrize(("pretty", "indented"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_who_says_so_decides(on_wire, pretty, indented):
    for headers in ({}, CURL):
        assert (b"\n" in on_wire(headers=headers, pretty=pretty).payload()) is indented


def test_yaml_for_who_asks_for_yaml(on_wire):
    response = on_wire(headers={"accept": "application/yaml"})
    assert response.content_type == "application/yaml"
    assert yaml.safe_load(response.payload()) == json.loads(on_wire().payload())
    assert b"a: 'yes'\n" in response.payload()


def test_yaml_is_no_more_than_the_second_choice_where_json_comes_first(on_wire):
    for accept in ("application/json, application/yaml", "*/*", ""):
        assert on_wire(headers={"accept": accept}).content_type == "application/json"


def test_a_refusal_comes_as_yaml_too(on_wire):
    response = on_wire(f"{MAPS}/nope", {"accept": "application/yaml"})
    assert (response.code, yaml.safe_load(response.payload())["reason"]) == (404, "NotFound")


def test_discovery_keeps_the_type_by_which_clients_know_it(on_wire):
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    response = on_wire("/apis", {**CURL, "accept": accept})
    assert response.content_type == accept
    assert b"\n  " in response.payload()


def test_a_watch_stays_a_line_an_event(on_wire):
    assert on_wire(MAPS, CURL, watch="true", pretty="true").watch is not None
