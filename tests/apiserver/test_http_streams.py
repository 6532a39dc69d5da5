"""What goes on over HTTPS: watches, asked with the standard library's client, and sessions, by WebSocket with aiohttp's."""

from __future__ import annotations

import asyncio
import http.client
import json

import aiohttp
import pytest

from k8slab.apimachinery.rest import ERROR, STDIN, STDOUT, Response
from k8slab.apiserver.http import HttpServer
from tests.apiserver.harness import MAPS, config_map
from tests.eventually import eventually


def test_a_watch_streams_lines_and_ends_with_its_client(front, connect, api):
    connection = connect()
    connection.request("GET", f"{MAPS}?watch=1&resourceVersion={api.store.revision}")
    response = connection.getresponse()
    assert response.getheader("Content-Type") == "application/json;stream=watch"
    assert front.open_streams == 1
    api.do("POST", MAPS, config_map())
    assert json.loads(response.readline())["type"] == "ADDED"
    assert eventually(lambda: not front.pending())
    response.close()
    connection.close()
    assert eventually(lambda: front.open_streams == 0 and api.server.watches.open_watches == 0)


def test_a_watch_of_tables_sends_columns_once(connect, api):
    connection = connect()
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    connection.request("GET", f"{MAPS}?watch=1&resourceVersion={api.store.revision}", headers=accept)
    response = connection.getresponse()
    for name in ("a", "b"):
        api.do("POST", MAPS, config_map(name))
    tables = [json.loads(response.readline())["object"] for _ in range(2)]
    assert [table["kind"] for table in tables] == ["Table", "Table"]
    assert [bool(table.get("columnDefinitions")) for table in tables] == [True, False]


class Echo:
    """A session that gives back what it is sent, until its input ends."""

    def __init__(self):
        self.found, self.closed, self.stdin_open = [], False, True

    def poll(self):
        found, self.found = self.found, []
        if not self.stdin_open:
            self.closed = True
        return found

    def send(self, channel, data):
        self.found.append((STDOUT, data.upper()))

    def close_stdin(self):
        self.stdin_open = False
        self.found.append((ERROR, b'{"status":"Success"}'))

    def close(self):
        self.closed = True


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "v4.channel.k8s.io"])
def test_a_session_over_websocket(pki, api, context, protocol, as_text):
    session = Echo()
    front = HttpServer(lambda request, reply: reply(Response(101, stream=session)), pki, api.clock)
    front.start()

    async def talk():
        url = f"https://127.0.0.1:{front.port}/exec"
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(url, protocols=[protocol], ssl=context) as socket,
        ):
            assert socket.protocol == protocol
            if as_text:  # as the official Python client does
                await socket.send_str(chr(STDIN) + "hello")
            else:
                await socket.send_bytes(bytes([STDIN]) + b"hello")
            said = [await socket.receive_bytes()]
            await socket.send_bytes(bytes([255, STDIN]))
            said.append(await socket.receive_bytes())
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        await asyncio.to_thread(front.stop)
        return said

    try:
        assert asyncio.run(talk()) == [bytes([STDOUT]) + b"HELLO", bytes([ERROR]) + b'{"status":"Success"}']
        assert eventually(lambda: session.closed and front.open_streams == 0)
    finally:
        front.stop()


def test_a_session_without_websocket_is_refused(pki, api, context):
    front = HttpServer(lambda request, reply: reply(Response(101, stream=Echo())), pki, api.clock)
    front.start()
    connection = http.client.HTTPSConnection("127.0.0.1", front.port, context=context, timeout=20)
    connection.request("POST", "/exec")
    assert b"unable to upgrade" in connection.getresponse().read()
    connection.close()
    front.stop()
