"""The programs of the teaching images: servers that log and answer as the originals do.

Each logs the lines that the original logs, word for word, because a learner compares them with the tutorial; that they
are simulated is said by the runtime's version, not by them. What SIGTERM does is the originals' too, and worth a look: a
Go program dies of it (2), nginx leaves politely (0), and Node.js as PID 1 ignores it, so it is killed after the whole
grace period (137).

Models: test/images/agnhost (netexec, pause); gcr.io/google-samples/kubernetes-bootcamp (server.js); nginx; build/pause.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from k8slab.cri.network import Handler, HttpReply, HttpRequest
from k8slab.cri.process import FOREVER, Call, Exited, Program, Steps

_MIB = 1 << 20
_START = 0.05
"""Seconds from the start of a server to its listening."""


def _utc(when: float) -> datetime:
    return datetime.fromtimestamp(round(when, 6), UTC)


def _serve(call: Call, port: int, handler: Handler) -> None:
    listeners = call.machine.net.listeners
    if port in listeners:
        raise OSError(f"listen tcp :{port}: bind: address already in use")
    listeners[port] = handler


def _stop_serving(call: Call, *ports: int) -> None:
    for port in ports:
        call.machine.net.listeners.pop(port, None)


def _dies_of_term(call: Call, code: int, after: float = 0.01) -> None:
    # Only if it is the process itself: signals go to PID 1, and a shell that is PID 1 does not pass them on.
    if call.argv == call.process.argv:
        call.process.on_term = lambda now: call.process.end_at(now + after, code)


def _flag(argv: tuple[str, ...], name: str, default: str) -> str:
    """The value of `--name=value` or `--name value`."""
    for index, word in enumerate(argv):
        if word.startswith(f"--{name}="):
            return word.partition("=")[2]
        if word == f"--{name}" and index + 1 < len(argv):
            return argv[index + 1]
    return default


def agnhost(call: Call) -> Steps:
    """`agnhost COMMAND`: the image of Kubernetes' own tests, as far as tutorials use it."""
    command = call.argv[1] if len(call.argv) > 1 else "help"
    commands: dict[str, Program] = {"netexec": netexec, "serve-hostname": serve_hostname, "pause": agnhost_pause}
    if command not in commands:
        call.err(f'Error: unknown command "{command}" for "app"\nRun \'app --help\' for usage.\n')
        return 1
    return (yield from commands[command](call))


def agnhost_pause(call: Call) -> Steps:
    """`agnhost pause`: waits for a signal."""
    call.process.quiet = 1
    call.out("Paused\n")
    _dies_of_term(call, 2)
    yield FOREVER
    return 0


def _klog(call: Call) -> Callable[[str], None]:
    return lambda text: call.err(f"I{_utc(call.now):%m%d %H:%M:%S.%f}       1 log.go:195] {text}\n")


def netexec(call: Call) -> Steps:
    """`agnhost netexec`: an HTTP server that tells about itself."""
    call.process.quiet = 1
    _dies_of_term(call, 2)
    port, udp = int(_flag(call.argv, "http-port", "8080")), int(_flag(call.argv, "udp-port", "8081"))
    log, started, hostname = _klog(call), call.now, call.machine.hostname

    def answer(request: HttpRequest) -> HttpReply:
        log(f"{request.method} {request.path}")
        match request.path.lower():
            case "/":
                elapsed = f"{call.now - started:.9f}"
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

    yield _START
    try:
        _serve(call, port, answer)
        log(f"Started HTTP server on port {port}")
        # The address of the UDP listener is empty, so there are two spaces.
        log(f"Started UDP server on port  {udp}")
        yield FOREVER
    except OSError as error:
        call.err(f"panic: {error}\n")
        raise Exited(2) from None
    else:
        return 0
    finally:
        _stop_serving(call, port)


def serve_hostname(call: Call) -> Steps:
    """`agnhost serve-hostname`: answers every request with its host name."""
    call.process.quiet = 1
    _dies_of_term(call, 0)
    port, log = int(_flag(call.argv, "port", "9376")), _klog(call)
    log("Serving on port " + str(port))
    _serve(call, port, lambda request: HttpReply(200, call.machine.hostname.encode()))
    try:
        yield FOREVER
        return 0
    finally:
        _stop_serving(call, port)


def bootcamp(call: Call) -> Steps:
    """The Kubernetes Basics tutorial's server, which says where it runs and which version it is."""
    call.process.quiet = 1  # and no on_term: Node.js as PID 1 has no handler for SIGTERM
    hostname, version = call.env.get("HOSTNAME", call.machine.hostname), call.machine.version.removeprefix("v")
    requests = 0
    yield 0.2
    started = call.now

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

    try:
        _serve(call, 8080, answer)
        # console.log puts a space between its arguments, the last of which is a newline.
        call.out(f"Kubernetes Bootcamp App Started At: {stamp()} | Running On:  {hostname} \n\n")
        yield FOREVER
        return 0
    except OSError:
        call.err("Error: listen EADDRINUSE :::8080\n")
        raise Exited(1) from None
    finally:
        _stop_serving(call, 8080)


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
_WEB_ROOT = "/usr/share/nginx/html"


def docker_entrypoint(call: Call) -> Steps:
    """nginx's entrypoint script: configures, then becomes nginx."""
    call.process.quiet = 1
    call.out(_ENTRYPOINT_LINES)
    yield _START
    now = _utc(call.now)
    for line in (
        'using the "epoll" event method',
        f"nginx/{call.machine.version}",
        "start worker processes",
        "start worker process 29",
    ):
        call.err(f"{now:%Y/%m/%d %H:%M:%S} [notice] 1#1: {line}\n")
    return (yield from nginx(call))


def nginx(call: Call) -> Steps:
    """A web server that serves files from its document root, and logs each access."""
    call.process.quiet = 1
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

    try:
        _serve(call, 80, answer)
        yield FOREVER
        return 0
    except OSError:
        call.err("nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)\n")
        raise Exited(1) from None
    finally:
        _stop_serving(call, 80)


def pause(call: Call) -> Steps:
    """Holds the namespaces of a pod, and does nothing else."""
    call.process.quiet = 1
    _dies_of_term(call, 0)
    call.process.use_memory(_MIB // 2)
    yield FOREVER
    return 0


_UNITS = {"B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def _bytes(text: str) -> int:
    return int(float(text.rstrip("BKMG")) * _UNITS[text[-1]]) if text[-1:] in _UNITS else int(text)


def stress(call: Call) -> Steps:
    """`stress --vm 1 --vm-bytes 150M`: uses that much memory, for ever or for `--timeout` seconds."""
    workers, timeout = int(_flag(call.argv, "vm", "0")), float(_flag(call.argv, "timeout", "inf").rstrip("s"))
    call.out(f"stress: info: [1] dispatching hogs: 0 cpu, 0 io, {workers} vm, 0 hdd\n")
    call.process.use_memory(4 * _MIB + workers * _bytes(_flag(call.argv, "vm-bytes", "256M")))
    yield timeout
    call.out(f"stress: info: [1] successful run completed in {timeout:.0f}s\n")
    return 0


def leak(call: Call) -> Steps:
    """A program that never gives memory back: `leak --rate=8M` takes that much each second."""
    call.process.quiet = 1
    rate = _flag(call.argv, "rate", "8M")
    call.out(f"leaking {rate} a second\n")
    call.process.use_memory(4 * _MIB, _bytes(rate))
    yield FOREVER
    return 0


PROGRAMS: dict[str, dict[str, Program]] = {
    "agnhost": {"agnhost": agnhost},
    "bootcamp": {"node": bootcamp},
    "nginx": {"docker-entrypoint.sh": docker_entrypoint, "nginx": nginx},
    "pause": {"pause": pause},
    "stress": {"stress": stress},
    "leak": {"leak": leak},
    "busybox": {},
}
"""What each kind of image holds besides the shell's commands."""
