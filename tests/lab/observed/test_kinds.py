from __future__ import annotations

import pytest

from k8slab.lab.connect import ConnectError, Lab
from k8slab.lab.observed.kinds import discover


@pytest.mark.parametrize("legacy", [False, True])
def test_a_kind_is_named_as_kubectl_takes_it(fake, tmp_path, legacy):
    fake.legacy = legacy
    with Lab.connect(fake.kubeconfig(tmp_path)) as lab:
        kinds = lab._reader.kinds
        for text in ("deploy", "Deployment", "deployments", "deployments.apps", "deployment.v1.apps"):
            assert kinds.named(text).resource.path("x") == "/apis/apps/v1/namespaces/x/deployments"
        assert kinds.named("wi").resource.api_version == "example.com/v1alpha1"
        assert not kinds.named("clusterwidget").resource.namespaced


def test_of_two_kinds_with_one_name_the_first_is_meant_and_the_other_shows_its_group(lab):
    kinds = lab._reader.kinds
    assert kinds.named("service").name == "services"
    assert kinds.named("services.serving.knative.dev").label == "Service.serving.knative.dev"
    assert kinds.named("ksvc").label == "Service.serving.knative.dev"


def test_a_kind_in_two_versions_is_there_once_in_the_preferred_one(lab):
    found = [kind.resource.version for kind in lab._reader.kinds.all if kind.name == "deployments.apps"]
    assert found == ["v1"]
    assert lab._reader.kinds.of("apps/v1beta1", "Deployment").resource.version == "v1"


def test_an_api_that_is_silent_is_named_and_the_rest_goes_on(fake, lab, tmp_path):
    assert lab._reader.kinds.silent == ("metrics.k8s.io/v1",)
    fake.legacy, fake.refused = True, {"/apis/example.com/v1alpha1": 503}
    with Lab.connect(fake.kubeconfig(tmp_path)) as old:
        assert old._reader.kinds.silent == ("example.com/v1alpha1",)
        assert old._reader.kinds.named("pod").name == "pods"


def test_what_is_not_served_is_answered_by_what_is_like_it(lab):
    with pytest.raises(ValueError, match=r"serves no kind 'wiget' \(silent: metrics.k8s.io/v1\); did you mean widget"):
        lab._reader.kinds.named("wiget")


def test_the_kinds_are_a_table(lab):
    assert ("widgets.example.com", "Widget", "example.com/v1alpha1", "wi", "yes", "get, list, watch") in lab.kinds.rows


def test_who_may_not_even_ask_is_told_whom_to_ask(fake, tmp_path):
    fake.refused["/api"] = 403
    with pytest.raises(ConnectError, match="not allowed: /api: no; everybody who is logged in may"):
        Lab.connect(fake.kubeconfig(tmp_path))


def test_a_server_without_kinds_is_none():
    class Other:
        def request(self, *_args, **_options):
            return type("Answer", (), {"object": {"hello": "world"}})

    with pytest.raises(ConnectError, match="is this a Kubernetes API server"):
        discover(Other())
