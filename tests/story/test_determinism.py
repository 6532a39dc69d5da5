"""The same seed and the same inputs give the same store log, byte for byte, in another process too."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TELL = """
import hashlib, sys
from k8slab import Cluster
from tests.story.commands import STORY

with Cluster(nodes=3, seed=7) as cluster:
    for command in STORY:
        cluster.kubectl(command.line, stdin=command.stdin, timeout=command.budget, env=dict(command.env))
    cluster.registry.fail("registry.k8s.io", "i/o timeout")
    cluster.kubectl("create deployment broken --image=registry.k8s.io/nothing:1")
    cluster.run_for("10m")
    for entry in cluster.store.entries():
        print(entry.revision, entry.key, hashlib.sha256(entry.value or b"").hexdigest())
    print("time", cluster.now)
"""


@pytest.mark.slow
def test_the_first_chapters_story_gives_the_same_log_under_another_hash_seed():
    tellers = [
        subprocess.Popen(
            [sys.executable, "-c", TELL], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONHASHSEED": seed}
        )
        for seed in ("1", "2")
    ]
    first, second = (teller.communicate()[0].splitlines() for teller in tellers)
    assert all(teller.returncode == 0 for teller in tellers)
    assert len(first) > 300
    assert first == second
