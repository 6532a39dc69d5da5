"""Manifests as people write them, by the real kubectl: lists, kinds that nobody serves, fields that nobody knows."""

from __future__ import annotations

import pytest

from k8slab import Cluster

LIST = """apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
- {apiVersion: v1, kind: Service, metadata: {name: b}, spec: {ports: [{port: 80}]}}
"""
DEFINITION = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tabs.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: tabs, kind: Tab}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""
TAB = "apiVersion: example.com/v1\nkind: Tab\nmetadata: {name: one}\n"


@pytest.fixture(scope="module")
def cluster():
    with Cluster(nodes=1, seed=1) as cluster:
        yield cluster


def said(cluster, command, manifest):
    result = cluster.kubectl(f"{command} -f -", stdin=manifest)
    return result.stdout + result.stderr


def test_a_list_is_the_objects_in_it(cluster):
    assert said(cluster, "apply", LIST) == "configmap/a created\nservice/b created\n"
    assert said(cluster, "apply", LIST) == "configmap/a unchanged\nservice/b unchanged\n"
    assert said(cluster, "replace", LIST) == "configmap/a replaced\nservice/b replaced\n"
    assert said(cluster, "delete", LIST).count("deleted") == 2


def test_what_get_prints_apply_takes(cluster):
    cluster.kubectl("create configmap x"), cluster.kubectl("create configmap y")
    shown = cluster.kubectl("get configmap x y -o yaml").stdout
    assert "kind: List" in shown
    assert cluster.kubectl("apply -f -", stdin=shown).stdout == "configmap/x configured\nconfigmap/y configured\n"


def test_what_is_in_a_list_is_checked_like_all_else(cluster):
    refused = said(cluster, "create", LIST.replace("{name: a}}", "{name: a}, datum: {}}"))
    assert 'strict decoding error: unknown field "datum"' in refused


@pytest.mark.parametrize(
    ("version", "kind"),
    [("v1", "Nope"), ("apps/v9", "Deployment"), ("example.org/v1", "Tab"), ("policy/v1", "Eviction")],
)
def test_a_kind_that_nobody_serves_is_told_in_kubectls_words(cluster, version, kind):
    told = said(cluster, "apply", f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\n")
    assert told == (
        f'error: resource mapping not found for name: "x" namespace: "" from "STDIN": no matches for kind "{kind}" '
        f'in version "{version}"\nensure CRDs are installed first\n'
    )


def test_a_definition_and_its_first_object_in_one_go_are_one_step_too_fast(cluster):
    told = said(cluster, "apply", f"{DEFINITION}---\n{TAB}")
    assert "customresourcedefinition.apiextensions.k8s.io/tabs.example.com created\n" in told
    assert told.endswith('no matches for kind "Tab" in version "example.com/v1"\nensure CRDs are installed first\n')
    cluster.kubectl("wait --for=condition=Established crd/tabs.example.com").check()
    assert said(cluster, "apply", TAB) == "tab.example.com/one created\n"


def test_a_typo_in_what_is_there_already_is_shown_with_the_patch(cluster):
    plain = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typo}\ndata: {a: b}\n"
    assert said(cluster, "apply", plain) == "configmap/typo created\n"
    told = said(cluster, "apply", plain.replace("\ndata", "\ndatum"))
    assert told.startswith('The request is invalid: patch: Invalid value: "map[data:<nil> datum:map[a:b] metadata:map[')
    assert told.endswith(']]]": strict decoding error: unknown field "datum"\n')


def test_a_manifest_without_a_spec_is_told_what_is_missing_in_it(cluster):
    told = said(cluster, "apply", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n")
    assert told == (
        'The Deployment "d" is invalid: \n* spec.selector: Required value\n'
        "* spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`\n"
        "* spec.template.spec.containers: Required value\n"
    )
