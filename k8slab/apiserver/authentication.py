"""Who asks.

A component in the same process says who it is: nobody else can reach the server that way. Over HTTPS a client certificate
that our authority signed says it: the common name is the user, the organizations are the groups. Who has no certificate may
show a token of a service account. Everybody else is anonymous; but who shows a token that is none is refused.

Time is the cluster's: on a virtual clock a token ends when that clock says so.

Models: k8s.io/apiserver/pkg/authentication/request (x509, bearertoken, union), pkg/serviceaccount (claims.go, util.go).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from k8slab.apimachinery.errors import Unauthorized
from k8slab.apimachinery.rest import ANONYMOUS, JsonObject, Request, UserInfo
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import RESOURCES
from k8slab.apiserver.tokens import ISSUER, TokenError, TokenKey, number
from k8slab.clock import Clock, from_rfc3339

LEFT_OUT = ("OIDC, bootstrap tokens, webhooks and front proxies prove nothing here.",)

AUTHENTICATED = "system:authenticated"
AUDIENCES = (ISSUER,)
"""For whom a token must be, to be good here."""
LEEWAY = 60.0
"""Seconds by which clocks may differ, and for which an object that is being deleted still counts."""
EXTRA = "authentication.kubernetes.io/"
CREDENTIAL_ID = EXTRA + "credential-id"
BOUND = {"pod": "pods", "secret": "secrets", "node": "nodes"}
"""What a token can be bound to: its claim, and the resource."""


class Authenticator:
    """Finds out who asks."""

    def __init__(self, registry: Registry, clock: Clock, key: TokenKey) -> None:
        self.key = key
        self._registry, self._clock = registry, clock

    def authenticate(self, request: Request) -> UserInfo:
        """The user behind a request. Raises Unauthorized for a credential that is none: a wrong one is not anonymous."""
        user = request.user
        if user is None:
            shown = request.headers.get("authorization")
            return self._bearer(shown) if shown else ANONYMOUS
        if AUTHENTICATED in user.groups or user == ANONYMOUS:
            return user
        return replace(user, groups=(*user.groups, AUTHENTICATED))

    def review(self, token: str, audiences: Iterable[str]) -> tuple[UserInfo, list[str]]:
        """(whose token this is, for which of the audiences). Raises TokenError with what is wrong with it."""
        claims = self.key.verify(token)
        meant: list[str] = [audience for audience in audiences if audience in (claims.get("aud") or [])]
        if not meant:
            raise TokenError(
                f"token audiences {_go(claims.get('aud'))} is invalid for the target audiences {_go(audiences)}"
            )
        now = self._clock.now()
        if now - LEEWAY > number(claims, "exp"):
            raise TokenError("service account token has expired")
        if now + LEEWAY < number(claims, "nbf"):
            raise TokenError("service account token is not valid yet")
        return self._user(claims), meant

    def _bearer(self, shown: str) -> UserInfo:
        scheme, _, token = shown.strip().partition(" ")
        if scheme.lower() != "bearer":
            return ANONYMOUS  # another scheme is none of ours
        try:
            user, _ = self.review(token.strip(), AUDIENCES)
        except TokenError:
            raise Unauthorized from None
        return user

    def _user(self, claims: JsonObject) -> UserInfo:
        """The account, if it and all that the token is bound to are still there. Raises TokenError."""
        private = claims.get("kubernetes.io") or {}
        namespace, account = private.get("namespace", ""), private.get("serviceaccount") or {}
        name = account.get("name", "")
        found = self._registry.find(RESOURCES["", "serviceaccounts"], namespace, name)
        if found is None:
            raise TokenError(f'serviceaccounts "{name}" not found')
        if self._is_gone(found):
            raise TokenError(f"service account {namespace}/{name} has been deleted")
        if found["metadata"]["uid"] != account.get("uid"):
            uid = found["metadata"]["uid"]
            raise TokenError(f"service account UID ({uid}) does not match claim ({account.get('uid')})")
        extra = {CREDENTIAL_ID: (f"JTI={claims.get('jti')}",)}
        for kind, plural in BOUND.items():
            if (reference := private.get(kind)) is None:
                continue
            self._check_bound(kind, plural, namespace, reference, alone="pod" not in private)
            if kind != "secret":
                extra[f"{EXTRA}{kind}-name"], extra[f"{EXTRA}{kind}-uid"] = (reference["name"],), (reference["uid"],)
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
        return UserInfo(str(claims.get("sub")), groups, account["uid"], extra)

    def _check_bound(self, kind: str, plural: str, namespace: str, reference: JsonObject, alone: bool) -> None:
        if kind == "node" and not alone:
            return  # a Pod's token says on which node it was; the Pod alone decides
        resource = RESOURCES["", plural]
        found = self._registry.find(resource, namespace if resource.namespaced else "", reference.get("name", ""))
        if found is None or self._is_gone(found):
            raise TokenError("service account token has been invalidated")
        uid, claimed = found["metadata"]["uid"], reference.get("uid")
        if uid != claimed:
            raise TokenError(f"{kind} UID ({uid}) does not match service account {kind} ref claim ({claimed})")

    def _is_gone(self, obj: JsonObject) -> bool:
        ends = obj["metadata"].get("deletionTimestamp")
        return bool(ends) and from_rfc3339(ends) < self._clock.now() - LEEWAY


def _go(values: Iterable[str] | None) -> str:
    """A list as Go's %q prints it."""
    return "[" + " ".join(f'"{value}"' for value in values or ()) + "]"
