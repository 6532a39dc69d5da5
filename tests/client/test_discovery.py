from __future__ import annotations

import pytest

from k8slab.apimachinery.errors import ServiceUnavailable
from k8slab.apimachinery.rest import Response
from k8slab.apimachinery.scheme import Resource
from k8slab.client.discovery import NoKindMatch, RestMapper, Served, discover, preferred
from tests.client.fake_server import World


@pytest.fixture
def served():
    return discover(World().client)


def test_a_server_says_what_it_serves(served):
    found = {(each.resource.group, each.resource.plural): each for each in served}
    pods = found["", "pods"]
    assert pods.resource == Resource("", "v1", "pods", "Pod", True)
    assert pods.supports("delete", "list", "watch")
    assert found["", "namespaces"].resource.namespaced is False
    assert not found["authorization.k8s.io", "selfsubjectaccessreviews"].supports("list")


def test_a_kind_is_found_by_its_name_and_version(served):
    mapper = RestMapper(served)
    assert mapper.resource("apps/v1", "Deployment").plural == "deployments"
    with pytest.raises(NoKindMatch, match=r'no matches for kind "Widget" in version "example\.com/v1"'):
        mapper.resource("example.com/v1", "Widget")


def test_each_kind_is_taken_once_in_its_groups_first_version():
    kinds = [
        Served(Resource("example.com", version, plural, "X"), frozenset())
        for version, plural in (("v2", "a"), ("v1", "a"), ("v1", "b"))
    ]
    assert [(each.resource.version, each.resource.plural) for each in preferred(kinds)] == [("v2", "a"), ("v1", "b")]


def test_what_the_server_cannot_say_is_an_error():
    client = World().client
    client.transport.send = lambda request: Response(503, object=ServiceUnavailable("later").status)
    with pytest.raises(ServiceUnavailable):
        discover(client)
