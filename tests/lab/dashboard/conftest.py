"""A small cluster with a Deployment, its dashboard, and a page that is opened without a browser."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from k8slab.lab.cluster import Cluster
from k8slab.lab.dashboard import Dashboard, open_dashboard
from k8slab.lab.dashboard.guard import BEARER, PROTOCOL

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "nginx", "image": "nginx"}]},
        },
    },
}


def deploy(cluster: Cluster) -> None:
    cluster.client.raw("POST", "/apis/apps/v1/namespaces/default/deployments", body=deepcopy(DEPLOYMENT))


@pytest.fixture
def cluster():
    with Cluster(nodes=1, seed=1) as cluster:
        deploy(cluster)
        cluster.run_until_idle()
        yield cluster


@pytest.fixture
def dashboard(cluster):
    with open_dashboard(cluster) as dashboard:
        yield dashboard


class OpenPage:
    """What a browser's page does with its line."""

    def __init__(self, line) -> None:
        self.line = line

    async def say(self, name: str, **said: object) -> None:
        await self.line.send_str(json.dumps({"to": name, **said}))

    async def hear(self, wanted: Callable[[dict], object]) -> dict:
        """The next thing that is wanted; what comes before is passed over."""
        async with asyncio.timeout(10):
            while True:
                said = json.loads((await self.line.receive()).data)
                if wanted(said):
                    return said

    async def state(self, name: str) -> dict:
        """Have a view shown; its state."""
        await self.say(name, seen=True)
        return (await self.hear(lambda said: said["from"] == name and "state" in said))["state"]


def token_of(dashboard: Dashboard) -> str:
    return urlsplit(dashboard.url).fragment.removeprefix("token=")


def line_headers(dashboard: Dashboard) -> dict[str, str]:
    return {"Origin": dashboard.address.rstrip("/")}


@asynccontextmanager
async def opened(dashboard: Dashboard):
    protocols = (PROTOCOL, BEARER + token_of(dashboard))
    async with (
        ClientSession() as session,
        session.ws_connect(f"{dashboard.address}line", protocols=protocols, headers=line_headers(dashboard)) as line,
    ):
        yield OpenPage(line)


def on_a_page(dashboard: Dashboard, visit: Callable[[OpenPage], Awaitable[None]]) -> None:
    """Open a page, do something on it, close it."""

    async def go() -> None:
        async with opened(dashboard) as page:
            await visit(page)

    asyncio.run(go())
