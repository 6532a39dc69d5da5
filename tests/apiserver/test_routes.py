from __future__ import annotations

import pytest

from k8slab.apimachinery.rest import Request
from k8slab.apiserver.resources import RESOURCES
from k8slab.apiserver.routes import request_info


def read(method, path, **query):
    info = request_info(Request(method, path, {name: [value] for name, value in query.items()}))
    return info.verb, info.group, info.plural, info.namespace, info.name, info.subresource


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/api/v1/pods", ("list", "", "pods", "", "", "")),
        ("GET", "/api/v1/namespaces/a/pods/b", ("get", "", "pods", "a", "b", "")),
        ("GET", "/api/v1/namespaces/a/pods/b/log", ("get", "", "pods", "a", "b", "log")),
        ("POST", "/apis/apps/v1/namespaces/a/deployments", ("create", "apps", "deployments", "a", "", "")),
        ("DELETE", "/apis/apps/v1/namespaces/a/deployments", ("deletecollection", "apps", "deployments", "a", "", "")),
        ("PATCH", "/api/v1/nodes/a/status", ("patch", "", "nodes", "", "a", "status")),
        ("GET", "/api/v1/namespaces", ("list", "", "namespaces", "", "", "")),
        ("GET", "/api/v1/namespaces/a", ("get", "", "namespaces", "a", "a", "")),
        ("PUT", "/api/v1/namespaces/a/finalize", ("update", "", "namespaces", "a", "a", "finalize")),
        ("GET", "/api/v1/pods/", ("list", "", "pods", "", "", "")),
    ],
)
def test_a_path_says_what_is_asked(method, path, found):
    assert read(method, path) == found


def test_a_watch_is_a_list_that_goes_on():
    assert read("GET", "/api/v1/pods", watch="true")[0] == "watch"
    assert read("GET", "/api/v1/pods", watch="0")[0] == "list"


def test_the_old_prefix_of_a_watch_still_leads_there():
    assert read("GET", "/api/v1/watch/pods") == ("watch", "", "pods", "", "", "")
    assert read("GET", "/api/v1/watch/namespaces/a/pods/b") == ("watch", "", "pods", "a", "b", "")
    assert read("GET", "/apis/apps/v1/watch/deployments") == ("watch", "apps", "deployments", "", "", "")
    assert read("POST", "/api/v1/watch/pods")[2] == "watch"


def test_other_paths_name_no_resource():
    assert not request_info(Request("GET", "/apis/apps")).is_resource


def test_keys_are_where_upstream_keeps_them():
    assert RESOURCES["", "pods"].key_prefix == "/registry/pods/"
    assert RESOURCES["events.k8s.io", "events"].key_prefix == RESOURCES["", "events"].key_prefix
