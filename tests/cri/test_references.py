from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.cri.api import CriError
from k8slab.cri.references import parse_reference

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.25", "docker.io/library/nginx:1.25"),
        ("user/app", "docker.io/user/app:latest"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("index.docker.io/library/nginx", "docker.io/library/nginx:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app:2", "localhost:5000/app:2"),
        ("registry.k8s.io/e2e-test-images/agnhost:2.39", "registry.k8s.io/e2e-test-images/agnhost:2.39"),
        (f"nginx@{DIGEST}", f"docker.io/library/nginx@{DIGEST}"),
        (f"nginx:1@{DIGEST}", f"docker.io/library/nginx:1@{DIGEST}"),
    ],
)
def test_short_forms_are_expanded(short, full):
    assert str(parse_reference(short)) == full


@pytest.mark.parametrize(
    "text", ["", ":", "a b", "nginx:", "nginx:-x", "-a", "a//b", "nginx@sha256:12", "a" * 300, "0" * 64]
)
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(CriError) as raised:
        parse_reference(text)
    assert raised.value.code == "InvalidArgument"


def test_capitals_are_refused_with_dockers_words():
    with pytest.raises(CriError, match="repository name must be lowercase"):
        parse_reference("Nginx")


@given(st.text(max_size=40))
def test_any_text_is_a_reference_or_invalid(text):
    with suppress(CriError):
        parsed = parse_reference(text)
        assert parse_reference(str(parsed)) == parsed
