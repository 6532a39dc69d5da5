from __future__ import annotations

import subprocess
import sys

import pytest

from k8slab.api.coordination import Lease
from tests.eventually import eventually
from tests.programs.conftest import HERE


def test_the_typed_client_creates_watches_patches_logs_executes_and_deletes(run):
    assert run("official.py") == [
        "created", "watched", "listed", "patched", "logged", "executed", "timed out", "refused", "deleted",
    ]  # fmt: skip


def test_the_dynamic_client_finds_custom_kinds(run):
    steps = ["not known", "established", "created", "patched", "applied", "watched", "selected", "deleted"]
    assert run("dynamic.py") == steps


def test_the_official_client_streams_forwards_informs_and_lists_again_when_it_is_too_late(live, run):
    live.store.compact(live.store.revision)
    assert run("official_streams.py", str(HERE / "web.yaml")) == [
        "created from a file", "executed", "forwarded", "informed", "listed again", "deleted",
    ]  # fmt: skip


def test_the_official_client_writes_in_every_way(run):
    steps = ["patched", "applied", "listed in pages", "checked", "allowed", "evicted", "deleted"]
    assert run("official_writes.py") == steps


@pytest.fixture
def candidate(environment):
    started = []

    def start(name):
        words = [sys.executable, str(HERE / "candidate.py"), name]
        started.append(subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.wait()
        each.stdout.close()


def test_a_leader_that_dies_is_followed_by_another(live, candidate):
    def holder():
        return [lease.spec.holder_identity for lease in live.client.list(Lease, "default")]

    first = candidate("ann")
    assert first.stdout.readline() == "ann leads\n"
    second = candidate("bob")
    renewed = {lease.spec.renew_time for lease in live.client.list(Lease, "default")}
    assert eventually(lambda: {each.spec.renew_time for each in live.client.list(Lease, "default")} != renewed)
    assert holder() == ["ann"]
    first.kill()
    assert second.stdout.readline() == "bob leads\n"
    assert holder() == ["bob"]
