"""Who may do what.

For now: masters may do everything, the control plane's own components and the nodes too, and the anonymous may ask how the
server is. Everybody else may nothing. Roles come later; the words of a refusal are upstream's already.

Models: k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go (forbiddenMessage), plugin/pkg/auth/authorizer.
"""

from __future__ import annotations

from k8slab.apimachinery.errors import Forbidden, qualified
from k8slab.apimachinery.rest import MASTERS_GROUP, UserInfo
from k8slab.apiserver.routes import RequestInfo

PUBLIC_PATHS = ("/version", "/healthz", "/livez", "/readyz")
COMPONENTS = frozenset({"system:apiserver", "system:kube-scheduler", "system:kube-controller-manager"})
NODES_GROUP = "system:nodes"


def authorize(user: UserInfo, info: RequestInfo) -> None:
    """Raises Forbidden if the user may not do this."""
    if not allowed(user, info):
        raise Forbidden(_refusal(user, info), details=_details(info))


def allowed(user: UserInfo, info: RequestInfo) -> bool:
    """Whether the user may do this."""
    if MASTERS_GROUP in user.groups or user.name in COMPONENTS or NODES_GROUP in user.groups:
        return True
    path = info.path.rstrip("/")
    public = any(path == each or path.startswith(each + "/") for each in PUBLIC_PATHS)
    return public and info.verb in ("get", "head") and not info.is_resource


def _refusal(user: UserInfo, info: RequestInfo) -> str:
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
