import pytest

from k8slab.apimachinery import errors
from k8slab.apimachinery.errors import (
    BY_REASON,
    AlreadyExists,
    ApiError,
    Conflict,
    Invalid,
    NotFound,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (NotFound.named("", "pods", "web"), 404, 'pods "web" not found'),
        (NotFound.named("apps", "deployments", "web"), 404, 'deployments.apps "web" not found'),
        (AlreadyExists.named("", "pods", "web"), 409, 'pods "web" already exists'),
        (
            Conflict.modified("apps", "deployments", "web"),
            409,
            'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; '
            "please apply your changes to the latest version and try again",
        ),
        (
            Invalid.object("Pod", "", "web", [required("spec.containers")]),
            422,
            'Pod "web" is invalid: spec.containers: Required value',
        ),
        (
            Invalid.object(
                "Deployment", "apps", "w", [invalid("spec.replicas", -1, "must be >= 0"), required("a", "b")]
            ),
            422,
            'Deployment.apps "w" is invalid: [spec.replicas: Invalid value: -1: must be >= 0, a: Required value: b]',
        ),
    ],
)
def test_errors_say_what_upstream_says(error, code, message):
    assert (error.status["code"], error.message, str(error)) == (code, message, message)


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        (invalid("a", 'x"y', "no"), 'Invalid value: "x\\"y": no'),
        (invalid("a", True, "no"), "Invalid value: true: no"),
        (invalid("a", {"b": 1}, "no"), 'Invalid value: {"b":1}: no'),
        (not_supported("a", "x", ["b", "c"]), 'Unsupported value: "x": supported values: "b", "c"'),
        (forbidden("a", "field is immutable"), "Forbidden: field is immutable"),
        (duplicate("a", "x"), 'Duplicate value: "x"'),
    ],
)
def test_causes_say_what_upstream_says(cause, message):
    assert cause.message == message


def test_details_name_the_object_and_every_cause():
    error = Invalid.object("Pod", "", "web", [required("spec.containers")])
    cause = {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.containers"}
    assert error.status["details"] == {"name": "web", "kind": "Pod", "causes": [cause]}
    assert error.causes == [cause]


@pytest.mark.parametrize("reason", sorted(BY_REASON))
def test_a_status_becomes_the_error_it_was(reason):
    status = {"kind": "Status", "reason": reason, "message": "why", "code": 400}
    error = ApiError.from_status(status)
    assert type(error) is BY_REASON[reason]
    assert (error.status, error.message) == (status, "why")


def test_a_status_of_an_unknown_reason_is_an_error_all_the_same():
    assert type(ApiError.from_status({"reason": "Whim"})) is ApiError


def test_every_reason_has_one_class():
    classes = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ApiError)}
    # Expired and Gone share a code, but not a reason.
    assert classes - {ApiError} == set(BY_REASON.values())
