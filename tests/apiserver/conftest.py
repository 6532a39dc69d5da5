from __future__ import annotations

import http.client
import ssl

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


@pytest.fixture
def context(pki, tmp_path):
    """The administrator's side of TLS."""
    path = tmp_path / "admin.pem"
    path.write_bytes(pki.admin_cert_pem + pki.admin_key_pem)
    context = ssl.create_default_context(cadata=pki.ca_pem.decode())
    context.load_cert_chain(path)
    return context


@pytest.fixture
def connect(front, context):
    """Opens connections, as the administrator unless told otherwise, and closes them in the end."""
    opened = []

    def connection(context=context):
        opened.append(http.client.HTTPSConnection("127.0.0.1", front.port, context=context, timeout=20))
        return opened[-1]

    yield connection
    for each in opened:
        each.close()
