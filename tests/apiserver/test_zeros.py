"""A number that is 0 is not there, where Go would not write it."""

from __future__ import annotations

import pytest

from k8slab.apimachinery.schema import definition_for
from k8slab.apiserver.defaults.zeros import OMITTED, leave_out_zeros
from k8slab.apiserver.resources import RESOURCES
from tests.apiserver.harness import MERGE, deployment

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
STATUS = f"{DEPLOYMENTS}/web/status"


def test_what_a_controller_counts_as_none_is_left_out_of_the_status_and_a_pointer_to_it_is_not(api):
    api.do("POST", DEPLOYMENTS, deployment())
    counts = {"replicas": 2, "readyReplicas": 1, "availableReplicas": 0, "terminatingReplicas": 0}
    found = api.do("PATCH", STATUS, {"status": counts}, MERGE)
    assert found["status"] == {"replicas": 2, "readyReplicas": 1, "terminatingReplicas": 0}
    assert api.do("PATCH", STATUS, {"status": {"readyReplicas": 0}}, MERGE)["status"] == {
        "replicas": 2,
        "terminatingReplicas": 0,
    }


def test_nobody_owns_what_is_not_there(api):
    api.do("POST", DEPLOYMENTS, deployment())
    found = api.do("PATCH", STATUS, {"status": {"replicas": 1, "readyReplicas": 0}}, MERGE)
    [entry] = [each for each in found["metadata"]["managedFields"] if each.get("subresource") == "status"]
    assert entry["fieldsV1"] == {"f:status": {"f:replicas": {}}}


def test_a_spec_is_written_without_it_too(api):
    body = deployment()
    body["spec"]["minReadySeconds"] = 0
    assert "minReadySeconds" not in api.do("POST", DEPLOYMENTS, body)["spec"]


def test_the_callers_object_stays_as_it_was():
    status = {"readyReplicas": 0}
    obj = {"status": status}
    leave_out_zeros(obj, {"status": frozenset({"readyReplicas"})})
    assert (obj, status) == ({"status": {}}, {"readyReplicas": 0})


@pytest.mark.parametrize(("group", "plural"), OMITTED)
def test_all_of_them_are_numbers_that_the_schema_does_not_require(group, plural):
    info = RESOURCES[group, plural]
    definition = definition_for(info.group, info.version, info.kind)
    for part, names in OMITTED[group, plural].items():
        schema = definition.fields[part].definition
        assert {schema.fields[name].type for name in names} == {"integer"}
        assert not names & set(schema.required)
