import asyncio
import json
import threading

import pytest
from aiohttp import web

from k8slab.apimachinery.errors import NotFound, ServiceUnavailable, Timeout
from k8slab.apimachinery.rest import STDERR, STDOUT, Request
from k8slab.client.client import Client
from k8slab.client.https import Https, connect
from k8slab.client.kubeconfig import Credentials, KubeconfigError, config_of, write
from tests.eventually import eventually

GONE = {"kind": "Status", "status": "Failure", "reason": "NotFound", "message": 'pods "x" not found', "code": 404}


class Server:
    """A few pages that behave like an API server, and worse."""

    def __init__(self):
        self.seen = []
        self.sent = 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.port = self.call(self.start())
        self.url = f"http://127.0.0.1:{self.port}"

    def call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    async def start(self):
        app = web.Application()
        for path in ("echo", "watch", "flood", "broken", "log", "slow", "proxy", "exec", "missing"):
            app.router.add_route("*", f"/{path}", getattr(self, path))
        self.runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        return site._server.sockets[0].getsockname()[1]

    def stop(self):
        self.call(self.runner.cleanup())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def echo(self, request):
        self.seen.append(request.transport.get_extra_info("peername"))
        body = (await request.read()).decode()
        found = {"method": request.method, "query": request.query_string, "body": body, "path": request.raw_path}
        return web.json_response(found | {"headers": {k.lower(): v for k, v in request.headers.items()}}, status=201)

    async def stream(self, request, lines):
        response = web.StreamResponse(headers={"content-type": "application/json"})
        await response.prepare(request)
        for line in lines:
            await response.write(line)
            self.sent += 1
        return response

    async def watch(self, request):
        events = [{"type": "ADDED", "object": {"metadata": {"resourceVersion": str(n)}}} for n in range(3)]
        text = "".join(json.dumps(event) + "\n" for event in events).encode()
        return await self.stream(request, [text[:30], text[30:100], text[100:]])  # cut anywhere

    async def flood(self, request):
        event = json.dumps({"type": "ADDED", "object": {"pad": "x" * 10_000}}).encode() + b"\n"
        return await self.stream(request, (event for _ in range(20_000)))

    async def broken(self, request):
        return await self.stream(request, [b'{"type": "ADDED", "object": {}}\n', b'{"type": "ADD'])

    async def log(self, request):
        return await self.stream(request, [b"hello ", b"world\n"])

    async def slow(self, request):
        await asyncio.sleep(60)

    async def proxy(self, request):
        return web.Response(status=502, text="bad gateway")

    async def missing(self, request):
        return web.json_response(GONE, status=404)

    async def exec(self, request):
        if "missing" in request.query:
            return web.json_response(GONE, status=404)
        socket = web.WebSocketResponse(protocols=["v5.channel.k8s.io"])
        await socket.prepare(request)
        async for message in socket:
            if message.data[0] == 255:
                await socket.send_bytes(b"\x02bye")
                await socket.send_bytes(b'\x03{"status": "Success"}')
                await socket.close()
            else:
                await socket.send_bytes(b"\x01" + message.data[1:].upper())
        return socket


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def transport(server):
    transport = Https(server.url, token="secret")
    yield transport
    transport.close()


def all_of(cursor):
    """Everything that a watch or a stream brings."""
    found = []
    assert eventually(lambda: found.extend(cursor.poll()) or cursor.closed)
    return found


def test_a_request_arrives_as_it_was_meant(transport):
    query = {"labelSelector": ["a in (b,c)"], "x": ["1", "2"]}
    answer = transport.send(Request("PATCH", "/echo", query, {"content-type": "application/json"}, {"a": 1}))
    assert answer.code == 201
    assert answer.object["method"] == "PATCH"
    assert answer.object["query"] == "labelSelector=a in (b,c)&x=1&x=2"
    assert answer.object["body"] == '{"a":1}'
    assert answer.object["headers"]["authorization"] == "Bearer secret"


def test_connections_are_kept_alive(server, transport):
    server.seen.clear()
    for _ in range(5):
        transport.send(Request("GET", "/echo"))
    assert len(set(server.seen)) == 1


def test_an_error_is_an_answer_and_the_client_raises_it(transport):
    assert transport.send(Request("GET", "/missing")).object == GONE
    with pytest.raises(NotFound, match="not found"):
        Client(transport).raw("GET", "/missing")


def test_an_error_that_is_no_status_is_made_one(transport):
    answer = transport.send(Request("GET", "/proxy"))
    assert (answer.code, answer.object["kind"], answer.object["message"]) == (502, "Status", "bad gateway")


def test_a_watch_brings_events_in_order_and_ends(transport):
    woken = []
    request = Request("GET", "/watch", {"watch": ["true"]}, wake=lambda: woken.append(1))
    events = all_of(transport.send(request).watch)
    assert [(event.type, event.revision) for event in events] == [("ADDED", 0), ("ADDED", 1), ("ADDED", 2)]
    assert len(woken) == 4


def test_a_watch_that_breaks_off_is_closed(transport):
    watch = transport.send(Request("GET", "/broken", {"watch": ["true"]})).watch
    assert [event.type for event in all_of(watch)] == ["ADDED"]


def test_a_watch_that_is_refused_is_an_answer(transport):
    answer = transport.send(Request("GET", "/missing", {"watch": ["true"]}))
    assert (answer.code, answer.watch, answer.object) == (404, None, GONE)


def test_a_slow_reader_slows_the_server(server, transport):
    server.sent = 0
    watch = transport.send(Request("GET", "/flood", {"watch": ["true"]})).watch
    assert eventually(lambda: len(watch._items) == 1000)
    assert server.sent < 15_000
    watch.close()
    watch.close()
    assert watch.closed


def test_a_log_is_followed(transport):
    stream = transport.send(Request("GET", "/log", {"follow": ["true"]})).stream
    assert b"".join(data for _, data in all_of(stream)) == b"hello world\n"


def test_a_log_that_is_not_followed_is_a_body(transport):
    assert transport.send(Request("GET", "/log")).body == b"hello world\n"


def test_an_exec_session_has_channels(transport):
    stream = transport.send(Request("GET", "/exec", {"command": ["cat"]})).stream
    stream.send(0, b"hello")
    stream.close_stdin()
    assert all_of(stream) == [(STDOUT, b"HELLO"), (STDERR, b"bye"), (3, b'{"status": "Success"}')]
    stream.send(0, b"nobody there")


def test_an_exec_that_is_refused_is_an_answer(transport):
    assert transport.send(Request("GET", "/exec", {"missing": ["1"]})).object == GONE


def test_who_does_not_answer_is_unavailable():
    transport = Https("http://127.0.0.1:1")
    with pytest.raises(ServiceUnavailable, match="connection to the server"):
        transport.send(Request("GET", "/echo"))
    transport.close()


def test_who_takes_too_long_is_a_timeout(server):
    transport = Https(server.url, timeout=0.05)
    with pytest.raises(Timeout):
        transport.send(Request("GET", "/slow"))
    transport.close()


def test_closing_ends_watches_and_requests(server):
    transport = Https(server.url)
    watch = transport.send(Request("GET", "/flood", {"watch": ["true"]})).watch
    transport.close()
    transport.close()
    all_of(watch)
    with pytest.raises(ServiceUnavailable, match="was closed"):
        transport.send(Request("GET", "/echo"))


def test_certificates_that_are_none_are_refused(tmp_path):
    path = tmp_path / "config"
    write(path, config_of("lab", "https://127.0.0.1:1", Credentials(b"CA", b"CERT", b"KEY")))
    with pytest.raises(KubeconfigError, match="can't be used"):
        connect(path)


def test_closing_an_unused_transport_starts_nothing():
    threads = threading.active_count()
    Https("http://127.0.0.1:1").close()
    assert threading.active_count() == threads
