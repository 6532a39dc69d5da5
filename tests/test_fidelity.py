"""The page that says how faithful k8slab is."""

from __future__ import annotations

import inspect
import json
from functools import cache
from pathlib import Path

import pytest

from k8slab.apiserver.admission import LAST, MUTATING, VALIDATING
from k8slab.apiserver.audit_log import AuditLog
from k8slab.apiserver.authentication import Authenticator
from k8slab.apiserver.resources import RESOURCES, VERBS
from k8slab.apiserver.server import ApiServer
from k8slab.client.leader_election import LeaderElector
from k8slab.cri.docker import DockerRuntime
from k8slab.cri.simulated import SimulatedRuntime
from k8slab.engine.controllers import CONTROLLERS
from k8slab.etcd.remote import EtcdStore
from k8slab.etcd.sqlite import SqliteStore
from k8slab.etcd.store import Store
from k8slab.kubelet.kubelet import Kubelet
from k8slab.scheduler.scheduler import Scheduler
from scripts.fidelity import PAGE, ROOT, page
from tests.apiserver.objects import MERGE, Api


@cache
def text():
    return page()


def test_the_page_is_as_the_source_says():
    assert PAGE.read_text() == text(), "run: make docs"


def test_every_kind_has_a_row():
    rows = [line for line in text().splitlines() if line.startswith("| ")]
    assert len(rows) == len(RESOURCES) + 1


def test_a_kind_that_something_acts_on_is_full_and_one_that_is_only_kept_is_not():
    rows = {line.split(" | ")[0][2:]: line for line in text().splitlines() if line.startswith("| ")}
    assert "| full | `deployment`" in rows["Deployment"]
    assert "| stored only |" in rows["CSIDriver"]
    assert "| answered |" in rows["SubjectAccessReview"]


def test_what_components_leave_out_is_told():
    assert "CEL rules are not evaluated" in text()


def file_of(part):
    """Where a component is written: its class, or the function that is it."""
    return Path(inspect.getfile(getattr(part, "func", part))).relative_to(ROOT).as_posix()


PARTS = [
    *CONTROLLERS.values(), *MUTATING, *VALIDATING, *LAST,
    ApiServer, Authenticator, AuditLog, Scheduler, Kubelet, LeaderElector,
    Store, SqliteStore, EtcdStore, SimulatedRuntime, DockerRuntime,
]  # fmt: skip


@pytest.mark.parametrize("path", sorted({file_of(part) for part in PARTS}))
def test_every_component_says_what_it_leaves_out(path):
    assert f"`{path}`" in text().partition("## What is left out")[2]


# The page is held against a server: what it says of a kind is what is answered.


@pytest.fixture(scope="module")
def api():
    return Api()


@pytest.fixture(scope="module")
def discovered(api):
    groups = json.loads(api.send("GET", "/apis").body)["groups"]
    versions = [each["groupVersion"] for group in groups for each in group["versions"]]
    roots = ["/api/v1", *(f"/apis/{version}" for version in versions)]
    lists = [api.get(root) for root in roots]
    return {(each["groupVersion"], kind["name"]): kind for each in lists for kind in each["resources"]}


def cells_of(kind, version):
    rows = [line.split(" | ") for line in text().splitlines() if line.startswith(f"| {kind} | {version} ")]
    assert len(rows) == 1
    return [cell.strip("| ") for cell in rows[0]]


@pytest.mark.parametrize("row", RESOURCES.values(), ids=lambda row: f"{row.plural}.{row.group}")
def test_discovery_and_the_server_say_the_same_as_the_page(row, api, discovered):
    _, _, verbs, subresources, absent, level, _ = cells_of(row.kind, row.api_version)
    told = VERBS if verbs == "all" else tuple(verbs.split(", "))
    if (row.api_version, row.plural) in discovered:
        assert set(discovered[row.api_version, row.plural]["verbs"]) == set(told)
    for name in filter(None, subresources.split(", ")):
        assert (row.api_version, f"{row.plural}/{name}") in discovered
    for name in filter(None, absent.split(", ")):
        assert (row.api_version, f"{row.plural}/{name}") not in discovered
        assert api.send("GET", f"{row.path('default', 'x')}/{name}").code == 404
    listed = api.send("GET", row.path()).code
    assert listed == (405 if level == "answered" else 200)


@pytest.mark.parametrize("missing", ["/apis/resource.k8s.io/v1beta1/deviceclasses", "/api/v1/componentstatuses",
                                     "/apis/autoscaling/v1/horizontalpodautoscalers"])  # fmt: skip
def test_what_is_not_served_is_not_found(api, missing):
    assert api.send("GET", missing).code == 404


STORED = {
    ("", "podtemplates"): {"template": {"spec": {"containers": [{"name": "a", "image": "b"}]}}},
    ("apiregistration.k8s.io", "apiservices"): {
        "metadata": {"name": "v1.x.example.com"},
        "spec": {"group": "x.example.com", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1},
    },
    ("networking.k8s.io", "networkpolicies"): {"spec": {"podSelector": {}}},
    ("networking.k8s.io", "ingressclasses"): {"spec": {"controller": "x.example.com/y"}},
    ("networking.k8s.io", "servicecidrs"): {"spec": {"cidrs": ["10.97.0.0/24"]}},
    ("node.k8s.io", "runtimeclasses"): {"handler": "runc"},
    ("storage.k8s.io", "storageclasses"): {"provisioner": "x.example.com/y"},
    ("storage.k8s.io", "csidrivers"): {"spec": {}},
    ("storage.k8s.io", "csinodes"): {"spec": {"drivers": []}},
    ("resource.k8s.io", "deviceclasses"): {"spec": {}},
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): {"webhooks": []},
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): {"webhooks": []},
}


def holds(kept, sent):
    """Whether all that was sent was kept."""
    if isinstance(sent, dict):
        return all(holds(kept.get(name), value) for name, value in sent.items() if value != {})
    if isinstance(sent, list):
        return not sent or (len(kept) == len(sent) and all(map(holds, kept, sent)))
    return kept == sent


@pytest.mark.parametrize("key", STORED, ids=lambda key: key[1])
def test_what_is_stored_only_is_kept_and_can_be_changed_and_deleted(api, key):
    row = RESOURCES[key]
    assert cells_of(row.kind, row.api_version)[5] == "stored only"
    body = {"metadata": {"name": "x"}, **STORED[key]}
    name, namespace = body["metadata"]["name"], "default" if row.namespaced else ""
    made = api.create(row.path(namespace), body)
    assert holds(made, body)
    path = row.path(namespace, name)
    patched = api.send("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, MERGE)
    assert (patched.code, patched.object["metadata"]["labels"]) == (200, {"a": "b"})
    assert api.send("POST", row.path(namespace), {**body, "nonsense": 1}, fieldValidation="Strict").code == 400
    assert api.send("DELETE", path).code == 200
    assert api.send("GET", path).code == 404
