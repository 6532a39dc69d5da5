"""A connection of one's own, to a server of the standard library that stands for a Pod."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from k8slab.cri import direct_dial
from k8slab.cri.direct_dial import dial_directly


class Echo(BaseHTTPRequestHandler):
    """Says what it was asked."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        said = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = f"{self.command} {self.path} {self.headers['Host']} {self.headers['X-Note']} ".encode() + said
        self.send_response(201)
        self.send_header("content-type", "text/echo")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Keep-Alive", "timeout=5")
        self.send_header("x-many", "1")
        self.send_header("x-many", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_HEAD = answer  # noqa: N815

    def log_message(self, *args):
        pass


@pytest.fixture
def port():
    server = HTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def listener(says: bytes | None = None):
    """Takes a connection, says something or nothing, and hangs up unless it has nothing to say."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = []

        def serve():
            taken.append(server.accept()[0])
            if says is not None:
                taken[0].recv(4096)
                taken[0].sendall(says)
                taken[0].close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()
        taken[0].close()


def ask(port, method="GET", target="/", headers=None, body=b"", timeout=20.0):
    return dial_directly(timeout)("127.0.0.1", port, method, target, headers or {}, body)


def test_an_answer_comes_with_its_code_and_its_own_headers(port):
    found = ask(port)
    assert (found.code, found.content_type) == (201, "text/echo")
    assert found.headers["X-Many"] == "1, 2"
    assert not {"Keep-Alive", "Content-Length", "Content-Type"} & set(found.headers)


def test_the_request_goes_as_it_came(port):
    headers = {"host": "web.example", "x-note": "é", "content-length": "999"}
    said = ask(port, "POST", "/a%20b?c=d", headers, b"body").body
    assert said == "POST /a%20b?c=d web.example Ã© body".encode()


def test_head_keeps_the_length_of_the_body_that_does_not_come(port):
    found = ask(port, "HEAD")
    assert found.body == b""
    assert int(found.headers["Content-Length"]) > 10


def test_an_answer_that_is_too_large_is_not_passed_on(port, monkeypatch):
    monkeypatch.setattr(direct_dial, "MAX_ANSWER", 5)
    with pytest.raises(OSError, match="larger than the 5 bytes"):
        ask(port)


def test_a_closed_port_refuses():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(OSError, match=f"^dial tcp 127.0.0.1:{port}: connect: connection refused$"):
        ask(port)


@pytest.mark.parametrize(
    ("says", "text"),
    [
        (b"", "^EOF$"),
        (b"nonsense\r\n", "^net/http: HTTP/1.x transport connection broken: nonsense"),
        (None, "^read tcp 127.0.0.1:[0-9]+: i/o timeout$"),
    ],
)
def test_what_goes_wrong_is_said_in_gos_words(says, text):
    with listener(says) as port, pytest.raises(OSError, match=text):
        ask(port, timeout=0.2 if says is None else 20.0)


def test_it_takes_real_time():
    assert dial_directly().waits
