from __future__ import annotations

import pytest

from k8slab.lab.secrecy import LAST_APPLIED, is_secret, told

META = {"name": "s", "annotations": {LAST_APPLIED: '{"data":{"k":"djE="}}', "note": "n"}}
SECRET = {"kind": "Secret", "metadata": META, "data": {"k": "djE="}, "stringData": {"l": "v"}, "type": "Opaque"}


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        (("data",), {"k": "djE="}, {"k": "(hidden)"}),
        (("data", "k"), "djE=", "(hidden)"),
        (("stringData", "l"), "v", "(hidden)"),
        (("type",), "Opaque", "Opaque"),
        (("metadata", "labels"), {"data": "x"}, {"data": "x"}),
        (("metadata", "annotations", f"[{LAST_APPLIED}]"), "{...}", "(hidden)"),
        (("metadata", "annotations"), META["annotations"], {LAST_APPLIED: "(hidden)", "note": "n"}),
    ],
)
def test_values_are_hidden_and_the_names_of_keys_stay(path, value, shown):
    assert told(path, value) == shown


def test_a_whole_secret_is_told_without_what_is_in_it():
    shown = told((), SECRET)
    assert (shown["data"], shown["stringData"], shown["type"]) == ({"k": "(hidden)"}, {"l": "(hidden)"}, "Opaque")
    assert "djE=" not in str(shown)
    assert SECRET["data"] == {"k": "djE="}, "what is shown is a copy"


def test_only_the_kind_secret_of_the_core_group_is_one():
    assert is_secret("", "Secret")
    assert not is_secret("example.com", "Secret")
    assert not is_secret("", "ConfigMap")
