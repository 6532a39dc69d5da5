from __future__ import annotations

import pytest

from k8slab.api.core import Pod
from k8slab.controllers.job.policy import match_failure, match_success


def failed(code=1, conditions=(), name="main"):
    status = {"name": name, "state": {"terminated": {"exitCode": code}}}
    return Pod.of(
        {
            "metadata": {"name": "web", "namespace": "default"},
            "status": {"phase": "Failed", "containerStatuses": [status], "conditions": list(conditions)},
        }
    )


def rule(action, values=None, operator="In", conditions=None, container=None):
    if conditions:
        return {"action": action, "onPodConditions": conditions}
    codes = {"operator": operator, "values": values}
    return {"action": action, "onExitCodes": codes | ({"containerName": container} if container else {})}


@pytest.mark.parametrize(
    ("given", "action"),
    [
        (rule("FailJob", [42]), "Count"),
        (rule("FailJob", [1, 2]), "FailJob"),
        (rule("Ignore", [42], "NotIn"), "Ignore"),
        (rule("FailJob", [1], container="other"), "Count"),
        (rule("FailJob", [1], container="main"), "FailJob"),
    ],
)
def test_exit_codes_decide(given, action):
    assert match_failure({"rules": [given]}, failed()).action == action


def test_the_first_rule_counts_and_says_which_it_was():
    rules = [rule("Ignore", [7]), rule("FailJob", [1]), rule("Count", [1])]
    assert match_failure({"rules": rules}, failed()) == (
        "FailJob",
        "Container main for pod default/web failed with exit code 1 matching FailJob rule at index 1",
    )


def test_conditions_decide():
    policy = {"rules": [rule("Ignore", conditions=[{"type": "DisruptionTarget", "status": "True"}])]}
    matched = match_failure(policy, failed(conditions=[{"type": "DisruptionTarget", "status": "True"}]))
    assert matched == ("Ignore", "Pod default/web has condition DisruptionTarget matching Ignore rule at index 0")
    assert match_failure(policy, failed()).action == "Count"


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([{"succeededCount": 3}], ""),
        ([{"succeededCount": 2}], "Matched rules at index 0"),
        ([{"succeededIndexes": "0-2"}], ""),
        ([{"succeededIndexes": "0,1"}], "Matched rules at index 0"),
        ([{"succeededCount": 9}, {"succeededIndexes": "1-4", "succeededCount": 1}], "Matched rules at index 1"),
        ([], ""),
    ],
)
def test_a_success_policy_names_indexes_or_a_number(rules, message):
    assert match_success({"rules": rules}, 5, {0, 1}) == message
