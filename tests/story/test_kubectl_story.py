"""Every command of the first chapter, by the real kubectl, in both modes and on both runtimes."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from tests.story.commands import STORY


@pytest.mark.parametrize(
    ("mode", "runtime"),
    [
        ("stepped", "simulated"),
        ("live", "simulated"),
        pytest.param("stepped", "docker", marks=pytest.mark.docker),
        pytest.param("live", "docker", marks=pytest.mark.docker),
    ],
)
def test_all_of_the_first_chapters_commands_work(mode, runtime, docker_engine):
    if runtime == "docker":
        docker_engine()
    problems = []
    with Cluster(nodes=3, seed=1, mode=mode, runtime=runtime, name=f"story-{mode}") as cluster:
        for command in STORY:
            result = cluster.kubectl(command.line, stdin=command.stdin, timeout=command.budget, env=dict(command.env))
            missing = [text for text in command.expect if text not in result.stdout + result.stderr]
            interrupted = command.budget is not None and result.returncode in (130, 1, -2)
            wrong = (result.returncode != 0) != command.fails and not interrupted
            if missing or wrong:
                problems.append(f"$ kubectl {command.line}\n{result}\n  code {result.returncode}, missing {missing}")
    assert not problems, "\n\n".join(problems)
