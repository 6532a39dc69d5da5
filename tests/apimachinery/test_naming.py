import re

import pytest

from k8slab.apimachinery.naming import json_name
from k8slab.apimachinery.schema import schemas

WORD = re.compile(r"[A-Z]{2,}s?(?=[A-Z][a-z]|$)|[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])|[A-Z]")
# Nobody's view has these: names of JSON Schema, slips of upstream's, digits in the middle of a word.
LEFT_OUT = {"$ref", "$schema", "Port", "openAPIV3Schema", "stubPKCS10Request"}


def snake_case(name):
    return "_".join(word.lower() for word in WORD.findall(name))


@pytest.mark.parametrize(
    ("name", "json"),
    [("pod_ip", "podIP"), ("pod_ips", "podIPs"), ("host_pid", "hostPID"), ("api_version", "apiVersion"),
     ("pod_cidrs", "podCIDRs"), ("observed_generation", "observedGeneration"), ("continue_", "continue")],
)  # fmt: skip
def test_names_are_kubernetes_own(name, json):
    assert json_name(name) == json


def test_every_name_of_the_schema_survives_becoming_snake_case():
    names = {name for schema in schemas().values() for name in schema.get("properties", {})}
    wrong = {name for name in names if json_name(snake_case(name)) != name}
    assert {name for name in wrong if not name.startswith("x-kubernetes-")} == LEFT_OUT
