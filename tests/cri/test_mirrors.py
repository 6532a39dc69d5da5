from __future__ import annotations

import pytest

from k8slab.cri.mirrors import parse_mirrors, places
from k8slab.cri.references import parse_reference


def ask(table: str, image: str) -> list[str]:
    return places(parse_mirrors(table), parse_reference(image))


def test_without_a_mirror_the_registry_is_asked():
    assert ask("", "nginx") == ["docker.io/library/nginx:latest"]


def test_a_mirror_stands_for_its_registry_only():
    table = "registry.k8s.io=mirror.example/k8s"
    assert ask(table, "registry.k8s.io/pause:3.10") == ["mirror.example/k8s/pause:3.10", "registry.k8s.io/pause:3.10"]
    assert ask(table, "gcr.io/a/b:1") == ["gcr.io/a/b:1"]


def test_mirrors_are_asked_in_their_order():
    found = ask("docker.io=one.example, docker.io=localhost:5000/hub", "busybox:1.36")
    assert found[:2] == ["one.example/library/busybox:1.36", "localhost:5000/hub/library/busybox:1.36"]


def test_a_digest_stays_a_digest():
    digest = "sha256:" + "a" * 64
    assert ask("gcr.io=m.example", f"gcr.io/a/b@{digest}")[0] == f"m.example/a/b@{digest}"


def test_a_scheme_and_a_slash_do_no_harm():
    assert parse_mirrors("gcr.io=https://m.example/") == {"gcr.io": ("m.example",)}


@pytest.mark.parametrize(
    "text", ["nonsense", "a=", "=b", "gcr.io=Bad Host", "gcr.io=user/path", "gcr.io=m.example/UPPER"]
)
def test_what_is_no_mirror_is_refused_by_name(text):
    with pytest.raises(ValueError, match="not a mirror"):
        parse_mirrors(text)
