"""Server-side apply by the real kubectl: its texts, and the way from client-side apply and back."""

from __future__ import annotations

import json

import pytest

from k8slab import Cluster

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx
        ports: [{containerPort: 80}]
"""
WITHOUT_PORTS = DEPLOYMENT.replace("        ports: [{containerPort: 80}]\n", "")


@pytest.fixture(scope="module")
def cluster():
    with Cluster(nodes=1, seed=1) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _nothing_is_left(cluster):
    yield
    cluster.kubectl("delete deployment --all")


def apply(cluster, manifest, *options):
    return cluster.kubectl(" ".join(["apply", "-f", "-", *options]), stdin=manifest)


def server_side(cluster, manifest, *options):
    return apply(cluster, manifest, "--server-side", *options)


def managers(cluster):
    raw = json.loads(cluster.kubectl("get deployment web -o json --show-managed-fields").stdout)
    return [entry["manager"] for entry in raw["metadata"]["managedFields"] if "controller" not in entry["manager"]]


def container(cluster):
    return json.loads(cluster.kubectl("get deployment web -o jsonpath={.spec.template.spec.containers[0]}").stdout)


def test_what_is_left_out_goes(cluster):
    assert server_side(cluster, DEPLOYMENT).stdout == "deployment.apps/web serverside-applied\n"
    assert container(cluster)["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    server_side(cluster, WITHOUT_PORTS)
    assert "ports" not in container(cluster)


def test_who_scales_owns_the_replicas_until_somebody_forces(cluster):
    server_side(cluster, DEPLOYMENT)
    cluster.kubectl("scale deployment web --replicas=5")
    conflict = server_side(cluster, DEPLOYMENT)
    assert conflict.returncode == 1
    assert conflict.stderr.startswith(
        'error: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas\n'
        "Please review the fields above--they currently have other managers."
    )
    assert server_side(cluster, DEPLOYMENT, "--force-conflicts").returncode == 0
    assert managers(cluster) == ["kubectl"]


def test_two_managers_share_what_they_agree_on(cluster):
    server_side(cluster, DEPLOYMENT)
    assert server_side(cluster, DEPLOYMENT, "--field-manager=x").returncode == 0
    refused = server_side(cluster, DEPLOYMENT.replace("nginx", "httpd"), "--field-manager=x")
    assert 'conflict with "kubectl": .spec.template.spec.containers[name="web"].image' in refused.stderr
    server_side(cluster, WITHOUT_PORTS)
    assert container(cluster)["ports"]


def test_from_client_side_apply_to_server_side_and_back(cluster):
    apply(cluster, DEPLOYMENT)
    assert managers(cluster) == ["kubectl-client-side-apply"]
    assert server_side(cluster, WITHOUT_PORTS.replace("nginx", "httpd")).returncode == 0
    assert managers(cluster) == ["kubectl", "kubectl-last-applied"]
    assert container(cluster)["image"] == "httpd"
    assert "ports" not in container(cluster)  # kubectl makes the fields its own, and then applies once more
    back = apply(cluster, DEPLOYMENT.replace("nginx", "busybox"))
    assert (back.stdout, back.stderr) == ("deployment.apps/web configured\n", "")
    assert server_side(cluster, DEPLOYMENT).returncode == 0
    assert managers(cluster) == ["kubectl", "kubectl-last-applied"]


def test_diff_shows_what_an_apply_would_do(cluster):
    server_side(cluster, DEPLOYMENT)
    for options in ("", "--server-side"):
        shown = cluster.kubectl(f"diff {options} -f -", stdin=DEPLOYMENT.replace("nginx", "httpd"))
        assert shown.returncode == 1
        assert "-      - image: nginx\n+      - image: httpd\n" in shown.stdout
        assert "managedFields" not in shown.stdout
    assert cluster.kubectl("diff --server-side -f -", stdin=DEPLOYMENT).returncode == 0


def test_kubectl_shows_managed_fields_only_when_asked(cluster):
    server_side(cluster, DEPLOYMENT)
    assert "managedFields" not in cluster.kubectl("get deployment web -o yaml").stdout
    assert "manager: kubectl\n" in cluster.kubectl("get deployment web -o yaml --show-managed-fields").stdout


def test_an_edit_is_recorded(cluster):
    server_side(cluster, DEPLOYMENT)
    cluster.kubectl("edit deployment web", env={"KUBE_EDITOR": "sed -i 's/replicas: 2/replicas: 3/'"})
    assert managers(cluster) == ["kubectl", "kubectl-edit"]


def test_a_field_that_the_schema_lacks_is_refused(cluster):
    refused = server_side(cluster, DEPLOYMENT.replace("replicas: 2", "replica: 2"))
    assert refused.stderr == (
        "Error from server: failed to create typed patch object (default/web; apps/v1, Kind=Deployment): "
        ".spec.replica: field not declared in schema\n"
    )
