"""Acting as somebody else: `kubectl --as=ann --as-group=developers`.

The headers say as whom. Each thing that is asked for (the user, each group, the UID, each extra) must be allowed by itself:
verb `impersonate` on `users`, `groups`, `serviceaccounts`, `uids`, `userextras/<key>`. From then on the request is the other
one's, and only the audit remembers who was behind it.

Models: k8s.io/apiserver/pkg/endpoints/filters/impersonation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from k8slab.apimachinery.errors import InternalError
from k8slab.apimachinery.rest import ANONYMOUS, UserInfo
from k8slab.apiserver.authentication import AUTHENTICATED
from k8slab.apiserver.authorization import Authorizer
from k8slab.apiserver.authorization.rbac import SERVICE_ACCOUNT
from k8slab.apiserver.routes import RequestInfo

USER, GROUP, UID = "impersonate-user", "impersonate-group", "impersonate-uid"
EXTRA = "impersonate-extra-"
PREFIX = "impersonate-"
SEPARATOR = "\n"
"""Between the values of a header that came several times: no header can hold it."""
UNAUTHENTICATED = "system:unauthenticated"


def impersonated(user: UserInfo, headers: Mapping[str, str], authorizer: Authorizer) -> UserInfo:
    """Whose request it is: the user's own, unless its headers say otherwise. Raises Forbidden."""
    if USER not in headers and GROUP not in headers and UID not in headers:
        return user
    name, groups = headers.get(USER, ""), _values(headers.get(GROUP, ""))
    uid, extra = headers.get(UID, ""), _extra(headers)
    if not name:
        what = ", ".join(each.plural for each in _asked("", groups, uid, extra))
        raise InternalError(f"Internal error occurred: requested {what} without impersonating a user")
    for asked in _asked(name, groups, uid, extra):
        authorizer.authorize(user, asked)
    return UserInfo(name, _with_everybody(name, groups or _groups_of(name)), uid, extra)


def _asked(name: str, groups: list[str], uid: str, extra: Mapping[str, tuple[str, ...]]) -> Iterator[RequestInfo]:
    """Everything that must be allowed."""
    if namespace := _account(name)[0]:
        yield _question("serviceaccounts", _account(name)[1], namespace=namespace)
    elif name:
        yield _question("users", name)
    for group in groups:
        yield _question("groups", group)
    for key, values in extra.items():
        for value in values:
            yield _question("userextras", value, "authentication.k8s.io", subresource=key)
    if uid:
        yield _question("uids", uid, "authentication.k8s.io")


def _question(plural: str, name: str, group: str = "", namespace: str = "", subresource: str = "") -> RequestInfo:
    return RequestInfo(
        "impersonate", "", True, group, "v1", plural, namespace=namespace, name=name, subresource=subresource
    )  # fmt: skip


def _groups_of(name: str) -> list[str]:
    """The groups of a user for whom none were asked."""
    namespace = _account(name)[0]
    return ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"] if namespace else []


def _with_everybody(name: str, groups: list[str]) -> tuple[str, ...]:
    """The groups, and the one that everybody is in."""
    if AUTHENTICATED in groups or UNAUTHENTICATED in groups:
        return tuple(groups)
    return (*groups, UNAUTHENTICATED if name == ANONYMOUS.name else AUTHENTICATED)


def _account(name: str) -> tuple[str, str]:
    """(namespace, name) of a service account; empty for another user."""
    namespace, _, account = name.removeprefix(SERVICE_ACCOUNT).partition(":")
    return (namespace, account) if name.startswith(SERVICE_ACCOUNT) and namespace and account else ("", "")


def _extra(headers: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    found = {unquote(name.removeprefix(EXTRA)): text for name, text in headers.items() if name.startswith(EXTRA)}
    return {key: tuple(_values(found[key])) for key in sorted(found)}


def _values(text: str) -> list[str]:
    return text.split(SEPARATOR) if text else []
