"""/log, /exec and /attach: calls that go on to the Pod's node. The server finds the container and the kubelet, and lets
the kubelet's stream pass.

Models: pkg/registry/core/pod/rest/log.go, subresources.go, pkg/registry/core/pod/strategy.go (LogLocation, ExecLocation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.apimachinery.errors import BadRequest, Cause, Invalid, forbidden, invalid
from k8slab.apimachinery.rest import JsonObject, Request, Response
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.subresources.common import PODS, allow, choose_container, kubelet_of, nobody
from k8slab.clock import from_rfc3339

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer


def log(server: ApiServer, info: RequestInfo, request: Request) -> Response:
    """The log of one container, as text. Raises BadRequest, Invalid, NotFound."""
    allow(info, "get", "watch")
    tail, limit_bytes, since = _log_options(server, info, request)
    pod = server.registry.get(PODS, info.namespace, info.name)
    container = choose_container(pod, request.param("container"))
    if not pod["spec"].get("nodeName"):
        return Response(200, content_type="text/plain")  # nothing has been said yet
    kubelet = kubelet_of(server, pod, f"containerLogs/{info.namespace}/{info.name}/{container}")
    stream = kubelet.container_logs(
        info.namespace, info.name, container,
        previous=request.flag("previous"), follow=request.flag("follow"), tail=tail, since=since,
        timestamps=request.flag("timestamps"), limit_bytes=limit_bytes, wake=request.wake or nobody,
    )  # fmt: skip
    return Response(200, stream=stream, content_type="text/plain")


def execute(server: ApiServer, info: RequestInfo, request: Request) -> Response:
    """A command in a running container: 101, and a stream in channels. Raises BadRequest, NotFound."""
    allow(info, "get", "create")
    command = tuple(request.query.get("command") or ())
    if not any(request.flag(name) for name in ("stdin", "stdout", "stderr")):
        raise BadRequest("you must specify at least 1 of stdin, stdout, stderr")
    if not command:
        raise BadRequest("you must specify at least one command for the container")
    pod = server.registry.get(PODS, info.namespace, info.name)
    container = choose_container(pod, request.param("container"))
    _check_running(pod, info.name, "exec into")
    kubelet = kubelet_of(server, pod, f"exec/{info.namespace}/{info.name}/{container}")
    stream = kubelet.exec(
        info.namespace, info.name, container, command,
        stdin=request.flag("stdin"), tty=request.flag("tty"), wake=request.wake or nobody,
    )  # fmt: skip
    return Response(101, stream=stream)


def attach(server: ApiServer, info: RequestInfo, request: Request) -> Response:
    """The container's own process: 101, and a stream in channels. Raises BadRequest, NotFound."""
    allow(info, "get", "create")
    if not any(request.flag(name) for name in ("stdin", "stdout", "stderr")):
        raise BadRequest("you must specify at least 1 of stdin, stdout, stderr")
    pod = server.registry.get(PODS, info.namespace, info.name)
    container = choose_container(pod, request.param("container"))
    _check_running(pod, info.name, "attach to")
    kubelet = kubelet_of(server, pod, f"attach/{info.namespace}/{info.name}/{container}")
    stream = kubelet.attach(
        info.namespace, info.name, container,
        stdin=request.flag("stdin"), tty=request.flag("tty"), wake=request.wake or nobody,
    )  # fmt: skip
    return Response(101, stream=stream)


def _check_running(pod: JsonObject, name: str, what: str) -> None:
    if not pod["spec"].get("nodeName"):
        raise BadRequest(f"pod {name} does not have a host assigned")
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        raise BadRequest(f"cannot {what} a container in a completed pod; current phase is {phase}")


def _log_options(server: ApiServer, info: RequestInfo, request: Request) -> tuple[int | None, int | None, float]:
    """(tail lines, most bytes, since when in seconds since the epoch). Raises Invalid, BadRequest."""
    numbers = {name: _number(request, name) for name in ("tailLines", "limitBytes", "sinceSeconds")}
    tail, limit_bytes, seconds = numbers.values()
    moment = request.param("sinceTime")
    causes: list[Cause] = []
    if tail is not None and tail < 0:
        causes.append(invalid("tailLines", tail, "must be greater than or equal to 0"))
    if limit_bytes is not None and limit_bytes < 1:
        causes.append(invalid("limitBytes", limit_bytes, "must be greater than 0"))
    if seconds is not None and moment:
        causes.append(forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    elif seconds is not None and seconds < 1:
        causes.append(invalid("sinceSeconds", seconds, "must be greater than 0"))
    if causes:
        raise Invalid.object("PodLogOptions", "", info.name, causes)
    since = server.clock.now() - seconds if seconds is not None else 0.0
    if moment:
        try:
            since = from_rfc3339(moment)
        except ValueError:
            raise BadRequest(f'parsing time "{moment}" as "2006-01-02T15:04:05Z07:00": cannot parse') from None
    return tail, limit_bytes, since


def _number(request: Request, name: str) -> int | None:
    text = request.param(name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
