from __future__ import annotations

from tests.programs.conftest import HERE

FILE = str(HERE / "web.yaml")


def test_kr8s_creates_waits_scales_logs_and_deletes(run):
    steps = ["created", "scaled", "logged", "patched", "custom", "async", "deleted"]
    assert run("with_kr8s.py") == steps


def test_kr8s_reads_files_forwards_ports_watches_owns_and_cordons(run):
    assert run("kr8s_more.py", FILE) == [
        "looked around", "created from a file", "executed and forwarded", "watched", "owned", "cordoned", "deleted",
    ]  # fmt: skip


def test_lightkube_creates_waits_watches_logs_patches_and_deletes(run):
    steps = ["created", "scaled", "logged", "patched", "custom", "applied", "listed", "deleted"]
    assert run("with_lightkube.py") == steps


def test_lightkube_applies_files_executes_shares_fields_and_asks_several_things_at_once(run):
    steps = ["applied a file", "executed", "shared", "selected", "failed", "async", "deleted"]
    assert run("lightkube_more.py", FILE) == steps
