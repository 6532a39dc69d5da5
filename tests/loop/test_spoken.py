from __future__ import annotations

import shlex

import pytest

from k8slab.loop.spoken import spoken


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("get pods -l 'a in (b)'", "get pods -l 'a in (b)'"),
        ("create configmap c --from-literal=a=b", "create configmap c --from-literal=a=b"),
        ("create secret generic s --from-literal=a=b -n x", "create secret generic s --from-literal=a=(hidden) -n x"),
        ("create -n x secret generic s --from-literal a=b=c", "create -n x secret generic s --from-literal a=(hidden)"),
        ("get pods --token=abc", "get pods --token=(hidden)"),
        ("config set-credentials u --password 'a b' -v 1", "config set-credentials u --password (hidden) -v 1"),
        ("create secret docker-registry r --docker-password=x", "create secret docker-registry r --docker-password=(hidden)"),
        ("get pods --token", "get pods --token"),
    ],
)  # fmt: skip
def test_a_command_is_told_without_its_secrets(typed, told):
    assert spoken(shlex.split(typed)) == f"kubectl {told}"
