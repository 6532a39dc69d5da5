"""etcd's v3 API, by its JSON gateway: one HTTP request each, and one stream for watches.

The gateway is etcd's own: the same messages as over gRPC, as JSON, with keys and values in base64 and numbers as text. So
the standard library is enough. Only addresses of this machine are taken, unless the connection is TLS.

What goes wrong is told in etcd's words, as an upstream API server's client says them: see `unavailable`.

Models: etcd's api/etcdserverpb/rpc.proto and rpc.pb.gw.go, client/v3.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from k8slab.etcd.messages import Message, text, whole_range
from k8slab.etcd.store import LeaseNotFound, StoreError, StoreUnavailable

REQUEST_TIMEOUT = 5.0
"""Seconds that a request may take."""
CHECK_TIMEOUT = 2.0
"""Seconds that a health check may take, as upstream's."""
UNAVAILABLE = 14
"""gRPC's code for: not now."""

Broken = (OSError, http.client.HTTPException)
"""What a connection that does not work raises."""


class Refused(Exception):
    """etcd's answer is an error: `message` in its words, `code` gRPC's."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code

    @property
    def compacted(self) -> bool:
        """Whether a revision is gone."""
        return "has been compacted" in str(self)

    @property
    def future(self) -> bool:
        """Whether a revision is not there yet."""
        return "is a future revision" in str(self)


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM: who may have signed etcd's certificate, and who this client is."""

    ca: str
    certificate: str = ""
    key: str = ""

    def context(self) -> ssl.SSLContext:
        """For connections. Raises OSError, ssl.SSLError."""
        context = ssl.create_default_context(cafile=self.ca)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key or None)
        return context


class EtcdClient:
    """Asks one etcd: `http://127.0.0.1:2379`. Thread-safe; requests go one by one."""

    def __init__(self, url: str, tls: Tls | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise StoreError(f"{url!r} is no address of an etcd; write for example http://127.0.0.1:2379")
        if parts.scheme == "http" and not _is_local(parts.hostname):
            raise StoreError(f"{url}: without TLS only an etcd on this machine is asked; use https:// and certificates")
        self.url = url
        self._host, self._port = parts.hostname, parts.port or 2379
        self._context = (tls.context() if tls else ssl.create_default_context()) if parts.scheme == "https" else None
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, path: str, message: Message, timeout: float = REQUEST_TIMEOUT) -> Message:
        """The answer to a request. Raises Refused, StoreUnavailable: then nobody knows whether it was carried out."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect(timeout)
                sent = self._connection
                if sent.sock is not None:
                    sent.sock.settimeout(timeout)
                sent.request("POST", path, orjson.dumps(message), {"Content-Type": "application/json"})
                with sent.getresponse() as response:
                    body = response.read()
                return _checked(response.status, body)
            except Broken as fault:
                self._drop()
                raise self.unavailable(fault) from None

    def check(self) -> None:
        """Whether etcd answers. Raises StoreUnavailable."""
        self.ask("/v3/kv/range", {"key": text("/registry/health"), "count_only": True}, CHECK_TIMEOUT)

    def forget(self) -> None:
        """The connection is known to be broken: the next request makes another."""
        with self._lock:
            self._drop()

    def watch(self, start: int) -> WatchStream:
        """All changes from a revision on. Raises StoreUnavailable."""
        connection = self._connect(REQUEST_TIMEOUT)
        request = {"create_request": {**whole_range(""), "start_revision": str(start)}}
        try:
            connection.connect()
            sock = connection.sock
            connection.request("POST", "/v3/watch", orjson.dumps(request), {"Content-Type": "application/json"})
            response = connection.getresponse()
            sock.settimeout(None)  # a quiet watch is none that failed
        except Broken as fault:
            connection.close()
            raise self.unavailable(fault) from None
        return WatchStream(sock, response)

    def unavailable(self, fault: BaseException) -> StoreUnavailable:
        """A broken connection, in the words of gRPC's client."""
        if isinstance(fault, TimeoutError):
            return StoreUnavailable("context deadline exceeded", timed_out=True)
        where = f"{self._host}:{self._port}"
        if isinstance(fault, ConnectionRefusedError):
            why = f'connection error: desc = "transport: Error while dialing: dial tcp {where}: connect: connection refused"'
        else:
            why = "error reading from server: EOF"
        return StoreUnavailable(f"rpc error: code = Unavailable desc = {why}")

    def close(self) -> None:
        """Close the connection. Safe to call twice."""
        self.forget()

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        if self._context is not None:
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._context)
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class WatchStream:
    """The messages of one watch, one a line."""

    def __init__(self, sock: socket.socket, response: http.client.HTTPResponse) -> None:
        self._socket, self._response = sock, response
        self.compacted = 0
        """Where history begins, if etcd refused to watch from before it."""

    def __iter__(self) -> Iterator[Message]:
        """Each message as it comes. Raises what a broken connection raises; ends when the watch was cancelled."""
        for line in self._response:
            if not line.strip():
                continue
            message = orjson.loads(line)
            if "error" in message:
                raise http.client.HTTPException(str(message["error"]))
            result = message["result"]
            if result.get("canceled"):
                self.compacted = int(result.get("compact_revision", 0))
                return
            yield result
        raise ConnectionResetError

    def stop(self) -> None:
        """End it, from any thread: whoever reads it comes to its end."""
        with suppress(OSError):  # it is gone already
            # Not as TLS would end it: that is for the thread that reads.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Let the connection go, when nobody reads it any more."""
        self._response.close()
        self._socket.close()


def _checked(status: int, body: bytes) -> Message:
    """The message of an answer. Raises Refused, LeaseNotFound, StoreUnavailable."""
    message: Message = orjson.loads(body)
    if status == 200 and "error" not in message:
        return message
    code, why = int(message.get("code", 0)), str(message.get("message") or message.get("error"))
    if "lease not found" in why:
        raise LeaseNotFound(why.removeprefix("etcdserver: "))
    if code == UNAVAILABLE or "timed out" in why or "space exceeded" in why:
        raise StoreUnavailable(why)
    raise Refused(why, code)


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# Keys, values and ranges, as messages have them.
