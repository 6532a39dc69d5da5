"""POST of a question: who am I, may I do this? Nothing is stored; the answer is the question with its status filled in.

Models: pkg/registry/authentication, pkg/registry/authorization.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from k8slab.apimachinery.errors import BadRequest, Cause, Invalid, MethodNotAllowed, invalid
from k8slab.apimachinery.rest import JsonObject, Response, UserInfo
from k8slab.apiserver.authentication import AUDIENCES
from k8slab.apiserver.authorization.rules import Rule
from k8slab.apiserver.decode import check_schema, read_object
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.tokens import TokenError

GROUPS = ("authentication.k8s.io", "authorization.k8s.io")


def handle(context: Context) -> Response:
    """201, and the answered question."""
    if context.info.verb != "create":
        raise MethodNotAllowed.verb()
    review = read_object(context.request, context.resource.kind, context.resource.api_version)
    check_schema(review, context.definition, context.validation, context.request.body)
    review["status"] = REVIEWS[context.resource.plural](context, review.get("spec") or {})
    return context.answer(review, 201)


# Who is it?


def _myself(context: Context, spec: JsonObject) -> JsonObject:
    return {"userInfo": _shown(context.user)}


def _token(context: Context, spec: JsonObject) -> JsonObject:
    if not spec.get("token"):
        raise BadRequest("token is required for TokenReview in authentication")
    try:
        user, audiences = context.server.authenticator.review(spec["token"], spec.get("audiences") or AUDIENCES)
    except TokenError as error:
        why = str(error) if str(error) == "invalid bearer token" else f"[invalid bearer token, {error}]"
        return {"user": {}, "error": why}
    return {"authenticated": True, "user": _shown(user), "audiences": audiences}


def _shown(user: UserInfo) -> JsonObject:
    extra = {key: list(values) for key, values in user.extra.items()}
    found = {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": extra}
    return {key: value for key, value in found.items() if value}


# May they?


def _my_access(context: Context, spec: JsonObject) -> JsonObject:
    return _access(context, context.user, spec)


def _any_access(context: Context, spec: JsonObject) -> JsonObject:
    if not spec.get("user") and not spec.get("groups"):
        raise _faulty(context, invalid("spec.user", "", "at least one of user or group must be specified"))
    extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
    user = UserInfo(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""), extra)
    return _access(context, user, spec)


def _local_access(context: Context, spec: JsonObject) -> JsonObject:
    asked = (spec.get("resourceAttributes") or {}).get("namespace", "")
    if asked != context.namespace:
        raise BadRequest(f"spec.resourceAttributes.namespace must match namespace: {context.namespace}")
    return _any_access(context, spec)


def _access(context: Context, user: UserInfo, spec: JsonObject) -> JsonObject:
    if spec.get("resourceAttributes") and spec.get("nonResourceAttributes"):
        text = "cannot be specified in combination with resourceAttributes"
        raise _faulty(context, invalid("spec.nonResourceAttributes", spec["nonResourceAttributes"], text))
    if not spec.get("resourceAttributes") and not spec.get("nonResourceAttributes"):
        text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise _faulty(context, invalid("spec.resourceAttributes", None, text))
    decision = context.server.authorizer.decide(user, _asked(spec), _fields(spec))
    return {"allowed": decision.allowed} | ({"reason": decision.reason} if decision.reason else {})


def _faulty(context: Context, cause: Cause) -> Invalid:
    return Invalid.object(context.resource.kind, context.resource.group, "", [cause])


def _asked(spec: JsonObject) -> RequestInfo:
    if attributes := spec.get("resourceAttributes"):
        return RequestInfo(
            attributes.get("verb", ""), "", True, attributes.get("group", ""), attributes.get("version", ""),
            attributes.get("resource", ""), None, attributes.get("namespace", ""), attributes.get("name", ""),
            attributes.get("subresource", ""),
        )  # fmt: skip
    attributes = spec.get("nonResourceAttributes") or {}
    return RequestInfo(attributes.get("verb", ""), attributes.get("path", ""))


def _fields(spec: JsonObject) -> str:
    selector = (spec.get("resourceAttributes") or {}).get("fieldSelector") or {}
    wanted = [
        f"{each['key']}={each['values'][0]}"
        for each in selector.get("requirements") or []
        if each.get("operator") == "In" and len(each.get("values") or []) == 1
    ]
    return ",".join(wanted) or selector.get("rawSelector", "")


# What may they?


def _my_rules(context: Context, spec: JsonObject) -> JsonObject:
    namespace = spec.get("namespace", "")
    if not namespace:
        raise BadRequest("no namespace on request")
    rules, errors = context.server.authorizer.rbac.rules_for(context.user, namespace)
    if context.server.authorizer.node.knows(context.user):
        errors = [*errors, "node authorizer does not support user rule resolution"]
    status: JsonObject = {
        "resourceRules": _listed(rule for rule in rules if rule.resources),
        "nonResourceRules": _listed(rule for rule in rules if rule.paths),
        "incomplete": bool(errors),
    }
    if errors:
        status["evaluationError"] = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
    return status


def _listed(rules: Iterable[Rule]) -> list[JsonObject]:
    return [rule.to_json() for rule in rules]


REVIEWS: Mapping[str, Callable[[Context, JsonObject], JsonObject]] = {
    "selfsubjectreviews": _myself,
    "tokenreviews": _token,
    "selfsubjectaccessreviews": _my_access,
    "subjectaccessreviews": _any_access,
    "localsubjectaccessreviews": _local_access,
    "selfsubjectrulesreviews": _my_rules,
}
