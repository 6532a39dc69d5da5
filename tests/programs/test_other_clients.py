from __future__ import annotations


def test_kr8s_creates_waits_scales_logs_and_deletes(run):
    steps = ["created", "scaled", "logged", "patched", "custom", "async", "deleted"]
    assert run("with_kr8s.py") == steps


def test_lightkube_creates_waits_watches_logs_patches_and_deletes(run):
    steps = ["created", "scaled", "logged", "patched", "custom", "applied", "listed", "deleted"]
    assert run("with_lightkube.py") == steps
