"""Write docs/fidelity.md: which kinds k8slab serves, how faithfully, and what its components leave out.

Hardly anything in it is kept by hand. The kinds, their verbs and subresources are the table of resources; who acts on a
kind is read from the source (which component imports its view); what upstream serves besides comes from its schema. What a
component leaves out it says itself, in its own file, as sentences:

    LEFT_OUT = ("Upstream does this; k8slab does that.",)

    python scripts/fidelity.py          write the page
    python scripts/fidelity.py --check  fail if it is not up to date
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from k8slab.apimachinery.schema import SCHEMA_VERSION, schemas
from k8slab.apiserver.resources import RESOURCES, VERBS, ResourceInfo
from k8slab.apiserver.strategies import STRATEGIES
from k8slab.apiserver.strategies.base import Counted, CountedWithStatus, KindStrategy, WithStatus
from k8slab.apiserver.validation import VALIDATIONS

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "fidelity.md"
SOURCE = ROOT / "k8slab"
API = "k8slab.api."
APART = ("lab", "cli")
"""Parts of the package that look at a cluster, and are none of it."""

UPSTREAM_SUBRESOURCES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", "namespaces"): ("finalize", "status"),
    ("", "nodes"): ("proxy", "status"),
    ("", "persistentvolumeclaims"): ("status",),
    ("", "persistentvolumes"): ("status",),
    ("", "pods"): (
        "attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "resize", "status",
    ),
    ("", "serviceaccounts"): ("token",),
    ("", "services"): ("proxy", "status"),
    ("resource.k8s.io", "resourceclaims"): ("binding", "status"),
}  # fmt: skip
"""Where upstream has more than a status and a scale."""

IN_THE_API_SERVER: Mapping[tuple[str, str], str] = {
    ("", "events"): "leases",
    ("", "namespaces"): "admission",
    ("", "pods"): "binding and eviction",
    ("", "serviceaccounts"): "tokens",
    ("", "services"): "cluster IPs",
    ("apiextensions.k8s.io", "customresourcedefinitions"): "custom kinds",
    ("events.k8s.io", "events"): "leases",
    ("policy", "poddisruptionbudgets"): "eviction",
    ("rbac.authorization.k8s.io", "clusterrolebindings"): "authorization",
    ("rbac.authorization.k8s.io", "clusterroles"): "authorization",
    ("rbac.authorization.k8s.io", "rolebindings"): "authorization",
    ("rbac.authorization.k8s.io", "roles"): "authorization",
    ("scheduling.k8s.io", "priorityclasses"): "admission",
    ("", "limitranges"): "admission",
    ("", "resourcequotas"): "admission",
}
"""What of the API server itself acts on a kind."""

NOT_ACTED_ON = frozenset({("", "persistentvolumeclaims")})
"""Kinds that a component makes, and that nothing makes true."""

FULL, CHECKED, STORED, ASKED = "full", "stored, checked", "stored only", "answered"
LEVELS = f"""\
- **{FULL}**: defaulted, checked and shown as upstream does, and something in the cluster acts on it.
- **{CHECKED}**: defaulted, checked and shown as upstream does; nothing acts on it.
- **{STORED}**: checked against its schema only, and defaulted in part; nothing acts on it.
- **{ASKED}**: a question to the server, which is answered and never stored.
"""
_SHARED = (KindStrategy, WithStatus, Counted, CountedWithStatus)


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([*_head(), *_kinds(), *_missing(), *_left_out(), ""])


def _head() -> Iterator[str]:
    yield "# How faithful it is"
    yield ""
    version = SCHEMA_VERSION.removesuffix("-local")
    yield f"Measured against Kubernetes {version}. Written by `make docs` from the source: do not edit."
    yield ""
    yield LEVELS


# ---- the kinds that are served


def _kinds() -> Iterator[str]:
    yield "## Kinds that are served"
    yield ""
    yield "All verbs means create, get, list, watch, update, patch, delete and deletecollection. Kinds that a"
    yield "CustomResourceDefinition defines are served with all verbs, and with the subresources that it asks for."
    yield ""
    yield "| Kind | Group and version | Verbs | Subresources | Not served | How faithful | Who acts on it |"
    yield "|---|---|---|---|---|---|---|"
    actors = _actors()
    for row in RESOURCES.values():
        verbs = "all" if row.verbs == VERBS else ", ".join(row.verbs)
        cells = (row.kind, row.api_version, verbs, ", ".join(row.subresources), ", ".join(_absent(row)))
        who = actors.get(row.group_plural, [])
        yield (
            "| "
            + " | ".join(
                [
                    *cells,
                    _level(row, bool(who) and row.group_plural not in NOT_ACTED_ON),
                    ", ".join(f"`{each}`" for each in who),
                ]
            )
            + " |"
        )


def _absent(row: ResourceInfo) -> list[str]:
    """The subresources that upstream has besides."""
    return [name for name in UPSTREAM_SUBRESOURCES.get(row.group_plural, ()) if name not in row.subresources]


def _level(row: ResourceInfo, acted_on: bool) -> str:
    if row.verbs != VERBS:
        return ASKED
    if acted_on:
        return FULL
    has_rules = row.group_plural in VALIDATIONS or type(STRATEGIES[row.group_plural]) not in _SHARED
    return CHECKED if has_rules else STORED


def _actors() -> dict[tuple[str, str], list[str]]:
    """Who reads or writes a kind, by (group, plural): parts of the API server, then components in the order of their files."""
    found = {key: [each] for key, each in IN_THE_API_SERVER.items()}
    for path, tree in _sources():
        part = _component(path, tree)
        for key in dict.fromkeys(_imported_kinds(tree)) if part else ():
            if part not in found.setdefault(key, []):
                found[key].append(part)
    return found


def _component(path: Path, tree: ast.Module) -> str:
    """The component that a file belongs to; empty for a file that only helps others."""
    folder, *rest = path.relative_to(SOURCE).with_suffix("").parts
    if folder == "controllers" and rest:
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        bases = [base.id for each in classes for base in each.bases if isinstance(base, ast.Name)]
        return rest[0] if len(rest) > 1 or any(base.endswith("Controller") for base in bases) else ""
    return {"scheduler": "scheduler", "kubelet": "kubelet"}.get(folder, "")


def _imported_kinds(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(API):
            module = importlib.import_module(node.module or "")
            for name in node.names:
                resource = getattr(getattr(module, name.name, None), "resource", None)
                if resource is not None:
                    yield resource.group, resource.plural


def _sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        if path.relative_to(SOURCE).parts[0] not in APART:
            yield path, ast.parse(path.read_text())


# ---- what is not served


def _missing() -> Iterator[str]:
    yield ""
    yield "## Kinds that are not served"
    yield ""
    yield "Upstream knows these too, some of them only where a feature gate is on:"
    yield ""
    groups: dict[str, list[str]] = {}
    for group, version, kind in sorted(_upstream_kinds()):
        served = any((row.group, row.version, row.kind) == (group, version, kind) for row in RESOURCES.values())
        if not served:
            groups.setdefault(f"{group}/{version}".removeprefix("/"), []).append(kind)
    yield from (f"- `{name}`: {', '.join(kinds)}" for name, kinds in groups.items())


def _upstream_kinds() -> set[tuple[str, str, str]]:
    """The kinds of objects in upstream's schema: those that have metadata, and a list of their own."""
    every = {
        (each["group"], each["version"], each["kind"]): schema
        for schema in schemas().values()
        for each in schema.get("x-kubernetes-group-version-kind", ())
    }
    return {
        (group, version, kind)
        for (group, version, kind), schema in every.items()
        if "metadata" in schema.get("properties", {}) and (group, version, kind + "List") in every
    }


# ---- what components leave out


def _left_out() -> Iterator[str]:
    yield ""
    yield "## What is left out"
    yield ""
    yield "Each part says it in its own file, as `LEFT_OUT`."
    for path, tree in _sources():
        sentences = _sentences(tree, path)
        if sentences is not None:
            title = (ast.get_docstring(tree) or path.stem).splitlines()[0].rstrip(".")
            yield ""
            yield f"### {title}"
            yield ""
            yield f"`{path.relative_to(ROOT).as_posix()}`"
            yield ""
            yield from (f"- {sentence}" for sentence in sentences or ["Nothing that is known."])


def _sentences(tree: ast.Module, path: Path) -> list[str] | None:
    """What a file says that it leaves out; None if it says nothing about it."""
    for node in tree.body:
        target = (
            node.targets[0]
            if isinstance(node, ast.Assign)
            else node.target
            if isinstance(node, ast.AnnAssign)
            else None
        )
        if isinstance(target, ast.Name) and target.id == "LEFT_OUT":
            found = ast.literal_eval(node.value)
            if not isinstance(found, tuple) or not all(isinstance(each, str) for each in found):
                raise SystemExit(f"{path}: LEFT_OUT is not a tuple of sentences")
            return list(found)
    return None


def main(arguments: list[str]) -> int:
    """Write the page, or look whether it is up to date."""
    wanted = page()
    if "--check" in arguments:
        if PAGE.exists() and PAGE.read_text() == wanted:
            return 0
        print(f"{PAGE.relative_to(ROOT)} is not up to date; run: make docs", file=sys.stderr)
        return 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
