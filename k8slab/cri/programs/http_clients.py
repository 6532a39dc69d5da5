"""`curl` and `wget`, against simulated servers.

k8slab's own.
"""

from __future__ import annotations

import posixpath
import re
from urllib.parse import urlsplit

from k8slab.cri.network import LOOPBACK, HttpReply, HttpRequest
from k8slab.cri.process import Call, Program, Steps
from k8slab.cri.programs.arguments import absolute, option_letters, plain_words


def curl(call: Call) -> Steps:
    """`curl [-s] URL`: asks a program in this pod, or in another one by its address."""
    flags, url = (
        option_letters(call),
        next((word for word in plain_words(call) if "." in word or ":" in word or "local" in word), ""),
    )
    reply, where = _fetch(call, url, "curl/7.88.1")
    if reply is None:
        code, what = (7, "Failed to connect to") if where else (6, "Could not resolve host:")
        call.err(f"curl: ({code}) {what} {where or urlsplit(url).hostname or url}\n")
        return code
    if "I" in flags or "i" in flags:
        server = f"Server: {reply.server}\r\n" if reply.server else ""
        call.out(f"HTTP/1.1 {reply.status} {'OK' if reply.status == 200 else 'Not Found'}\r\n{server}\r\n")
    if "I" not in flags:
        call.write(1, reply.body)
    if "f" in flags and reply.status >= 400:
        return 22
    return 0
    yield


def wget(call: Call) -> Steps:
    """`wget -qO- URL`."""
    url = next((word for word in reversed(plain_words(call)) if word != "-"), "")
    reply, where = _fetch(call, url, "Wget")
    if reply is None:
        why = (
            f"can't connect to remote host ({where.partition(' ')[0]}): Connection refused" if where else "bad address"
        )
        call.err(f"wget: {why}\n" if where else f"wget: {why} '{urlsplit(url).hostname or url}'\n")
        return 1
    if reply.status >= 400:
        call.err(f"wget: server returned error: HTTP/1.1 {reply.status} Not Found\n")
        return 1
    if "O" in option_letters(call):
        call.write(1, reply.body)
    else:
        call.machine.files.write(absolute(call, posixpath.basename(urlsplit(url).path) or "index.html"), reply.body)
    return 0
    yield


def _fetch(call: Call, url: str, agent: str) -> tuple[HttpReply | None, str]:
    """The reply, or None and the address that did not answer (empty: nobody has that name)."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host, port = parts.hostname or "", parts.port or 80
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = host in LOOPBACK or host == call.machine.net.ip
    request = HttpRequest("GET", target, "127.0.0.1" if own else call.machine.net.ip, agent)
    shown = f"{'127.0.0.1' if host in LOOPBACK else host} port {port}"
    try:
        if own or host == call.machine.hostname:
            return call.machine.net.request(port, request), shown
        if not re.fullmatch(r"[0-9.]+|[0-9a-f:]+", host):
            return None, ""
        return call.machine.network.request(host, port, request), shown
    except OSError:
        return None, shown


COMMANDS: dict[str, Program] = {
    "curl": curl,
    "wget": wget,
}
