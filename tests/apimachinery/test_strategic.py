"""Each case of CASES also runs through the real kubectl (`kubectl patch --local`), which is upstream's own code."""

import copy
import json
import subprocess
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.errors import BadRequest, Invalid
from k8slab.apimachinery.schema import definition_for
from k8slab.apimachinery.strategic import strategic_merge_patch
from k8slab.loop.kubectl import find_kubectl

DEPLOYMENT = definition_for("apps", "v1", "Deployment")
CONTAINERS = [
    {"name": "web", "image": "nginx"},
    {"name": "log", "image": "redis", "env": [{"name": "A", "value": "1"}]},
]


def deployment(**spec):
    pod = {"containers": CONTAINERS} | spec
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"a": "1", "b": "2"}, "finalizers": ["x/a", "x/b"]},
        "spec": {
            "selector": {"matchLabels": {"a": "1"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
            "template": {"metadata": {"labels": {"a": "1"}}, "spec": pod},
        },
    }


def in_pod(**patch):
    return {"spec": {"template": {"spec": patch}}}


TAINTED = deployment(tolerations=[{"key": "disk", "effect": "NoSchedule"}])
CASES = {
    "a container is merged by its name": (deployment(), in_pod(containers=[{"name": "web", "image": "nginx:2"}])),
    "a new container comes first, as in the patch": (
        deployment(),
        in_pod(containers=[{"name": "new", "image": "busybox"}]),
    ),
    "a container is deleted": (deployment(), in_pod(containers=[{"$patch": "delete", "name": "log"}])),
    "all containers are replaced": (
        deployment(),
        in_pod(containers=[{"$patch": "replace"}, {"name": "one", "image": "a"}]),
    ),
    "an atomic list is replaced": (TAINTED, in_pod(tolerations=[{"key": "ssd"}])),
    "a list within a merged list is merged": (
        deployment(),
        in_pod(containers=[{"name": "log", "env": [{"name": "B", "value": "2"}]}]),
    ),
    "a null deletes a field": (deployment(), {"metadata": {"labels": {"a": None}}}),
    "a map is replaced": (deployment(), {"metadata": {"labels": {"$patch": "replace", "c": "3"}}}),
    "a map is deleted": (deployment(), {"metadata": {"labels": {"$patch": "delete"}}}),
    "the keys of a union that are not retained go": (
        deployment(),
        {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
    ),
    "strings are added to a merging list once": (deployment(), {"metadata": {"finalizers": ["x/c", "x/a"]}}),
    "strings are taken from a merging list": (
        deployment(),
        {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x/a"]}},
    ),
    "containers are put in the order given": (
        deployment(),
        in_pod(
            **{"$setElementOrder/containers": [{"name": "log"}, {"name": "new"}, {"name": "web"}]},
            containers=[{"name": "new", "image": "busybox"}],
        ),
    ),
    "what only the server has keeps its place": (
        deployment(containers=[*CONTAINERS, {"name": "side", "image": "x"}]),
        in_pod(
            **{"$setElementOrder/containers": [{"name": "log"}, {"name": "web"}]},
            containers=[{"name": "log", "image": "redis:2"}],
        ),
    ),
    "a list that was not there is added": (
        deployment(),
        in_pod(volumes=[{"name": "v", "emptyDir": {}}, {"name": "w", "$patch": "delete"}]),
    ),
}


def plain(found):
    """Without the empty structs that kubectl's Go types add."""
    if isinstance(found, dict):
        return {key: plain(value) for key, value in found.items() if value not in ({}, None)}
    return [plain(each) for each in found] if isinstance(found, list) else found


@pytest.mark.parametrize("case", CASES)
def test_merges_as_kubectl_does(case, tmp_path):
    document, patch = CASES[case]
    path = tmp_path / "document.json"
    path.write_text(json.dumps(document))
    command = ["patch", "--local", "-f", str(path), "--type=strategic", "-p", json.dumps(patch), "-o", "json"]
    ran = subprocess.run([find_kubectl(), *command], capture_output=True, text=True, check=True, timeout=60)
    assert plain(strategic_merge_patch(document, patch, DEPLOYMENT)) == plain(json.loads(ran.stdout))


@pytest.mark.parametrize("case", CASES)
def test_changes_neither_document_nor_patch(case):
    document, patch = CASES[case]
    before = copy.deepcopy((document, patch))
    strategic_merge_patch(document, patch, DEPLOYMENT)
    assert (document, patch) == before


@pytest.mark.parametrize("case", CASES)
def test_applied_twice_is_applied_once(case):
    document, patch = CASES[case]
    once = strategic_merge_patch(document, patch, DEPLOYMENT)
    assert strategic_merge_patch(once, patch, DEPLOYMENT) == once


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ([], "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ({"metadata": {"labels": {"$patch": "burn"}}}, "unknown patch type: burn in map: map[$patch:burn]"),
        (in_pod(containers=[{"image": "x"}]), "map: map[image:x] does not contain declared merge key: name"),
        (in_pod(containers=[{"name": "web"}, "x"]), "list element types are not identical"),
        ({"spec": {"strategy": {"$retainKeys": [], "type": "x"}}}, "patch content doesn't match retainKeys list"),
        ({"metadata": {"$deleteFromPrimitiveList/finalizers": 1}}, "invalid patch format of primitive list"),
    ],
)
def test_a_patch_that_makes_no_sense_is_400_in_upstreams_words(patch, message):
    with pytest.raises(BadRequest) as caught:
        strategic_merge_patch(deployment(), patch, DEPLOYMENT)
    assert caught.value.message == message


names = st.sampled_from(["metadata", "spec", "template", "containers", "name", "env", "labels", "a", "finalizers"])
directives = st.sampled_from(
    ["$patch", "$retainKeys", "$setElementOrder/containers", "$deleteFromPrimitiveList/finalizers", "$setElementOrder"]
)
leaves = st.sampled_from([None, 1, "web", "delete", "replace", True])
patches = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | directives, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(names | directives, patches, max_size=3) | patches)
def test_any_patch_gives_an_object_or_an_api_error(patch):
    for each in (patch, in_pod(containers=patch), {"metadata": patch}):
        with suppress(BadRequest, Invalid):
            assert isinstance(strategic_merge_patch(deployment(), each, DEPLOYMENT), dict)


container_lists = st.lists(st.sampled_from("abcde"), unique=True, max_size=5).map(
    lambda names: [{"name": name, "image": name} for name in names]
)


@given(container_lists, container_lists)
def test_merging_lists_gives_the_union_of_their_keys(old, new):
    merged = strategic_merge_patch(deployment(containers=old), in_pod(containers=new), DEPLOYMENT)
    names = [each["name"] for each in merged["spec"]["template"]["spec"]["containers"]]
    assert sorted(names) == sorted({each["name"] for each in old + new})
    assert [name for name in names if {"name": name, "image": name} in new] == [each["name"] for each in new]


# The patch that leads from one object to another, as clients compute it.

tables = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=3)
containers = st.lists(
    st.builds(
        lambda name, image, env, args: (
            {"name": name, "image": image, "args": args}
            | {"env": [{"name": key, "value": value} for key, value in env.items()]}
        ),
        st.sampled_from("abcd"),
        st.sampled_from("12"),
        tables,
        st.lists(st.sampled_from("xy"), max_size=2),
    ),
    unique_by=lambda each: each["name"],
    max_size=4,
)
documents = st.builds(
    lambda found, labels, finalizers: (
        deployment(containers=found) | {"metadata": {"name": "web", "labels": labels, "finalizers": finalizers}}
    ),
    containers,
    tables,
    st.lists(st.sampled_from(["x/a", "x/b", "x/c"]), unique=True),
)
BY_NAME = {"containers", "env"}


def difference(old, new):
    patch = {key: None for key in old if key not in new}
    for key, value in new.items():
        was = old.get(key)
        if key in BY_NAME and was is not None:
            patch |= difference_by_name(key, was, value)
        elif key == "finalizers" and was is not None:
            patch |= {"$deleteFromPrimitiveList/finalizers": [each for each in was if each not in value]}
            patch |= {"$setElementOrder/finalizers": value, key: [each for each in value if each not in was]}
        elif isinstance(value, dict) and isinstance(was, dict):
            patch[key] = difference(was, value)
        elif value != was:
            patch[key] = value
    return patch


def difference_by_name(key, old, new):
    before, after = ({each["name"]: each for each in found} for found in (old, new))
    changes = [
        {"name": name} | difference(before[name], each) if name in before else each for name, each in after.items()
    ]
    gone = [{"$patch": "delete", "name": name} for name in before if name not in after]
    return {f"$setElementOrder/{key}": [{"name": name} for name in after], key: changes + gone}


@given(documents, documents)
def test_merging_the_difference_gives_the_target_and_twice_is_once(old, new):
    patch = difference(old, new)
    merged = strategic_merge_patch(old, patch, DEPLOYMENT)
    assert merged == new
    assert strategic_merge_patch(merged, patch, DEPLOYMENT) == new
