"""Is the server alive, is it ready? `/livez`, `/readyz` and the older `/healthz`, with a check each.

`/readyz?verbose` names the checks, `/readyz/etcd` is one of them, `/readyz?exclude=etcd` leaves one out. A check that fails
makes the answer a 500; why it failed is said only at its own path, as these pages are for everybody.

Upstream has more checks, for parts that this server does not have; all that stand here are checked.

Models: k8s.io/apiserver/pkg/server/healthz/healthz.go, pkg/server/options/etcd.go (the checks of etcd).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from k8slab.apimachinery.rest import Pending, Request, Response
from k8slab.apiserver.resources import RESOURCES
from k8slab.clock import RealClock
from k8slab.etcd.store import StoreError

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

TEXT = "text/plain; charset=utf-8"
CLUSTER_ROLES = RESOURCES["rbac.authorization.k8s.io", "clusterroles"]

Check = Callable[["ApiServer"], str]
"""What is wrong; empty if nothing is."""


def _ok(server: ApiServer) -> str:
    return ""


def _etcd(server: ApiServer) -> str:
    try:
        server.store.check()
    except StoreError as fault:
        return str(fault)
    return ""


def _default_roles(server: ApiServer) -> str:
    try:
        found = server.registry.find(CLUSTER_ROLES, "", "cluster-admin")
    except StoreError:
        return ""  # it ended long ago; what is wrong now, etcd's own check says
    return "" if found else "not finished"


_LIVE: Mapping[str, Check] = {
    "ping": _ok,
    "log": _ok,
    "etcd": _etcd,
    "poststarthook/rbac/bootstrap-roles": _default_roles,
}
CHECKS: Mapping[str, Mapping[str, Check]] = {
    "healthz": _LIVE,
    "livez": _LIVE,
    "readyz": {"ping": _ok, "log": _ok, "etcd": _etcd, "etcd-readiness": _etcd}
    | {"poststarthook/rbac/bootstrap-roles": _default_roles},
}
"""The checks of each page, in the order in which they are told."""


def paths() -> list[str]:
    """All pages."""
    return [f"/{page}" for page in CHECKS] + [f"/{page}/{check}" for page, checks in CHECKS.items() for check in checks]


def health(server: ApiServer, page: str, check: str, request: Request) -> Response:
    """A page, or one of its checks. A check may wait for etcd: then nobody else waits for the check."""

    def look() -> Response:
        return _one(server, CHECKS[page][check]) if check else _all(server, page, request)

    return Pending(200, wait=look) if isinstance(server.clock, RealClock) else look()


def _one(server: ApiServer, check: Check) -> Response:
    fault = check(server)
    return _text(f"internal server error: {fault}\n", 500) if fault else _text("ok")


def _all(server: ApiServer, page: str, request: Request) -> Response:
    excluded = dict.fromkeys(request.query.get("exclude", ()))
    lines, failed = [], False
    for name, check in CHECKS[page].items():
        if name in excluded:
            del excluded[name]
            lines.append(f"[+]{name} excluded: ok")
        elif check(server):
            failed = True
            lines.append(f"[-]{name} failed: reason withheld")
        else:
            lines.append(f"[+]{name} ok")
    if excluded:
        names = ",".join(f'"{name}"' for name in sorted(excluded))
        lines.append(f"warn: some health checks cannot be excluded: no matches for {names}")
    if failed:
        return _text("\n".join([*lines, f"{page} check failed\n"]), 500)
    return _text("\n".join([*lines, f"{page} check passed\n"]) if "verbose" in request.query else "ok")


def _text(text: str, code: int = 200) -> Response:
    headers = {"X-Content-Type-Options": "nosniff"}
    return Response(code, body=text.encode(), content_type=TEXT, headers=headers)
