from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from k8slab.lab.widgets.patches import apply, difference, is_keyed

things = st.lists(
    st.fixed_dictionaries({"id": st.sampled_from("abcdef"), "x": st.integers(0, 2)}), unique_by=lambda each: each["id"]
)
parts = st.dictionaries(st.sampled_from(["nodes", "rows", "step"]), st.one_of(things, st.integers(0, 3)))


@given(parts, parts)
def test_a_patch_leads_from_one_state_to_the_other(before, after):
    assert apply(before, difference(before, after)) == after


@given(parts)
def test_equal_states_have_no_difference(state):
    assert difference(state, state) == {}


def test_only_what_changed_is_sent():
    before = {"nodes": [{"id": str(n), "x": 0} for n in range(1000)]}
    after = {"nodes": [*before["nodes"][:999], {"id": "999", "x": 1}]}
    assert difference(before, after) == {"lists": {"nodes": {"drop": [], "put": [{"id": "999", "x": 1}]}}}


def test_an_order_that_follows_from_what_came_and_went_is_not_sent():
    before = {"nodes": [{"id": "a"}, {"id": "b"}]}
    assert "order" not in difference(before, {"nodes": [{"id": "b"}, {"id": "c"}]})["lists"]["nodes"]
    assert difference(before, {"nodes": [{"id": "b"}, {"id": "a"}]})["lists"]["nodes"]["order"] == ["b", "a"]


def test_a_list_with_an_id_twice_is_sent_whole():
    assert not is_keyed([{"id": "a"}, {"id": "a"}])
    assert difference({"rows": []}, {"rows": [{"id": "a"}, {"id": "a"}]}) == {
        "set": {"rows": [{"id": "a"}, {"id": "a"}]}
    }
