import contextlib
import itertools
import json
import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.labels import (
    NOTHING,
    Selector,
    from_label_selector,
    parse_selector,
    requirement,
    validate_label_key,
    validate_label_value,
)
from k8slab.loop.kubectl import find_kubectl

names = st.from_regex(r"[a-z]([-a-z0-9]{0,5}[a-z0-9])?", fullmatch=True)
numbers = st.integers(0, 99).map(str)
requirements = st.one_of(
    st.builds(requirement, names, st.sampled_from(["=", "==", "!="]), st.tuples(names | st.just(""))),
    st.builds(requirement, names, st.sampled_from(["in", "notin"]), st.lists(names, min_size=1, max_size=3).map(tuple)),
    st.builds(requirement, names, st.sampled_from(["gt", "lt"]), st.tuples(numbers)),
    st.builds(requirement, names, st.sampled_from(["exists", "!"])),
)
selectors = st.lists(requirements, max_size=4).map(Selector)
label_sets = st.dictionaries(names, names | numbers, max_size=4)


@given(selectors)
def test_a_selector_survives_being_printed_and_parsed(selector):
    assert parse_selector(str(selector)) == selector


@given(requirements, label_sets)
def test_a_requirement_or_its_opposite_holds(each, labels):
    opposite = {"=": "!=", "==": "!=", "!=": "=", "in": "notin", "notin": "in", "exists": "!", "!": "exists"}
    if each.operator in opposite:
        other = requirement(each.key, opposite[each.operator], each.values)
        assert each.matches(labels) is not other.matches(labels)


@given(selectors, label_sets)
def test_a_selector_is_the_conjunction_of_its_requirements(selector, labels):
    assert selector.matches(labels) is all(each.matches(labels) for each in selector.requirements)


@given(st.text(max_size=12) | st.text(alphabet="ab=!(), in<>", max_size=12))
def test_any_text_is_a_selector_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        assert parse_selector(str(parse_selector(text))) == parse_selector(text)


@pytest.mark.parametrize(
    ("text", "labels", "chosen"),
    [
        ("app=web", {"app": "web", "x": "y"}, True),
        ("app==web", {"app": "db"}, False),
        ("app!=web", {}, True),
        ("app in (web, db)", {"app": "db"}, True),
        ("app notin (web,db)", {}, True),
        ("app", {"app": ""}, True),
        ("!app", {"app": ""}, False),
        ("app=", {"app": ""}, True),
        ("app=", {}, False),
        ("a>5", {"a": "6"}, True),
        ("a>5", {"a": "5"}, False),
        ("a<5", {"a": "5"}, False),
        ("a<5", {"a": "4"}, True),
        ("a<5", {"a": "x"}, False),
        ("in in (in)", {"in": "in"}, True),
        ("a,b=c", {"a": "", "b": "c"}, True),
        ("", {}, True),
    ],
)
def test_chooses_as_upstream(text, labels, chosen):
    assert parse_selector(text).matches(labels) is chosen


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a in", "unable to parse requirement: found '' expected: '('"),
        ("a in (x", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"),
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("a=b,", "found '', expected: identifier after ','"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("/x", 'unable to parse requirement: <nil>: Invalid value: "/x": prefix part must be non-empty'),
        (
            "a>x",
            'unable to parse requirement: values[0]: Invalid value: "x": '
            "for 'Gt', 'Lt' operators, the value must be an integer",
        ),
    ],
)
def test_says_what_is_wrong_in_upstreams_words(text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_selector(text)


def test_label_selectors_as_objects():
    spec = {"matchLabels": {"b": "1"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["y", "x"]}]}
    assert str(from_label_selector(spec)) == "a in (x,y),b=1"
    assert from_label_selector({}).empty
    assert from_label_selector({}).matches({"a": "b"})
    assert from_label_selector(None) == NOTHING
    assert not from_label_selector(None).matches({})


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"key": "a", "operator": "Near"}, '"Near" is not a valid label selector operator'),
        (
            {"key": "a", "operator": "In"},
            "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
        ),
        (
            {"key": "a", "operator": "Exists", "values": ["x"]},
            'values: Invalid value: ["x"]: values set must be empty for exists and does not exist',
        ),
    ],
)
def test_bad_expressions_are_value_errors(expression, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        from_label_selector({"matchExpressions": [expression]})


def test_label_keys_and_values():
    assert validate_label_key("app.kubernetes.io/name") == []
    assert validate_label_key("a" * 64) == ["name part must be no more than 63 bytes"]
    assert validate_label_key("UPPER/x")[0].startswith("prefix part a lowercase RFC 1123 subdomain must consist of")
    assert validate_label_key("a/b/c")[0].startswith("a valid label key must consist of alphanumeric characters")
    assert validate_label_value("") == []
    assert validate_label_value("-")[0].startswith("a valid label must be an empty string or consist of")


# kubectl reads selectors with upstream's own parser where it makes an object of one.


def as_kubectl_reads(text, tmp_path):
    words = ["create", "pdb", "x", f"--selector={text}", "--min-available=1", "--dry-run=client", "-o", "json"]
    return subprocess.run(
        [find_kubectl(), *words], capture_output=True, text=True, check=False, timeout=60, env={"HOME": str(tmp_path)}
    )


SETS = [
    dict(zip("abc", values, strict=False)) for n in range(4) for values in itertools.product(["", "x", "y"], repeat=n)
]


@pytest.mark.parametrize(
    "text",
    [
        "a=x", "a==x", "a", "!a", "a in (x,y)", "a notin (x, y)", "a=x,b==y,c", "a in (x),a in (y)", "a=", "a in (,x)",
        "a in ()", "  a  =  x , b", "a,!b", "a notin ()", "b in (x,x,y)",
    ],
)  # fmt: skip
def test_kubectl_reads_the_same_selector(text, tmp_path):
    ran = as_kubectl_reads(text, tmp_path)
    assert ran.returncode == 0, ran.stderr
    theirs = from_label_selector(json.loads(ran.stdout)["spec"]["selector"])
    assert [parse_selector(text).matches(each) for each in SETS] == [theirs.matches(each) for each in SETS]


@pytest.mark.parametrize(
    "text",
    ["a b", "a in", "a in (x", "a in (=)", "a=b=c", ",a", "!", "/x", "a>x", "a/b/c=d", "a=-", "a in x", "a=b,", "(a)"],
)
def test_kubectl_refuses_the_same_selector_in_the_same_words(text, tmp_path):
    ran = as_kubectl_reads(text, tmp_path)
    assert ran.returncode != 0
    with pytest.raises(ValueError, match=r".") as refused:
        parse_selector(text)
    assert str(refused.value) in ran.stderr
