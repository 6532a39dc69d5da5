"""The documentation's walk through custom resources, by the real kubectl, in both modes."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from tests.story.custom_resources import BARE, FULL, WALK


@pytest.mark.parametrize("mode", ["stepped", "live"])
def test_the_documentations_walk_through_custom_resources(mode):
    problems = []
    with Cluster(nodes=1, seed=1, mode=mode, name=f"custom-{mode}") as cluster:
        for command in WALK:
            result = cluster.kubectl(command.line, stdin=command.stdin, env=dict(command.env))
            missing = [text for text in command.expect if text not in result.stdout + result.stderr]
            if missing or (result.returncode != 0) != command.fails:
                problems.append(f"$ kubectl {command.line}\n{result}\n  code {result.returncode}, missing {missing}")
    assert not problems, "\n\n".join(problems)


def test_going_back_brings_custom_kinds_back():
    with Cluster(nodes=1, seed=1) as cluster:
        cluster.kubectl("create -f -", stdin=FULL).check()
        cluster.kubectl("create -f -", stdin=BARE).check()
        step, before = cluster.steps, cluster.kubectl("get ct -o yaml").check().stdout
        cluster.kubectl("delete crd crontabs.stable.example.com").check()
        assert cluster.kubectl("get ct").returncode != 0
        with cluster.fork(step) as fork:
            assert fork.kubectl("get ct -o yaml").check().stdout == before
        cluster.goto(step)
        assert cluster.kubectl("get ct -o yaml").check().stdout == before
