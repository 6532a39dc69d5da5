"""The judge of "What survives?": the right lists, and the mistakes that many make."""

from __future__ import annotations

import pytest

from k8slab.lab.checks import what_survives as check

RIGHT = {
    "nobody's": ["alone"],
    "up or down": ["parent"],
    "grandchildren": [],
    "two owners": ["two", "child", "odd"],
    "across namespaces": ["parent", "near"],
    "orphans": ["child", "grandchild"],
    "held": ["parent", "child"],
}


def failed(result) -> dict[str, str]:
    return {verdict.name: verdict.message for verdict in result.verdicts if verdict.outcome == "not yet"}


def test_the_solution_gets_all_points():
    assert check.check_survivors(RIGHT).points == 7


def test_a_set_or_another_order_is_as_good():
    assert check.check_survivors({story: set(names) for story, names in RIGHT.items()}).points == 7


@pytest.mark.parametrize("starter", [None, ..., {}, dict.fromkeys(RIGHT), []])
def test_the_starter_gets_none(starter):
    assert check.check_survivors(starter).points == 0


@pytest.mark.parametrize("seed", range(30, 33))
@pytest.mark.parametrize("story", RIGHT)
def test_what_survives_is_the_same_for_every_seed(story, seed):
    assert check._lived.__wrapped__(story, seed) == set(RIGHT[story])


@pytest.mark.parametrize(
    ("story", "said", "message"),
    [
        ("nobody's", [], "`alone` is still there: an object that names no owner is nobody's garbage"),
        ("up or down", [], "`parent` is still there: `child` names `parent`, so `parent` is the owner"),
        ("up or down", ["parent", "child"], "`child` is gone: it was deleted, and nothing held it"),
        (
            "grandchildren",
            ["grandchild"],
            "`grandchild` is gone: when `child` is collected, `grandchild` names an owner",
        ),
        ("two owners", ["two", "odd"], "`child` is still there: `child` names two owners, and `two` is there"),
        ("two owners", ["two", "child"], "`odd` is still there: of the owners of `odd` one never was"),
        ("across namespaces", ["parent", "near", "far"], "`far` is gone: an owner reference has no namespace in it"),
        ("orphans", [], "`child` is still there: with --cascade=orphan the dependents stay"),
        ("orphans", ["child"], "`grandchild` is still there: `child` stays"),
        ("held", [], "`parent` is still there: in the foreground the owner waits for its dependents"),
        ("held", ["parent"], "`child` is still there: a finalizer holds an object until somebody takes it off"),
        ("held", ["child"], "`parent` is still there: in the foreground"),
        ("held", ["parent", "child", "other"], "`other` is gone: `other` is a dependent like `child`"),
        ("held", ["nobody"], "names 'nobody'; in this story there are: parent, child, other"),
        ("held", "parent", "should be a list of names, an empty one if nothing is left; it is str: 'parent'"),
    ],
)
def test_a_wrong_list_fails_its_own_story(story, said, message):
    found = failed(check.check_survivors(RIGHT | {story: said}))
    assert list(found) == [story]
    assert message in found[story]


def test_a_story_can_be_looked_at():
    with check.practice("held") as cluster:
        assert "Terminating" in cluster.pictures.ownership().text
    with pytest.raises(ValueError, match="there is no story 'x'"):
        check.practice("x")
    assert "far (in the namespace elsewhere) names parent as owner" in check.stories()


def test_there_are_three_hints():
    assert len(check.SURVIVORS.hints) == 3
