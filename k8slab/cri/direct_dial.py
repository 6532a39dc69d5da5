"""Asking a Pod at its address, over a connection of its own: for real containers, whose addresses this machine reaches.

It takes real time, at most the timeout for each wait, and reads no more than `MAX_ANSWER` bytes. It is the only module
that imports `http.client`: where Pods are simulated, nobody has to load it.

Whatever goes wrong is an OSError in Go's words, because the API server's answer quotes it.

Models: net (Dialer), net/http (Transport), as far as their error texts go.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from functools import partial

from k8slab.apimachinery.rest import Response
from k8slab.cri.dial import Dialer

TIMEOUT = 30.0
MAX_ANSWER = 32 * 1024 * 1024
OPAQUE = "application/octet-stream"
LENGTH = "content-length"
NOT_PASSED_ON = frozenset({"connection", "content-type", "keep-alive", "trailer", "transfer-encoding", "upgrade"})
"""Headers of an answer that are the connection's, or have a place of their own in a Response."""


def dial_directly(timeout: float = TIMEOUT) -> Dialer:
    """Ask Pods at their addresses; `timeout` is real seconds for the connection, and for each wait after it."""
    return Dialer(partial(_ask, timeout), waits=True)


def _ask(
    timeout: float, ip: str, port: int, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> Response:
    connection = http.client.HTTPConnection(ip, port, timeout=timeout)
    try:
        _connect(connection)
        # As bytes, for a header may hold any; without the length, for the client counts it.
        sent = {name: value.encode(errors="surrogateescape") for name, value in headers.items() if name != LENGTH}
        connection.request(method, target, body or None, sent)
        return _answer(connection.getresponse(), method)
    except TimeoutError:
        raise TimeoutError(f"read tcp {ip}:{port}: i/o timeout") from None
    except http.client.RemoteDisconnected:
        raise ConnectionError("EOF") from None
    except ConnectionResetError:
        raise ConnectionError(f"read tcp {ip}:{port}: read: connection reset by peer") from None
    except http.client.HTTPException as error:
        raise ConnectionError(f"net/http: HTTP/1.x transport connection broken: {error}") from None
    finally:
        connection.close()


def _connect(connection: http.client.HTTPConnection) -> None:
    where = f"dial tcp {connection.host}:{connection.port}"
    try:
        connection.connect()
    except TimeoutError:
        raise ConnectionError(f"{where}: i/o timeout") from None
    except OSError as error:
        raise ConnectionError(f"{where}: connect: {(error.strerror or str(error)).lower()}") from None


def _answer(found: http.client.HTTPResponse, method: str) -> Response:
    body = found.read(MAX_ANSWER + 1)
    if len(body) > MAX_ANSWER:
        raise ConnectionError(f"the answer is larger than the {MAX_ANSWER} bytes that k8slab passes on")
    headers: dict[str, str] = {}
    for name, value in found.getheaders():
        # A length is counted again, but for HEAD, where it is that of a body which did not come.
        if name.lower() in NOT_PASSED_ON or (name.lower() == LENGTH and method != "HEAD"):
            continue
        name, value = name.title(), " ".join(value.splitlines())
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Response(found.status, body=body, content_type=found.getheader("Content-Type", OPAQUE), headers=headers)
