from __future__ import annotations

import pytest

from tests.apiserver.harness import DEPLOYMENTS, MERGE, PODS, deployment, pod


def warned(response):
    assert response.code < 300, response.object
    return [
        text.removeprefix('299 - "').removesuffix('"')
        for text in response.headers.get("Warning", "").split(", 299")
        if text
    ]


def container(**fields):
    return {"name": "a", "image": "b", **fields}


PORT = {"containerPort": 80}
ODD = {
    "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]": [
        container(ports=[PORT, PORT])
    ],
    "spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]": [
        container(ports=[PORT]), container(name="b", ports=[PORT]),
    ],
    "spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]": [
        container(ports=[PORT, PORT | {"hostPort": 8080}])
    ],
    'spec.containers[0].env[1]: hides previous definition of \\"A\\", which may be dropped when using apply': [
        container(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}])
    ],
    'spec.containers[0].resources.requests[memory]: fractional byte value \\"128m\\" is invalid, must be an integer': [
        container(resources={"requests": {"memory": "128m", "cpu": "100m"}})
    ],
}  # fmt: skip


@pytest.mark.parametrize("text", ODD)
def test_what_is_odd_about_a_pod_is_told_and_the_pod_is_made(api, text):
    assert warned(api.ask("POST", PODS, pod(containers=ODD[text]))) == [text]


@pytest.mark.parametrize(
    "containers",
    [
        [container(ports=[PORT, PORT | {"protocol": "UDP"}])],
        [container(ports=[PORT | {"hostPort": 1}, PORT | {"hostPort": 2}])],
        [container(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}])],
        [container(resources={"limits": {"memory": "1Gi", "cpu": "1m"}, "requests": {"memory": "0.5Gi"}})],
    ],
)
def test_what_only_looks_odd_is_not_told(api, containers):
    assert warned(api.ask("POST", PODS, pod(containers=containers))) == []


def test_a_template_is_told_of_when_it_is_written_and_not_again(api):
    body = deployment()
    body["spec"]["template"]["spec"]["containers"][0]["ports"] = [PORT, PORT]
    where = "spec.template.spec.containers[0].ports"
    told = [f"{where}[1]: duplicate port definition with {where}[0]"]
    assert warned(api.ask("POST", DEPLOYMENTS, body)) == told
    assert warned(api.ask("PATCH", f"{DEPLOYMENTS}/web", {"metadata": {"labels": {"a": "b"}}}, MERGE)) == []
    assert warned(api.ask("PATCH", f"{DEPLOYMENTS}/web", {"spec": {"replicas": 3}}, MERGE)) == told
