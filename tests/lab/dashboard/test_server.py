from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from k8slab.lab.dashboard import open_dashboard
from k8slab.lab.dashboard.guard import BEARER, HEADERS, PROTOCOL
from k8slab.lab.dashboard.server import MAX_PAGES

from .conftest import opened, token_of

FILES = ["/", "/dashboard.js", "/dashboard.css", "/line.js", "/icon.svg", "/widgets.css", "/widgets/graph.js"]


def get(dashboard, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    async def go():
        async with (
            ClientSession() as session,
            session.request(method, dashboard.address.rstrip("/") + path, headers=headers) as answer,
        ):
            return answer.status, dict(answer.headers), await answer.text()

    return asyncio.run(go())


def bearer(dashboard) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(dashboard)}"}


def handshake(dashboard, origin: str, *protocols: str) -> int:
    async def go() -> int:
        async with ClientSession() as session:
            with pytest.raises(WSServerHandshakeError) as refused:
                await session.ws_connect(f"{dashboard.address}line", protocols=protocols, headers={"Origin": origin})
            return refused.value.status

    return asyncio.run(go())


@pytest.mark.parametrize("path", FILES)
def test_the_pages_files_are_for_everybody_and_carry_the_headers(dashboard, path):
    status, headers, text = get(dashboard, path)
    assert status == 200
    assert text
    assert headers.items() >= HEADERS.items()
    assert token_of(dashboard) not in text


@pytest.mark.parametrize("path", ["/about", "/line", "/ports/1"])
def test_nothing_of_the_cluster_is_told_without_the_token(dashboard, path):
    status, headers, text = get(dashboard, path, "POST" if "ports" in path else "GET")
    assert status in (401, 403)
    assert headers.items() >= HEADERS.items()
    assert "lab" not in text.replace("k8slab", "")


def test_a_wrong_token_is_none(dashboard):
    assert get(dashboard, "/about", Authorization="Bearer 0")[0] == 401
    assert get(dashboard, f"/about?token={token_of(dashboard)}")[0] == 401


def test_with_the_token_it_says_what_it_shows(dashboard):
    status, _, text = get(dashboard, "/about", **bearer(dashboard))
    assert status == 200
    assert '"runtime": "simulated"' in text


@pytest.mark.parametrize("path", ["/", "/about", "/line", "/nothing"])
def test_another_host_is_misdirected_whatever_it_asks_for(dashboard, path):
    assert get(dashboard, path, Host="evil.example", **bearer(dashboard))[0] == 421


@pytest.mark.parametrize(
    "path", ["/nothing", "/../guard.py", "/widgets/../line.js/x", "/widgets/common.js", "/%2e%2e/x"]
)
def test_there_is_nothing_else(dashboard, path):
    assert get(dashboard, path)[0] == 404


def test_the_line_needs_our_origin_and_the_token(dashboard):
    ours, key = dashboard.address.rstrip("/"), BEARER + token_of(dashboard)
    assert handshake(dashboard, "http://evil.example", PROTOCOL, key) == 403
    assert handshake(dashboard, ours, PROTOCOL) == 401
    assert handshake(dashboard, ours, PROTOCOL, BEARER + "0") == 401


def test_the_answer_to_the_line_does_not_repeat_the_token(dashboard):
    async def go() -> None:
        async with opened(dashboard) as page:
            assert page.line.protocol == PROTOCOL

    asyncio.run(go())


def test_it_listens_on_one_address_of_this_machine_only(dashboard):
    """Whoever listens on all addresses is reached by 127.0.0.2, too."""
    port = urlsplit(dashboard.address).port
    with socket.socket() as elsewhere, socket.create_connection(("127.0.0.1", port), 2):
        elsewhere.settimeout(2)
        assert elsewhere.connect_ex(("127.0.0.2", port)) != 0


def test_a_further_port_is_listened_on_when_asked_for(dashboard):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert get(dashboard, f"/ports/{port}", "POST", **bearer(dashboard))[0] == 200
    assert get(dashboard, f"/ports/{port}", "POST", **bearer(dashboard))[0] == 200
    with socket.create_connection(("127.0.0.1", port), 2):
        pass


def test_a_port_that_is_taken_is_refused_with_a_sentence(dashboard):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, _, text = get(dashboard, f"/ports/{port}", "POST", **bearer(dashboard))
    assert status == 409
    assert text.startswith(f"Cannot listen on port {port}")


def test_more_pages_than_it_serves_are_refused(dashboard):
    async def go() -> None:
        async with AsyncExitStack() as pages:
            for _ in range(MAX_PAGES):
                await pages.enter_async_context(opened(dashboard))
            with pytest.raises(WSServerHandshakeError) as refused:
                await pages.enter_async_context(opened(dashboard))
            assert refused.value.status == 503

    asyncio.run(go())


def test_a_port_that_is_taken_from_the_beginning_leaves_nothing_behind(cluster, dashboard):
    before = set(threading.enumerate())
    with pytest.raises(OSError, match="ddress already in use"):
        open_dashboard(cluster, urlsplit(dashboard.address).port)
    assert set(threading.enumerate()) == before
