"""The judge of "The way to a Pod": whatever leads to the right answer is right, and what does not is read and explained."""

from __future__ import annotations

import sys

import pytest

from k8slab.lab.checks import pod_path as check

TEMPLATE = '{{range .items}}{{.metadata.name}}{{"\\n"}}{{end}}'
RUN_TOGETHER = "{{range .items}}{{.metadata.name}}{{end}}"
APP = "app=kubernetes-bootcamp"
OWN, OTHERS, QUERY = "the Pod's own page", "other namespaces and ports", "a path with a query"
ANSWERS, WAY, ELSEWHERE = "the app answers", "by a go-template and through the API server", "in other clusters too"


def path_of(pod, port, path="/"):
    return path_to(pod["metadata"]["namespace"], pod["metadata"]["name"], port, path)


def path_to(namespace, name, port, path="/"):
    return f"/api/v1/namespaces/{namespace}/pods/{name}:{port}/proxy{path}"


def names(cluster, namespace, *selector, template=TEMPLATE):
    return cluster.kubectl(["get", "pods", "-n", namespace, *selector, "-o", f"go-template={template}"]).stdout.split()


def raw(cluster, path):
    return cluster.kubectl(["get", "--raw", path])


def reach(cluster, namespace="default"):
    return raw(cluster, path_to(namespace, names(cluster, namespace, "-l", APP)[0], 8080)).stdout


def failed(result) -> dict[str, str]:
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    assert check.check_path(path_of).points == 3
    assert check.check_reach(reach).points == 3


@pytest.mark.parametrize("starter", [None, ..., lambda *arguments: None])
def test_the_starter_gets_none(starter):
    assert check.check_path(starter).points == 0
    assert check.check_reach(starter).points == 0


def test_another_way_to_the_same_answer_is_right_too():
    assert (
        check.check_path(lambda pod, port, path="/": path_of(pod, port, path).replace("/pods/", "/pods/http:")).points
        == 3
    )


def without_namespace(pod, port, path="/"):
    return f"/api/v1/pods/{pod['metadata']['name']}:{port}/proxy{path}"


def namespace_by_heart(pod, port, path="/"):
    return path_to("default", pod["metadata"]["name"], port, path)


def without_port(pod, port, path="/"):
    return path_of(pod, port, path).replace(f":{port}", "")


def port_by_heart(pod, port, path="/"):
    return path_of(pod, 8080, path)


def without_proxy(pod, port, path="/"):
    return path_of(pod, port, path).replace("/proxy", "")


def deployment_as_pod(pod, port, path="/"):
    return path_to(pod["metadata"]["namespace"], pod["metadata"]["labels"]["app"], port, path)


def deployments_path(pod, port, path="/"):
    return deployment_as_pod(pod, port, path).replace("/pods/", "/deployments/")


def without_slash(pod, port, path="/"):
    return path_of(pod, port, path).removesuffix("/")


def without_path(pod, port, path="/"):
    return path_of(pod, port)


def two_slashes(pod, port, path="/"):
    return path_of(pod, port, f"/{path}")


@pytest.mark.parametrize(
    ("wrong", "criteria", "message"),
    [
        (without_namespace, [OWN], "does not say in which namespace"),
        (namespace_by_heart, [OTHERS, QUERY], "is in the namespace 'team', and the path asks in 'default'"),
        (without_port, [OWN], "without a port the API server tries port 80"),
        (port_by_heart, [OTHERS], "listens on port 9000, and the path names another one"),
        (without_proxy, [OWN], "without `proxy` the API server reads an object of its own"),
        (deployment_as_pod, [OWN], "'kubernetes-bootcamp' is the Deployment. Nothing runs in a Deployment"),
        (deployments_path, [OWN], "only a Pod can answer"),
        (without_slash, [OWN], "without a slash, so the API server only sends you on (301)"),
        (without_path, [OTHERS, QUERY], "after `proxy` comes what the Pod is asked, unchanged: /hostname"),
        (two_slashes, [OTHERS, QUERY], "two slashes after `proxy`"),
        (lambda pod, port, path="/": 404, [OWN], "should return a text, but what it returned is int: 404"),
        (lambda pod, port, path="/": "http://[/?", [OWN], "does not say in which namespace"),
        (lambda pod, port: path_of(pod, port), [OTHERS, QUERY], "your code raised TypeError"),
        (lambda pod, port, path="/": pod["name"], [OWN], "your code raised KeyError: 'name'"),
    ],
)
def test_a_wrong_path_fails_the_criteria_meant_for_it(wrong, criteria, message):
    found = failed(check.check_path(wrong))
    assert list(found) == criteria
    assert message in found[criteria[0]]


def test_a_path_that_no_notebook_could_store_is_told_all_the_same():
    result = check.check_path(lambda pod, port, path="/": "\ud800")
    assert str(result).encode()


def the_deployments_name(cluster, namespace):
    names(cluster, namespace)
    return raw(cluster, path_to(namespace, "kubernetes-bootcamp", 8080)).stdout


def the_first_pod_of_all(cluster, namespace):
    return raw(cluster, path_to(namespace, names(cluster, namespace)[0], 8080)).stdout


def all_names_in_one(cluster, namespace):
    found = names(cluster, namespace, "-l", APP, template=RUN_TOGETHER)[0]
    return raw(cluster, path_to(namespace, found, 8080)).stdout


def in_the_default_namespace(cluster, namespace):
    return reach(cluster)


def result_itself(cluster, namespace):
    return raw(cluster, path_to(namespace, names(cluster, namespace, "-l", APP)[0], 8080))


def another_port(cluster, namespace):
    return raw(cluster, path_to(namespace, names(cluster, namespace, "-l", APP)[0], 80)).stdout


def without_template(cluster, namespace):
    name = cluster.kubectl(f"get pods -n {namespace} -l {APP} -o name").stdout.split()[0]
    return raw(cluster, path_to(namespace, name.removeprefix("pod/"), 8080)).stdout


def made_up(cluster, namespace):
    name = names(cluster, namespace, "-l", APP)[0]
    return f"Hello Kubernetes bootcamp! | Running on: {name} | v=1\n"


def by_the_instruments(cluster, namespace):
    return cluster.client


@pytest.mark.parametrize(
    ("wrong", "criterion", "message"),
    [
        (the_deployments_name, ANSWERS, "'kubernetes-bootcamp' is the Deployment's name: only a Pod can answer"),
        (the_first_pod_of_all, ELSEWHERE, "other Pods beside the app's): the Pod that was asked is none of the app's"),
        (all_names_in_one, ELSEWHERE, "(two Pods of the app): your template prints several names"),
        (in_the_default_namespace, ELSEWHERE, "(another namespace, and other Pods beside the app's)"),
        (result_itself, ANSWERS, "the `.stdout` of kubectl's result"),
        (another_port, ANSWERS, "connection refused"),
        (without_template, WAY, "did not come from a go-template"),
        (made_up, WAY, "did not come through the API server"),
        (by_the_instruments, ANSWERS, "here a cluster has only kubectl and run_for, and no 'client'"),
        (lambda cluster, namespace: sys.exit(3), ANSWERS, "your code raised SystemExit"),
        (lambda cluster, namespace: "Hello", ANSWERS, "kubectl has never been asked to `get --raw`"),
        (lambda cluster, namespace: None, ANSWERS, "has returned nothing"),
        (None, ANSWERS, "should be a function, but it is still empty"),
    ],
)
def test_a_wrong_reach_fails_the_criterion_meant_for_it(wrong, criterion, message):
    found = failed(check.check_reach(wrong))
    assert criterion in found
    assert message in found[criterion]


def test_there_are_three_hints_for_each_part():
    assert len(check.PATH.hints) == len(check.REACH.hints) == 3
