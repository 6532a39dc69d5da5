from __future__ import annotations

import pytest

from k8slab.apiserver.http import HttpServer
from k8slab.apiserver.pki import Pki
from tests.apiserver.harness import Api


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture(scope="session")
def pki() -> Pki:
    return Pki.create()


@pytest.fixture
def front(api, pki):
    """An HTTPS front of `api`."""
    front = HttpServer(lambda request, reply: reply(api.server.handle(request)), pki, api.clock)
    front.start()
    yield front
    front.stop()
