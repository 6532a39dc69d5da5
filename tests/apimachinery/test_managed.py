"""The laws of server-side apply, for any configurations; and the entries of managedFields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.applying import ApplyConflict, apply, conflict_error
from k8slab.apimachinery.errors import Conflict
from k8slab.apimachinery.fields_of import compare, fields_of
from k8slab.apimachinery.fieldset import LEAF, contains, intersection, of_paths, paths
from k8slab.apimachinery.managed import APPLY, UPDATE, Writer, read_entries, record_create, record_update
from k8slab.apimachinery.schema import definition_for

TYPE = definition_for("", "v1", "Pod").type
NAMES = ["a", "b", "c"]
VALUES = st.sampled_from(["1", "2"])
MAPS = st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1, max_size=3)
PORTS = st.lists(st.sampled_from([80, 81]), unique=True, min_size=1).map(
    lambda found: [{"containerPort": port} for port in found]
)
CONTAINERS = st.dictionaries(
    st.sampled_from(NAMES), st.fixed_dictionaries({}, optional={"image": VALUES, "ports": PORTS}), min_size=1
).map(lambda found: [{"name": name} | rest for name, rest in found.items()])
META = st.fixed_dictionaries(
    {}, optional={"labels": MAPS, "finalizers": st.lists(st.sampled_from(["x/a", "x/b"]), unique=True, min_size=1)}
)
SPEC = st.fixed_dictionaries({}, optional={"containers": CONTAINERS, "nodeSelector": MAPS, "hostname": VALUES})


def configuration(meta, spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"} | meta} | ({"spec": spec} if spec else {})


CONFIGS = st.builds(configuration, META, SPEC)


def by(manager, operation=APPLY, time="1"):
    return Writer(manager, operation, "v1", time=time)


def applied(live, entries, config, manager, force=True, time="1"):
    return apply(TYPE, live, config, entries, by(manager, time=time), force=force, reset=LEAF)


def owned(entries, manager):
    return next((entry["fieldsV1"] for entry in entries if entry["manager"] == manager), LEAF)


def same(a, b):
    """Objects, but for the order of their lists."""
    return not any(compare(TYPE, a, b))


@given(CONFIGS, CONFIGS)
def test_applied_twice_is_applied_once(mine, theirs):
    live, entries = applied({}, [], theirs, "them")
    once = applied(live, entries, mine, "me")
    twice = applied(*once, mine, "me", time="2")
    assert twice[0] is once[0]
    assert twice[1] is once[1]


@given(CONFIGS, CONFIGS)
def test_what_i_leave_out_goes_and_what_i_say_stays(first, second):
    live, entries = applied(*applied({}, [], first, "me"), second, "me")
    assert same(live, second)
    assert owned(entries, "me") == owned(applied({}, [], second, "me")[1], "me")


@given(CONFIGS, CONFIGS, CONFIGS)
def test_what_others_own_survives(theirs, first, second):
    live, entries = applied({}, [], theirs, "them")
    live, entries = applied(live, entries, first, "me")
    still = owned(entries, "them")
    after, entries = applied(live, entries, second, "me", force=True)
    kept = intersection(still, owned(entries, "them"))
    there = fields_of(TYPE, after)
    assert all(contains(there, path) for path in paths(kept))
    # Whatever of theirs went, I took by saying something else.
    assert all(contains(fields_of(TYPE, second), path) for path in set(paths(still)) - set(paths(kept)))


@given(CONFIGS, CONFIGS)
def test_force_makes_me_owner_of_all_that_i_say(mine, theirs):
    live, entries = applied({}, [], theirs, "them")
    live, entries = applied(live, entries, mine, "me", force=True)
    said = {path for path in paths(fields_of(TYPE, mine)) if path[-1] not in ("f:apiVersion", "f:kind")} - {
        ("f:metadata", "f:name"),
        ("f:metadata",),
    }
    assert set(paths(owned(entries, "me"))) == said
    assert same(applied(live, entries, mine, "me")[0], live)


@given(CONFIGS, CONFIGS)
def test_force_takes_from_others_what_differs_and_nothing_else(mine, theirs):
    live, entries = applied({}, [], theirs, "them")
    differing = intersection(owned(entries, "them"), compare(TYPE, theirs, mine)[0])
    after = applied(live, entries, mine, "me", force=True)[1]
    taken = set(paths(owned(entries, "them"))) - set(paths(owned(after, "them")))
    assert taken == set(paths(differing))


@given(CONFIGS, CONFIGS)
def test_there_is_a_conflict_exactly_where_values_differ(mine, theirs):
    live, entries = applied({}, [], theirs, "them")
    both = intersection(fields_of(TYPE, mine), owned(entries, "them"))
    differing = intersection(both, compare(TYPE, theirs, mine)[0])
    if not differing:
        applied(live, entries, mine, "me", force=False)
        return
    with pytest.raises(ApplyConflict) as fault:
        applied(live, entries, mine, "me", force=False)
    assert [fields for _, fields in fault.value.conflicts] == [differing]


@given(CONFIGS, CONFIGS)
def test_the_order_of_two_who_do_not_disagree_does_not_matter(mine, theirs):
    def all_of(one, other):
        return applied(*applied({}, [], *one, force=False), *other, force=False)

    try:
        there = all_of((mine, "me"), (theirs, "them"))
        back = all_of((theirs, "them"), (mine, "me"))
    except ApplyConflict:
        return
    assert same(there[0], back[0])
    for manager in ("me", "them"):
        assert owned(there[1], manager) == owned(back[1], manager)


@given(CONFIGS, CONFIGS)
def test_an_update_owns_what_it_changes_and_nobody_else_does(config, new):
    live, entries = applied({}, [], config, "them")
    changed, removed = compare(TYPE, live, new)
    after = record_update(entries, by("me", UPDATE), changed, removed)
    assert not intersection(owned(after, "them"), changed)
    assert not intersection(owned(after, "them"), removed)
    assert owned(after, "me") == changed


@given(CONFIGS)
def test_entries_are_read_back_as_they_were_written(config):
    entries = [*applied({}, [], config, "me")[1], *record_create(TYPE, config, by("you", UPDATE), ())]
    assert read_entries(entries) == (entries or [])


@pytest.mark.parametrize(
    ("sent", "found"), [([], []), ([{}], []), (None, None), (5, None), ([{"manager": "x"}], None), ("x", None)]
)
def test_nonsense_is_nothing_to_go_by(sent, found):
    assert read_entries(sent) == found


def change(name):
    return of_paths([("f:metadata", "f:labels", f"f:{name}")])


def test_the_time_of_an_entry_is_that_of_its_last_change():
    entries = record_update([], by("me", UPDATE, "1"), change("a"), LEAF)
    entries = record_update(entries, by("you", UPDATE, "2"), change("b"), LEAF)
    entries = record_update(entries, by("you", UPDATE, "3"), LEAF, change("a"))
    assert [(entry["manager"], entry["time"]) for entry in entries] == [("you", "2")]


def test_after_ten_managers_of_updates_the_oldest_are_one():
    entries = []
    for number in range(12):
        entries = record_update(entries, by(f"m{number}", UPDATE, f"{number:02}"), change(f"l{number}"), LEAF)
    assert [entry["manager"] for entry in entries] == ["ancient-changes", *(f"m{number}" for number in range(3, 12))]
    assert entries[0]["fieldsV1"]["f:metadata"]["f:labels"] == {"f:l0": {}, "f:l1": {}, "f:l2": {}}
    assert entries[0]["time"] == "02"


def test_conflicts_are_told_as_upstream_tells_them():
    scaled = Writer("kubectl", UPDATE, "apps/v1", "scale").entry(LEAF)
    theirs = by("x").entry(LEAF)
    replicas, image = of_paths([("f:spec", "f:replicas")]), of_paths([("f:spec", 'k:{"name":"web"}', "f:image")])
    one = conflict_error(ApplyConflict([(scaled, replicas)]))
    where = 'conflict with "kubectl" with subresource "scale" using apps/v1'
    assert one.message == f"Apply failed with 1 conflict: {where}: .spec.replicas"
    assert one.causes == [{"reason": "FieldManagerConflict", "message": where, "field": ".spec.replicas"}]
    two = conflict_error(ApplyConflict([(theirs, image), (scaled, replicas)]))
    assert isinstance(two, Conflict)
    assert two.message == (
        'Apply failed with 2 conflicts: conflicts with "kubectl" with subresource "scale" using apps/v1:\n- .spec.replicas\n'
        'conflicts with "x":\n- .spec[name="web"].image'
    )
