"""Roles written down in tables: one line a rule.

    get list watch: pods services deployments.apps        verbs: resources, each with its group
    get: secrets [bootstrap-token]                         in brackets: only objects of these names
    get: /healthz /livez                                   paths

k8slab's own notation; resources are written as for `kubectl create role --resource`.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8slab.apiserver.authorization.rules import ALL, Rule


def rules_of_table(table: str) -> tuple[Rule, ...]:
    """The rules of a table; of one line there may come several, one for each API group."""
    return tuple(rule for line in table.splitlines() if line.strip() for rule in _rules(line.strip()))


def _rules(line: str) -> Iterator[Rule]:
    text, _, names = line.rstrip("]").partition("[")
    verbs_text, _, what = text.partition(": ")
    verbs, words, only = tuple(verbs_text.split()), what.split(), tuple(names.split())
    if words[0].startswith("/") or words == ["paths"]:
        yield Rule(paths=(ALL,) if words == ["paths"] else tuple(words), verbs=verbs)
        return
    by_group: dict[str, list[str]] = {}
    for word in words:
        group, resource = _resource(word)
        by_group.setdefault(group, []).append(resource)
    for group, resources in by_group.items():
        yield Rule((group,), tuple(resources), (), only, verbs)


def _resource(word: str) -> tuple[str, str]:
    """(group, resource with its subresource) of `deployments.apps/scale`; `*` is all of all groups."""
    head, _, subresource = word.partition("/")
    plural, _, group = head.partition(".")
    if plural == ALL and not group:
        group = ALL
    return group, f"{plural}/{subresource}" if subresource else plural
