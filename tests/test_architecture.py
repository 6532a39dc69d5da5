"""The map is true: every path that ARCHITECTURE.md and the README name exists, and every part is on the map."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAMED = re.compile(r"`((?:k8slab|notebooks|exercises|solutions|tests|bench|scripts)/[\w./-]*)`")


def named_in(document: str) -> list[str]:
    return NAMED.findall((ROOT / document).read_text())


def test_every_path_that_is_named_exists():
    missing = [
        (document, path)
        for document in ("ARCHITECTURE.md", "README.md", "CHANGELOG.md")
        for path in named_in(document)
        if not (ROOT / path).exists()
    ]
    assert missing == []


def test_every_part_is_on_the_map():
    named = " ".join(named_in("ARCHITECTURE.md"))
    parts = [path for path in (ROOT / "k8slab").iterdir() if path.is_dir() and (path / "__init__.py").exists()]
    assert [part.name for part in parts if f"k8slab/{part.name}/" not in named] == []
