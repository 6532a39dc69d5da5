import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.schema import REQUIRED, TYPE, UNKNOWN, definition_for, definition_named, schemas

POD = definition_for("", "v1", "Pod")
DEPLOYMENT = definition_for("apps", "v1", "Deployment")


def pod(**spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [], **spec}}


def faults(definition, obj):
    return [(fault.path, fault.kind, fault.detail) for fault in definition.check(obj)]


def test_a_good_object_has_no_faults():
    resources = {"limits": {"cpu": "500m", "memory": 1024}}
    assert faults(POD, pod(containers=[{"name": "c", "image": "nginx", "resources": resources}])) == []


def test_an_unknown_field_is_named_with_its_path():
    found = faults(POD, pod(containers=[{"name": "c", "imag": "nginx"}], foo=1))
    assert ("spec.containers[0].imag", UNKNOWN, 'unknown field "spec.containers[0].imag"') in found
    assert ("spec.foo", UNKNOWN, 'unknown field "spec.foo"') in found


def test_a_missing_field_is_required():
    assert ("spec.containers", REQUIRED, "Required value") in faults(POD, {"spec": {}})


@pytest.mark.parametrize(
    ("obj", "detail"),
    [
        (
            {"spec": {"replicas": "three"}},
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        ({"spec": {"replicas": 2**31}}, "json: cannot unmarshal number 2147483648 into Go struct field"
         " DeploymentSpec.spec.replicas of type int32"),
        (
            {"spec": {"template": {"spec": {"containers": {}}}}},
            "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers"
            " of type []v1.Container",
        ),
        (
            {"metadata": {"labels": {"a": 1}}},
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            {"metadata": {"creationTimestamp": "yesterday"}},
            'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
        ),
    ],
)  # fmt: skip
def test_a_wrong_type_is_told_as_gos_decoder_tells_it(obj, detail):
    assert detail in [fault.detail for fault in DEPLOYMENT.check(obj) if fault.kind == TYPE]


def test_what_is_no_object_is_a_fault():
    assert faults(POD, []) == [("", TYPE, "json: cannot unmarshal array into Go value of type v1.Pod")]


def test_pruning_drops_unknown_fields_and_nulls_and_shares_the_rest():
    given_ = pod(foo=1, nodeName=None, tolerations=[{"key": "a"}])
    found = POD.prune(given_)
    assert found == pod(tolerations=[{"key": "a"}])
    assert found["metadata"] is given_["metadata"]


def test_pruning_a_clean_object_returns_it():
    clean = pod(containers=[{"name": "c", "env": [{"name": "A", "value": "b"}]}])
    assert POD.prune(clean) is clean


def test_a_null_in_a_list_or_a_map_is_the_zero_of_its_type():
    found = POD.prune(pod(containers=[None, {"name": "c", "args": ["a", None]}], nodeSelector={"a": None}))
    assert found == pod(containers=[{}, {"name": "c", "args": ["a", ""]}], nodeSelector={"a": ""})
    assert ("spec.containers[0].name", REQUIRED, "Required value") in faults(POD, pod(containers=[None]))


def test_lists_that_merge_know_their_key():
    containers = definition_named("io.k8s.api.core.v1.PodSpec").fields["containers"]
    assert (containers.merge_key, containers.list_type, containers.list_map_keys) == ("name", "map", ("name",))


def test_a_kind_that_the_schema_lacks_has_no_definition():
    assert definition_for("example.com", "v1", "Whale") is None


def test_every_definition_compiles_and_knows_its_fields():
    for definition in map(definition_named, sorted(schemas())):
        assert [fault.kind for fault in definition.check({"no such field": 1})][:1] == [UNKNOWN]


def sample(field, depth=0):
    """A value that a field takes."""
    if depth > 6:
        return None
    if field.type == "object":
        return {name: sample(each, depth + 1) for name, each in field.definition.fields.items()}
    if field.items is not None:
        one = sample(field.items, depth + 1)
        return [one] if field.type == "array" else {"key": one}
    return SAMPLES[field.type]


SAMPLES = {
    "string": "YQ==", "integer": 1, "number": 1.5, "boolean": True, "quantity": "1Gi", "int-or-string": "50%",
    "date-time": "2026-01-01T00:00:00Z", "micro-time": "2026-01-01T00:00:00.000000Z", "any": {"a": 1},
}  # fmt: skip


@pytest.mark.parametrize("kind", ["Pod", "Node", "Service", "Event", "Secret"])
def test_an_object_with_every_field_is_good_and_stays_as_it_is(kind):
    definition = definition_for("", "v1", kind)
    full = {name: sample(field, 1) for name, field in definition.fields.items()}
    assert [fault for fault in definition.check(full) if fault.kind != REQUIRED] == []
    before = copy.deepcopy(full)
    definition.prune(full)
    assert full == before


keys = st.sampled_from(["metadata", "spec", "status", "containers", "template", "name", "labels", "replicas", "ports"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=15,
)


@given(json_values)
def test_any_value_is_checked_without_an_exception(value):
    for definition in (POD, DEPLOYMENT):
        found = definition.check(value)
        if isinstance(value, dict) and all(fault.kind != TYPE for fault in found):
            pruned = definition.prune(value)
            assert UNKNOWN not in [fault.kind for fault in definition.check(pruned)]
            assert definition.prune(pruned) is pruned


def test_an_object_nested_too_deep_is_a_fault_and_no_crash():
    deep = {}
    for _ in range(5000):
        deep = {"properties": {"a": deep}}
    schema = {"openAPIV3Schema": deep}
    kind = definition_named("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation")
    assert faults(kind, schema) == [("", TYPE, "exceeded max depth")]
