"""The servers of the teaching images: they log and answer as the originals do.

Each logs the lines that the original logs, word for word, because a learner compares them with the tutorial; that they
are simulated is said by the runtime's version, not by them. What SIGTERM does is the originals' too, and worth a look: a
Go program dies of it (2), nginx leaves politely (0), and Node.js as PID 1 ignores it, so it is killed after the whole
grace period (137).

Models: test/images/agnhost (netexec, pause); gcr.io/google-samples/kubernetes-bootcamp (server.js); nginx; build/pause.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from k8slab.cri.network import Handler, HttpReply, HttpRequest
from k8slab.cri.process import FOREVER, Call, OnTerm, Program, Steps
from k8slab.cri.programs.arguments import option

_MIB = 1 << 20
_START = 0.05
"""Seconds from the start of a server to its first line in the log."""


def _utc(when: float) -> datetime:
    return datetime.fromtimestamp(round(when, 6), UTC)


def _serve(
    call: Call,
    port: int,
    handler: Handler,
    started: Callable[[], None],
    taken: tuple[str, int],
    seconds: float = _START,
) -> Steps:
    """A server's life: it listens, starts, says so, and serves until a signal ends it.

    If the port is taken, it ends at once, with a complaint and an exit code.
    """
    listeners = call.machine.net.listeners
    if port in listeners:
        call.err(taken[0])
        return taken[1]
    listeners[port] = handler
    call.process.quiet += 1
    try:
        yield seconds
        started()
        yield FOREVER
        return 0
    finally:
        call.process.quiet -= 1
        del listeners[port]


def _dies_of_term(call: Call, code: int, after: float = 0.01) -> None:
    # Only if it is the process itself: signals go to PID 1, and a shell that is PID 1 does not pass them on.
    if call.argv == call.process.argv:
        call.process.on_term = _ending(code, after)


@cache
def _ending(code: int, after: float) -> OnTerm:
    return lambda process, now: process.end_at(now + after, code)


def agnhost(call: Call) -> Steps:
    """`agnhost COMMAND`: the image of Kubernetes' own tests, as far as tutorials use it."""
    return _AGNHOST.get(call.argv[1] if len(call.argv) > 1 else "help", _unknown)(call)


def _unknown(call: Call) -> Steps:
    call.err(
        f'Error: unknown command "{" ".join(call.argv[1:2]) or "help"}" for "app"\nRun \'app --help\' for usage.\n'
    )
    return 1
    yield


def agnhost_pause(call: Call) -> Steps:
    """`agnhost pause`: waits for a signal."""
    call.process.quiet = 1
    call.out("Paused\n")
    _dies_of_term(call, 2)
    yield FOREVER
    return 0


def _klog(call: Call) -> Callable[[str], None]:
    return lambda text: call.err(f"I{_utc(call.now):%m%d %H:%M:%S.%f}       1 log.go:195] {text}\n")


def _panic(port: int) -> tuple[str, int]:
    """What a Go server says, and its exit code, when its port is taken."""
    return f"panic: listen tcp :{port}: bind: address already in use\n", 2


def netexec(call: Call) -> Steps:
    """`agnhost netexec`: an HTTP server that tells about itself."""
    _dies_of_term(call, 2)
    port, udp = int(option(call.argv, "http-port", "8080")), int(option(call.argv, "udp-port", "8081"))
    log, begun, hostname = _klog(call), call.now, call.machine.hostname

    def answer(request: HttpRequest) -> HttpReply:
        log(f"{request.method} {request.path}")
        match request.path.lower():
            case "/":
                elapsed = f"{call.now - begun:.9f}"
                return HttpReply(200, f"NOW: {_utc(call.now):%Y-%m-%d %H:%M:%S.%f} +0000 UTC m=+{elapsed}".encode())
            case "/hostname":
                return HttpReply(200, hostname.encode())
            case "/echo":
                return HttpReply(int(request.param("code", "200")), request.param("msg").encode())
            case "/clientip":
                return HttpReply(200, f"{request.source}:40000".encode())
            case "/healthz" | "/readyz":
                return HttpReply(200, b"ok")
            case "/exit":
                call.process.end_at(call.now, int(request.param("code", "0")))
                return HttpReply(200, b"")
            case _:
                return HttpReply(404, b"404 page not found\n")

    def started() -> None:
        log(f"Started HTTP server on port {port}")
        # The address of the UDP listener is empty, so there are two spaces.
        log(f"Started UDP server on port  {udp}")

    return _serve(call, port, answer, started, _panic(port))


def serve_hostname(call: Call) -> Steps:
    """`agnhost serve-hostname`: answers every request with its host name."""
    _dies_of_term(call, 0)
    port, log = int(option(call.argv, "port", "9376")), _klog(call)

    def answer(request: HttpRequest) -> HttpReply:
        return HttpReply(200, call.machine.hostname.encode())

    return _serve(call, port, answer, lambda: log(f"Serving on port {port}"), _panic(port))


_AGNHOST: dict[str, Program] = {"netexec": netexec, "serve-hostname": serve_hostname, "pause": agnhost_pause}


def bootcamp(call: Call) -> Steps:
    """The Kubernetes Basics tutorial's server, which says where it runs and which version it is."""
    hostname, version = call.env.get("HOSTNAME", call.machine.hostname), call.machine.version.removeprefix("v")
    requests, started = 0, call.now

    def stamp() -> str:
        return f"{_utc(call.now):%Y-%m-%dT%H:%M:%S}.{_utc(call.now).microsecond // 1000:03d}Z"

    def answer(request: HttpRequest) -> HttpReply:
        nonlocal requests
        requests += 1
        uptime = f"{call.now - started:.3f}".rstrip("0").rstrip(".")
        call.out(
            f"Running On: {hostname} | Total Requests: {requests} | App Uptime: {uptime} seconds | Log Time: {stamp()}\n"
        )
        return HttpReply(
            200, f"Hello Kubernetes bootcamp! | Running on: {hostname} | v={version}\n".encode(), "text/plain"
        )

    def begun() -> None:
        # console.log puts a space between its arguments, the last of which is a newline.
        call.out(f"Kubernetes Bootcamp App Started At: {stamp()} | Running On:  {hostname} \n\n")

    # No on_term: Node.js as PID 1 has no handler for SIGTERM.
    return _serve(call, 8080, answer, begun, ("Error: listen EADDRINUSE :::8080\n", 1), 4 * _START)


_ENTRYPOINT_LINES = """\
/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration
/docker-entrypoint.sh: Looking for shell scripts in /docker-entrypoint.d/
/docker-entrypoint.sh: Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh
10-listen-on-ipv6-by-default.sh: info: Getting the checksum of /etc/nginx/conf.d/default.conf
10-listen-on-ipv6-by-default.sh: info: Enabled listen on IPv6 in /etc/nginx/conf.d/default.conf
/docker-entrypoint.sh: Launching /docker-entrypoint.d/20-envsubst-on-templates.sh
/docker-entrypoint.sh: Launching /docker-entrypoint.d/30-tune-worker-processes.sh
/docker-entrypoint.sh: Configuration complete; ready for start up
"""
_WORKERS = ("start worker processes", "start worker process 29")
_WEB_ROOT = "/usr/share/nginx/html"


def docker_entrypoint(call: Call) -> Steps:
    """nginx's entrypoint script: configures, then becomes its arguments."""
    name = call.argv[1] if len(call.argv) > 1 else ""
    if name != "nginx":
        program = call.machine.find_program(name)
        if program is None:
            call.err(f"/docker-entrypoint.sh: 47: exec: {name}: not found\n")
            return 127
        return (yield from program(replace(call, argv=call.argv[1:])))
    call.out(_ENTRYPOINT_LINES)
    return (yield from _nginx(call, ('using the "epoll" event method', f"nginx/{call.machine.version}", *_WORKERS)))


def nginx(call: Call) -> Steps:
    """nginx started without its entrypoint script, as in old images: it does not say that it starts."""
    return _nginx(call, ())


def _nginx(call: Call, notices: tuple[str, ...]) -> Steps:
    """A web server that serves files from its document root, and logs each access."""
    _dies_of_term(call, 0, after=0.1)
    server = f"nginx/{call.machine.version}"

    def answer(request: HttpRequest) -> HttpReply:
        path = request.path + ("index.html" if request.path.endswith("/") else "")
        body = call.machine.files.read(_WEB_ROOT + path)
        status = 404 if body is None else 200
        if body is None:
            body = (
                f"<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n"
                f"<hr><center>{server}</center>\r\n</body>\r\n</html>\r\n"
            ).encode()
        line = f'"{request.method} {request.target} HTTP/1.1" {status} {len(body)} "-" "{request.user_agent}" "-"'
        call.out(f"{request.source} - - [{_utc(call.now):%d/%b/%Y:%H:%M:%S +0000}] {line}\n")
        return HttpReply(status, body, "text/html", server)

    def started() -> None:
        for notice in notices:
            call.err(f"{_utc(call.now):%Y/%m/%d %H:%M:%S} [notice] 1#1: {notice}\n")

    taken = "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)\n"
    return _serve(call, 80, answer, started, (taken, 1))


def pause(call: Call) -> Steps:
    """Holds the namespaces of a pod, and does nothing else."""
    call.process.quiet = 1
    _dies_of_term(call, 0)
    call.process.use_memory(_MIB // 2)
    yield FOREVER
    return 0
