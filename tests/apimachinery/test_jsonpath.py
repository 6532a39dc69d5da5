from __future__ import annotations

import json
import subprocess

import pytest

from k8slab.apimachinery.jsonpath import parse_jsonpath, text_of
from tests.apiserver.test_kubectl import KUBECTL

OBJECT = {
    "metadata": {"name": "web", "labels": {"app.kubernetes.io/name": "shop"}},
    "spec": {"replicas": 3, "on": True, "ratio": 0.5, "ports": [80, 443, 8080]},
    "status": {"conditions": [{"type": "Ready", "status": "True", "n": 1}, {"type": "Old", "status": "False", "n": 2}]},
}
PATHS = [
    ".metadata.name",
    r".metadata.labels.app\.kubernetes\.io/name",
    ".metadata.labels['app.kubernetes.io/name']",
    r".metadata.labels['app\.kubernetes\.io/name']",
    ".metadata['name']",
    ".spec.replicas",
    ".spec.on",
    ".spec.ratio",
    ".spec.ports",
    ".spec.ports[0]",
    ".spec.ports[-1]",
    ".spec.ports[*]",
    ".spec.ports[0:2]",
    ".spec.ports[1:]",
    ".spec.nothing",
    ".spec.nothing.deeper[0]",
    ".metadata.labels.*",
    "..status",
    '.status.conditions[?(@.type=="Ready")].status',
    ".status.conditions[?(@.type=='Ready')].status",
    ".status.conditions[?(@.n>1)].type",
    ".status.conditions[?(@.n != 1)].type",
    ".status.conditions[?(@.missing)].type",
    ".status.conditions[0]",
]


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl here")
@pytest.mark.parametrize("path", PATHS)
def test_a_path_finds_what_kubectl_finds(path, tmp_path):
    file = tmp_path / "object.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod"} | OBJECT))
    template = f"jsonpath={{{path}}}"
    words = [KUBECTL, "label", "--local", "-f", str(file), "a=b", "--dry-run=client", "-o", template]
    ran = subprocess.run(words, capture_output=True, text=True, check=True)
    shown = [
        text_of(each)
        for each in parse_jsonpath(path)({**OBJECT, "metadata": json.loads(json.dumps(OBJECT["metadata"]))})
    ]
    if "labels.*" in path:
        shown.insert(0, "b")  # kubectl has added a label to have something to print
    assert sorted(shown) == sorted(ran.stdout.split(" ") if ran.stdout else [])


@pytest.mark.parametrize("path", ["name", ".a[", ".a[x]", ".a[?(@.b=c)]", ".a[?(1)]", "{.a}"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ValueError, match=r"unrecognized|invalid"):
        parse_jsonpath(path)


def test_the_dot_is_the_whole_object():
    assert parse_jsonpath(".")(OBJECT) == [OBJECT]
