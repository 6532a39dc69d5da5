"""`/livez`, `/readyz` and `/healthz`, in upstream's words."""

from __future__ import annotations

import pytest

from k8slab.apiserver.health import CHECKS
from k8slab.etcd.store import StoreUnavailable
from tests.apiserver.harness import PODS


@pytest.fixture
def broken(api, monkeypatch):
    def away():
        raise StoreUnavailable("context deadline exceeded", timed_out=True)

    monkeypatch.setattr(api.store, "check", away)
    return api


def text(api, path, **query):
    answer = api.ask("GET", path, **query)
    return answer.code, answer.payload().decode()


@pytest.mark.parametrize("page", CHECKS)
def test_a_healthy_server_says_ok_and_no_more(api, page):
    assert text(api, f"/{page}") == (200, "ok")
    for check in CHECKS[page]:
        assert text(api, f"/{page}/{check}") == (200, "ok")


def test_it_names_its_checks_when_asked(api):
    code, said = text(api, "/readyz", verbose="")
    assert (code, said.splitlines()[2:]) == (
        200,
        ["[+]etcd ok", "[+]etcd-readiness ok", "[+]poststarthook/rbac/bootstrap-roles ok", "readyz check passed"],
    )


def test_a_failing_check_fails_the_page_and_why_is_said_at_its_own_path_only(broken):
    code, said = text(broken, "/livez")
    assert code == 500
    assert "[-]etcd failed: reason withheld\n" in said
    assert said.endswith("livez check failed\n")
    assert "deadline" not in said
    assert text(broken, "/livez/etcd") == (500, "internal server error: context deadline exceeded\n")
    assert text(broken, "/livez/ping") == (200, "ok")


def test_a_check_can_be_left_out(broken):
    code, said = text(broken, "/livez", exclude="etcd", verbose="")
    assert (code, "[+]etcd excluded: ok" in said) == (200, True)


def test_what_cannot_be_left_out_is_named(api):
    said = text(api, "/readyz", exclude="weather", verbose="")[1]
    assert 'warn: some health checks cannot be excluded: no matches for "weather"\n' in said


def test_a_server_without_its_roles_is_not_ready(api):
    api.do("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin")
    assert "[-]poststarthook/rbac/bootstrap-roles failed" in text(api, "/readyz")[1]


def test_there_are_no_other_pages(api):
    assert api.refusal("GET", "/readyz/weather")[0] == 404
    assert api.refusal("GET", "/livez/etcd-readiness")[0] == 404
    assert api.refusal("POST", "/livez")[0] == 405


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        (StoreUnavailable("etcdserver: request timed out"), 500, "etcdserver: request timed out"),
        (
            StoreUnavailable("context deadline exceeded", timed_out=True),
            504,
            "Timeout: request did not complete within requested timeout - context deadline exceeded",
        ),
    ],
)
def test_when_etcd_is_away_requests_fail_in_its_words(api, monkeypatch, fault, code, message):
    def away(*_, **__):
        raise fault

    monkeypatch.setattr(api.store, "range", away)
    assert api.refusal("GET", PODS) == (code, message)
