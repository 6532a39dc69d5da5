"""/proxy: a request that is passed on to a Pod, and the Pod's answer back. `kubectl proxy` and a browser see a Pod this way.

Whatever follows `/proxy` is the path that the Pod sees, and the query and the body are its own; a Status comes only where
the Pod could not be asked. Credentials stay here: the Pod never learns how a client proved who it is.

Bodies are held whole: a request's up to 3 MiB, an answer's up to `cri/dial.py`'s limit. So nothing streams, an upgrade
to a WebSocket is answered with 501, links in pages are not rewritten (a `Location` is), and of several headers of one name
the values are joined.

Models: pkg/registry/core/pod/rest/subresources.go (ProxyREST), pkg/registry/core/service/storage (ProxyREST),
k8s.io/apimachinery/pkg/util/proxy/upgradeaware.go, transport.go; net/http/httputil/reverseproxy.go.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

import orjson

from k8slab.apimachinery.errors import ApiError, InternalError, MethodNotAllowed, ServiceUnavailable
from k8slab.apimachinery.rest import Pending, Request, Response
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.subresources.proxy_target import UNREACHED, Target, find_target

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

LEFT_OUT = ("Nothing streams through the proxy, and a WebSocket is not upgraded.",)

log = logging.getLogger(__name__)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
HOP_BY_HOP = frozenset({
    "connection", "proxy-connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
"""Headers that are about one connection, not about the request."""
CREDENTIALS = frozenset({"authorization"})
UNESCAPED = "/$&+,:;=@~"
"""What Go leaves as it is in a path, besides letters, digits, `-`, `_` and `.`."""


def proxy(server: ApiServer, info: RequestInfo, request: Request) -> Response:
    """What the Pod answers. Raises BadRequest, NotFound, MethodNotAllowed, ServiceUnavailable."""
    if request.method not in METHODS:
        raise MethodNotAllowed.verb()
    target = find_target(server, info)
    if "upgrade" in request.headers.get("connection", "").lower():
        raise ApiError("k8slab's proxy does not upgrade connections: WebSockets are not served", code=501, reason="")
    if not info.rest and request.method in ("GET", "HEAD"):
        return _to_the_root(request)
    ask = _passing_on(server, info, request, target)
    return Pending(200, wait=_as_response(ask)) if server.dial.waits else ask()


def _to_the_root(request: Request) -> Response:
    """A page's relative links mean something only below a path that ends in a slash: the client is sent there."""
    # One slash in front, however many came: `//x/` would be another host.
    location = "/" + quote(request.path.lstrip("/"), UNESCAPED) + "/" + _query(request)
    return Response(301, headers={"Location": location})


def _passing_on(server: ApiServer, info: RequestInfo, request: Request, target: Target) -> Callable[[], Response]:
    dial = server.dial
    prefix = request.path.removesuffix(info.rest)
    headers = end_to_end(request.headers) | {"x-forwarded-uri": quote(request.path, UNESCAPED)}
    path = quote(info.rest, UNESCAPED) or "/"
    body = request.body if isinstance(request.body, bytes) else orjson.dumps(request.body)

    def ask() -> Response:
        try:
            answer = dial(target.ip, target.port, request.method, path + _query(request), headers, body)
        except OSError as error:
            raise ServiceUnavailable(f"{UNREACHED}{error}") from None
        hosts = ("", f"{target.ip}:{target.port}", request.headers.get("host", ""))
        for name in answer.headers:
            if name.lower() == "location":
                answer.headers[name] = below(prefix, answer.headers[name], hosts)
        return answer

    return ask


def _as_response(ask: Callable[[], Response]) -> Callable[[], Response]:
    """The same, with an error as its Status: whoever waits is past the server's own care for errors."""

    def wait() -> Response:
        try:
            return ask()
        except ApiError as error:
            status = error.status
        except Exception as fault:
            log.exception("a Pod could not be asked")
            status = InternalError(f"Internal error occurred: {type(fault).__name__}: {fault}").status
        return Response(status["code"], object=status)

    return wait


def _query(request: Request) -> str:
    return f"?{urlencode(request.query, doseq=True)}" if request.query else ""


def end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a request that are for the Pod: neither a connection's nor a credential."""
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    return {name: value for name, value in headers.items() if name not in HOP_BY_HOP | CREDENTIALS | named}


def below(prefix: str, location: str, hosts: tuple[str, ...]) -> str:
    """Where a redirect leads from outside: a path on one of `hosts`, the Pod's names, is a path below the proxy's."""
    found = urlsplit(location)
    if found.netloc not in hosts or not found.path.startswith("/"):
        return location
    path = found.path if found.path.startswith(prefix) else prefix + found.path
    return found._replace(scheme="", netloc="", path=path).geturl()
