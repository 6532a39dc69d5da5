from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.controllers.custom_resource_definition import accepted_names
from tests.apiserver.custom.world import CRONTABS, DEFINITIONS, GROUP, CustomApi, crontab, definition, version
from tests.apiserver.harness import MERGE

CRD = f"{DEFINITIONS}/crontabs.{GROUP}"
OTHER = f"{DEFINITIONS}/others.{GROUP}"


@pytest.fixture
def api():
    return CustomApi()


def conditions(crd):
    return {each["type"]: (each["status"], each["reason"]) for each in crd["status"]["conditions"] or []}


def test_a_new_definition_has_no_accepted_names(api):
    status = api.do("POST", DEFINITIONS, definition())["status"]
    assert status == {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": ["v1"]}


def test_free_names_are_accepted_and_the_kind_is_established(api):
    crd = api.define(shortNames=["ct"])
    assert conditions(crd) == {
        "NamesAccepted": ("True", "NoConflicts"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    assert crd["status"]["acceptedNames"] == crd["spec"]["names"]


def test_an_established_definition_is_left_alone(api):
    api.define()
    before = api.store.revision
    api.controller = api.new_controller()
    api.settle()
    assert api.store.revision == before


@pytest.mark.parametrize(
    ("names", "reason", "message"),
    [
        ({"singular": "crontab"}, "SingularConflict", '"crontab" is already in use'),
        ({"shortNames": ["x", "ct"]}, "ShortNamesConflict", '"ct" is already in use'),
        ({"kind": "CronTab"}, "KindConflict", '"CronTab" is already in use'),
        ({"listKind": "CronTabList"}, "ListKindConflict", '"CronTabList" is already in use'),
    ],
)
def test_a_name_in_use_is_not_accepted(api, names, reason, message):
    api.define(shortNames=["ct"])
    crd = api.define(**{"plural": "others", "kind": "Other", "listKind": "Others"} | names)
    assert conditions(crd) == {"NamesAccepted": ("False", reason), "Established": ("False", "NotAccepted")}
    assert crd["status"]["conditions"][0]["message"] == message
    assert api.ask("GET", CRONTABS.replace("crontabs", "others")).code == 404


def test_a_name_that_becomes_free_is_given_to_who_waits(api):
    api.define(shortNames=["ct"])
    api.define(plural="others", kind="Other", shortNames=["ct"])
    api.do("PATCH", CRD, {"spec": {"names": {"shortNames": None}}}, MERGE)
    api.settle()
    assert conditions(api.do("GET", OTHER))["Established"][0] == "True"
    assert "shortNames" not in api.do("GET", CRD)["status"]["acceptedNames"]


def test_a_definition_that_goes_frees_its_names(api):
    api.define()
    api.define(plural="others", kind="CronTab", listKind="Others")
    api.do("DELETE", CRD)
    api.settle()
    assert conditions(api.do("GET", OTHER))["Established"][0] == "True"


def test_the_objects_go_with_the_definition(api):
    api.define()
    api.do("POST", CRONTABS, crontab())
    answer = api.do("DELETE", CRD)
    assert conditions(answer)["Terminating"] == ("True", "InstanceDeletionPending")
    api.settle()
    assert api.ask("GET", CRD).code == 404
    assert api.ask("GET", CRONTABS).code == 404
    assert api.store.count(f"/registry/{GROUP}/") == 0


def test_nothing_is_created_while_the_definition_goes(api):
    api.define()
    api.do("DELETE", CRD)
    text = "create not allowed while custom resource definition is terminating"
    assert api.refusal("POST", CRONTABS, crontab()) == (405, text)


def test_the_definition_waits_for_objects_that_do_not_go_at_once(api):
    api.define()
    held = crontab()
    held["metadata"]["finalizers"] = ["example.com/wait"]
    api.do("POST", CRONTABS, held)
    api.do("DELETE", CRD)
    api.settle()
    assert conditions(api.do("GET", CRD))["Terminating"] == ("True", "InstanceDeletionInProgress")
    api.do("PATCH", f"{CRONTABS}/job", {"metadata": {"finalizers": None}}, MERGE)
    api.clock.advance_to(api.controller.next_work())
    api.settle()
    assert api.ask("GET", CRD).code == 404


def test_a_definition_that_was_never_established_goes_at_once(api):
    api.define()
    api.define(plural="others", kind="CronTab", listKind="Others")
    api.do("DELETE", OTHER)
    api.settle()
    assert api.ask("GET", OTHER).code == 404


def test_a_definition_is_established_by_a_controller_that_starts_later(api):
    api.do("POST", DEFINITIONS, definition(version()))
    api.controller = api.new_controller()
    api.settle()
    assert api.ask("GET", CRONTABS).code == 200


NAMES = st.fixed_dictionaries(
    {name: st.sampled_from(["a", "b", "c"]) for name in ("plural", "singular", "kind", "listKind")},
    optional={"shortNames": st.lists(st.sampled_from(["a", "b", "c"]), max_size=2, unique=True)},
)


@given(NAMES, st.lists(NAMES, max_size=3))
def test_names_are_accepted_whole_or_with_a_reason(wanted, others):
    names, reason, _ = accepted_names(wanted, {}, others)
    assert (names == {key: value for key, value in wanted.items() if value}) == (reason == "NoConflicts")


@given(NAMES, st.lists(NAMES, max_size=3))
def test_names_that_are_mine_stay_mine(mine, others):
    assert accepted_names(mine, mine, [mine, *others])[1] == "NoConflicts"
