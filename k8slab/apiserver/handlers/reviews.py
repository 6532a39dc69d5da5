"""POST of a question: who am I, may I do this? Nothing is stored; the answer is the question with its status filled in.

Models: pkg/registry/authentication, pkg/registry/authorization.
"""

from __future__ import annotations

from k8slab.apimachinery.errors import MethodNotAllowed
from k8slab.apimachinery.rest import JsonObject, Response, UserInfo
from k8slab.apiserver.authorization import allowed
from k8slab.apiserver.decode import check_schema, read_object
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.routes import RequestInfo

GROUPS = ("authentication.k8s.io", "authorization.k8s.io")
REVIEWS = (
    "selfsubjectreviews",
    "tokenreviews",
    "selfsubjectaccessreviews",
    "subjectaccessreviews",
    "localsubjectaccessreviews",
    "selfsubjectrulesreviews",
)


def handle(context: Context) -> Response:
    """201, and the answered question."""
    if context.info.verb != "create":
        raise MethodNotAllowed.verb()
    review = read_object(context.request, context.resource.kind, context.resource.api_version)
    check_schema(review, context.definition, context.validation, context.request.body)
    review["status"] = _answer(context, review)
    return context.answer(review, 201)


def _answer(context: Context, review: JsonObject) -> JsonObject:
    plural, spec = context.resource.plural, review.get("spec") or {}
    if plural == "selfsubjectreviews":
        return {"userInfo": {"username": context.user.name, "groups": list(context.user.groups)}}
    if plural == "tokenreviews":
        return {"authenticated": False, "user": {}, "error": "invalid bearer token"}
    if plural == "selfsubjectrulesreviews":
        everything = allowed(context.user, RequestInfo("*", "", is_resource=True))
        rules = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}] if everything else []
        others = [{"verbs": ["*"], "nonResourceURLs": ["*"]}] if everything else []
        return {"resourceRules": rules, "nonResourceRules": others, "incomplete": False}
    user = context.user
    if not plural.startswith("self"):
        user = UserInfo(spec.get("user", ""), tuple(spec.get("groups") or ()))
    return {"allowed": allowed(user, _asked(spec))}


def _asked(spec: JsonObject) -> RequestInfo:
    if attributes := spec.get("resourceAttributes"):
        return RequestInfo(
            attributes.get("verb", ""), "", True, attributes.get("group", ""), attributes.get("version", ""),
            attributes.get("resource", ""), None, attributes.get("namespace", ""), attributes.get("name", ""),
            attributes.get("subresource", ""),
        )  # fmt: skip
    attributes = spec.get("nonResourceAttributes") or {}
    return RequestInfo(attributes.get("verb", ""), attributes.get("path", ""))
