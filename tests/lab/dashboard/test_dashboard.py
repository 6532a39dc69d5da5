"""The dashboard over its line: a page without a browser."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from k8slab.lab.cluster import Cluster
from k8slab.lab.dashboard import open_dashboard
from k8slab.lab.widgets.patches import apply
from tests.eventually import eventually

from .conftest import deploy, on_a_page, opened, token_of


def open_sockets() -> int:
    links = (os.readlink(each) for each in Path("/proc/self/fd").iterdir() if each.exists())
    return sum(link.startswith("socket:") for link in links)


def test_a_patch_leads_from_the_state_to_what_is_now(cluster, dashboard):
    async def visit(page) -> None:
        state = await page.state("objects")
        assert not any(row["kind"] == "ConfigMap" for row in state["rows"])
        cluster.client.raw("POST", "/api/v1/namespaces/default/configmaps", body={"metadata": {"name": "new"}})
        cluster.run_until_idle()
        while not any(row["kind"] == "ConfigMap" for row in state["rows"]):
            said = await page.hear(lambda said: said.get("message", {}).get("type") == "patch")
            assert said["message"]["from"] == state["rev"]
            state = apply(state, said["message"]) | {"rev": said["message"]["rev"]}

    on_a_page(dashboard, visit)


def test_a_message_is_answered(cluster, dashboard):
    async def visit(page) -> None:
        await page.state("controls")
        await page.say("controls", message={"type": "step", "n": 7})
        answer = await page.hear(lambda said: said.get("message", {}).get("n") == 7)
        assert answer["message"]["type"] == "done"
        await page.say("controls", message={"type": "goto", "n": 8, "step": 10**6})
        answer = await page.hear(lambda said: said.get("message", {}).get("n") == 8)
        assert answer["message"]["type"] == "error"

    before = cluster.steps
    on_a_page(dashboard, visit)
    assert cluster.steps > before


def test_two_pages_and_the_notebook_choose_together(cluster, dashboard):
    async def go() -> None:
        async with opened(dashboard) as one, opened(dashboard) as other:
            await one.state("objects")
            await other.state("why")
            await one.say("objects", message={"type": "select", "id": "Deployment/default/web"})
            told = await other.hear(lambda said: "selected" in said.get("message", {}).get("set", {}))
            assert told["message"]["set"]["selected"] == cluster.selection.selected == "Deployment/default/web"

    asyncio.run(go())


def test_a_live_cluster_shows_a_new_pod_within_two_seconds():
    with Cluster(nodes=1, mode="live") as cluster, open_dashboard(cluster) as dashboard:

        async def visit(page) -> None:
            state = await page.state("controls")
            assert "cannot be stepped" in state["cannot"]["back"]
            await page.state("objects")
            deploy(cluster)
            async with asyncio.timeout(2):
                await page.hear(lambda said: '"Pod/default/web-' in str(said).replace("'", '"'))

        on_a_page(dashboard, visit)


def test_time_goes_on_where_nothing_else_happens():
    with Cluster(nodes=0, mode="live") as cluster, open_dashboard(cluster) as dashboard:

        async def visit(page) -> None:
            await page.state("controls")
            async with asyncio.timeout(5):
                await page.hear(lambda said: "time" in said.get("message", {}).get("set", {}))

        on_a_page(dashboard, visit)


def test_a_cluster_never_waits_for_a_page(cluster, dashboard):
    """A page that reads nothing, while thousands of things change: what is told of them is gathered."""

    async def visit(page) -> None:
        for name in ("controls", "view", "objects"):
            await page.state(name)
        await asyncio.to_thread(cluster.run_for, "1h")
        await page.say("controls", message={"type": "step", "n": 1})
        patches = 0
        while (said := await page.hear(lambda said: "message" in said))["message"]["type"] != "done":
            patches += said["message"]["type"] == "patch"
        assert patches < 100

    on_a_page(dashboard, visit)


def test_closing_leaves_no_thread_and_no_socket(cluster):
    threads, sockets = set(threading.enumerate()), open_sockets()
    dashboard = open_dashboard(cluster)

    async def visit(page) -> None:
        await page.state("view")
        await asyncio.to_thread(dashboard.close)
        assert (await page.line.receive()).data == 1001

    on_a_page(dashboard, visit)
    dashboard.close()
    assert set(threading.enumerate()) == threads
    assert eventually(lambda: open_sockets() == sockets)
    cluster.run_for("60s")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", urlsplit(dashboard.address).port)) != 0


def test_what_a_notebook_stores_as_text_has_no_token(dashboard):
    assert dashboard.address in repr(dashboard)
    assert token_of(dashboard) not in repr(dashboard) + str(dashboard)
    assert dashboard.url in dashboard._repr_html_()
    dashboard.close()
    assert repr(dashboard) == "<Dashboard, closed>"
    assert dashboard._repr_html_() == "The dashboard is closed."


def test_a_browser_is_opened_only_if_asked_for(cluster, monkeypatch):
    asked = []
    monkeypatch.setattr("webbrowser.open", lambda url: asked.append(url) or True)
    open_dashboard(cluster).close()
    assert asked == []
    with open_dashboard(cluster, browser=True) as dashboard:
        assert asked == [dashboard.url]


def test_a_dashboard_that_nobody_opens_loads_no_widgets():
    code = (
        "import sys; from k8slab.lab.cluster import Cluster; from k8slab.lab.dashboard import open_dashboard\n"
        "with Cluster(nodes=0) as cluster, open_dashboard(cluster): print('ipywidgets' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("times", [1, 2])
def test_it_can_be_closed_again(cluster, times):
    dashboard = open_dashboard(cluster)
    for _ in range(times):
        dashboard.close()
