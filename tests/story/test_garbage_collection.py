"""What becomes of what is owned when its owner goes, by the real kubectl: custom objects own built-in ones, and are owned."""

from __future__ import annotations

import pytest
import yaml

from k8slab import Cluster
from tests.story.custom_resources import CRONTAB, FULL

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.39"
TAB = {"apiVersion": "stable.example.com/v1", "kind": "CronTab", "spec": yaml.safe_load(CRONTAB)["spec"]}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap"}
NO_FINALIZERS = """--type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]'"""
PUBLISHED = "configmap/kube-root-ca.crt"
"""Every namespace has it."""


@pytest.fixture
def cluster():
    with Cluster(nodes=1, seed=1) as cluster:
        cluster.kubectl("create -f -", stdin=FULL).check()
        cluster.run_until_idle()
        yield cluster


def create(cluster, kind, name, owner="", namespace="default", blocks=False, **metadata):
    """An object, owned by one that is named as `deployment/web`."""
    about = {"name": name, "namespace": namespace, **metadata}
    if owner:
        about["ownerReferences"] = [reference(cluster, owner, blocks)]
    cluster.kubectl("create -f -", stdin=yaml.safe_dump({**kind, "metadata": about})).check()


def reference(cluster, owner, blocks=False):
    found = yaml.safe_load(cluster.kubectl(f"get {owner} -o yaml").check().stdout)
    naming = {"name": found["metadata"]["name"], "uid": found["metadata"]["uid"]}
    return {"apiVersion": found["apiVersion"], "kind": found["kind"], "blockOwnerDeletion": blocks, **naming}


def left(cluster, *kinds, namespace="default"):
    cluster.run_until_idle()
    names = cluster.kubectl(f"get {','.join(kinds)} -o name -n {namespace}").check().stdout.split()
    return [each.replace(".stable.example.com", "") for each in names if each != PUBLISHED]


def get(cluster, what, path):
    return cluster.kubectl(f"get {what} -o 'jsonpath={{.metadata.{path}}}'").check().stdout


def test_in_the_background_the_owner_goes_first_and_the_rest_follows_link_by_link(cluster):
    create(cluster, TAB, "parent")
    create(cluster, CONFIG, "child", "crontab/parent")
    create(cluster, TAB, "grandchild", "configmap/child")
    assert left(cluster, "crontab", "configmap") == ["crontab/grandchild", "crontab/parent", "configmap/child"]
    told = cluster.kubectl("delete crontab parent").check().stdout
    assert told == 'crontab.stable.example.com "parent" deleted from default namespace\n'
    assert left(cluster, "crontab", "configmap") == []


def test_in_the_foreground_a_custom_owner_waits_for_whom_it_is_blocked_by_and_for_nobody_else(cluster):
    create(cluster, TAB, "parent")
    create(cluster, CONFIG, "blocks", "crontab/parent", blocks=True, finalizers=["example.com/wait"])
    create(cluster, CONFIG, "free", "crontab/parent", finalizers=["example.com/wait"])
    cluster.kubectl("delete crontab parent --cascade=foreground --wait=false").check()
    assert left(cluster, "crontab", "configmap") == ["crontab/parent", "configmap/blocks", "configmap/free"]
    assert get(cluster, "crontab/parent", "finalizers") == '["foregroundDeletion"]'
    assert all(get(cluster, f"configmap/{name}", "deletionTimestamp") for name in ("blocks", "free"))
    cluster.kubectl(f"patch configmap blocks {NO_FINALIZERS}").check()
    assert left(cluster, "crontab", "configmap") == ["configmap/free"]
    cluster.kubectl(f"patch configmap free {NO_FINALIZERS}").check()
    assert left(cluster, "crontab", "configmap") == []


def test_in_the_foreground_a_built_in_owner_waits_for_a_custom_one(cluster):
    cluster.kubectl(f"create deployment web --image={IMAGE}").check()
    create(cluster, TAB, "blocks", "deployment/web", blocks=True, finalizers=["example.com/wait"])
    cluster.kubectl("delete deployment web --cascade=foreground --wait=false").check()
    assert left(cluster, "deployment", "replicaset", "pod", "crontab") == ["deployment.apps/web", "crontab/blocks"]
    cluster.kubectl(f"patch crontab blocks {NO_FINALIZERS}").check()
    assert left(cluster, "deployment", "crontab") == []


def test_orphans_stay_and_name_no_owner_any_more(cluster):
    create(cluster, TAB, "parent")
    create(cluster, CONFIG, "child", "crontab/parent", blocks=True)
    cluster.kubectl("delete crontab parent --cascade=orphan").check()
    assert left(cluster, "crontab", "configmap") == ["configmap/child"]
    assert get(cluster, "configmap/child", "ownerReferences") == ""


def test_who_has_another_owner_stays_and_names_only_that_one(cluster):
    create(cluster, TAB, "parent")
    create(cluster, TAB, "other")
    owners = [reference(cluster, "crontab/parent"), reference(cluster, "crontab/other")]
    create(cluster, CONFIG, "child", ownerReferences=owners)
    cluster.kubectl("delete crontab parent").check()
    assert left(cluster, "crontab", "configmap") == ["crontab/other", "configmap/child"]
    assert get(cluster, "configmap/child", "ownerReferences[*].name") == "other"


def test_an_owner_in_another_namespace_is_no_owner_and_an_event_says_so(cluster):
    create(cluster, TAB, "parent")
    uid = get(cluster, "crontab/parent", "uid")
    cluster.kubectl("create namespace other").check()
    create(cluster, CONFIG, "stray", "crontab/parent", namespace="other")
    assert left(cluster, "crontab") == ["crontab/parent"]
    assert left(cluster, "configmap", namespace="other") == []
    told = cluster.kubectl("events -n other").check().stdout.splitlines()[1].split(maxsplit=4)
    assert told[1:] == [
        "Warning",
        "OwnerRefInvalidNamespace",
        "ConfigMap/stray",
        f"ownerRef [stable.example.com/v1/CronTab, namespace: other, name: parent, uid: {uid}] "
        'does not exist in namespace "other"',
    ]


def test_who_has_no_namespace_cannot_be_owned_by_who_has_one(cluster):
    create(cluster, TAB, "parent")
    about = {"name": "owned", "ownerReferences": [reference(cluster, "crontab/parent")]}
    cluster.kubectl("create -f -", stdin=yaml.safe_dump({"apiVersion": "v1", "kind": "Namespace", "metadata": about}))
    cluster.kubectl("delete crontab parent").check()
    cluster.run_for("1h")
    assert left(cluster, "namespace/owned") == ["namespace/owned"]
    assert "OwnerRefInvalidNamespace" in cluster.kubectl("events --for namespace/owned").check().stdout


def test_with_a_definition_goes_what_its_objects_owned(cluster):
    create(cluster, TAB, "parent")
    create(cluster, CONFIG, "child", "crontab/parent")
    cluster.kubectl("delete crd crontabs.stable.example.com").check()
    assert left(cluster, "configmap") == []
