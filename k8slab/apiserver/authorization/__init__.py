"""Who may do what.

Authorizers are asked in turn; the first that says yes decides, and if none does, the answer is no:

    the group system:masters  ->  the node authorizer (kubelets)  ->  RBAC (everybody)

None of them ever forbids: they allow, or have no opinion. A refusal names what was asked, and the reasons of those who
were asked, if they gave any.

Models: k8s.io/apiserver/pkg/endpoints/filters/authorization.go, pkg/authorization/union, pkg/endpoints/handlers/responsewriters
(forbiddenMessage); `--authorization-mode=Node,RBAC`.
"""

from __future__ import annotations

from dataclasses import replace

from k8slab.apimachinery.errors import Forbidden, qualified
from k8slab.apimachinery.rest import MASTERS_GROUP, UserInfo
from k8slab.apiserver.authorization.decision import NO_OPINION, YES, Decision
from k8slab.apiserver.authorization.node import NodeAuthorizer
from k8slab.apiserver.authorization.rbac import Rbac
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.routes import RequestInfo

__all__ = ["Authorizer", "Decision", "refusal"]

NAME_FIELD = "metadata.name="


class Authorizer:
    """Decides about requests, by what the cluster's roles and Pods are at that moment."""

    def __init__(self, registry: Registry) -> None:
        self.rbac = Rbac(registry)
        self.node = NodeAuthorizer(registry)

    def decide(self, user: UserInfo, info: RequestInfo, fields: str = "") -> Decision:
        """Whether the user may do this, and why. `fields`: the field selector of a list or watch."""
        if MASTERS_GROUP in user.groups:
            return YES
        if fields:
            info = _named(info, fields)
        opinion = self.node.decide(user, info, fields) if self.node.knows(user) else NO_OPINION
        if opinion.allowed:
            return opinion
        decision = self.rbac.decide(user, info)
        if decision.allowed or not opinion.reason:
            return decision
        return Decision(False, ", ".join(reason for reason in (opinion.reason, decision.reason) if reason))

    def authorize(self, user: UserInfo, info: RequestInfo, fields: str = "") -> Decision:
        """The decision, if it is yes. Raises Forbidden."""
        decision = self.decide(user, info, fields)
        if not decision.allowed:
            raise refusal(user, info, decision.reason)
        return decision


def _named(info: RequestInfo, fields: str) -> RequestInfo:
    """Whoever lists by `metadata.name=x` asks about x alone, and may if x is all that they may see."""
    if info.name or info.verb not in ("list", "watch", "deletecollection"):
        return info
    for field in fields.split(","):
        if field.startswith(NAME_FIELD):
            return replace(info, name=field.removeprefix(NAME_FIELD).removeprefix("="))
    return info


def refusal(user: UserInfo, info: RequestInfo, reason: str = "") -> Forbidden:
    """The error for who may not do this."""
    text = _what(user, info) + (f": {reason}" if reason else "")
    return Forbidden(text, details=_details(info))


def _what(user: UserInfo, info: RequestInfo) -> str:
    if not info.is_resource:
        return f'forbidden: User "{user.name}" cannot {info.verb} path "{info.path}"'
    what = f"{info.plural}/{info.subresource}" if info.subresource else info.plural
    where = f' in the namespace "{info.namespace}"' if info.namespace else " at the cluster scope"
    name = f' "{info.name}"' if info.name else ""
    subject = qualified(info.plural, info.group)
    return (
        f'{subject}{name} is forbidden: User "{user.name}" cannot {info.verb} resource "{what}" '
        f'in API group "{info.group}"{where}'
    )


def _details(info: RequestInfo) -> dict[str, str]:
    if not info.is_resource:
        return {}
    found = {"name": info.name, "group": info.group, "kind": info.plural}
    return {key: value for key, value in found.items() if value}
