"""The HTTPS front, asked with the standard library's client."""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
import threading

import pytest

from k8slab.apiserver.http import HttpServer
from tests.apiserver.harness import MAPS, config_map
from tests.eventually import eventually


@pytest.fixture
def ask(connect):
    connection = connect()

    def ask(method, path, body=None, headers=None):
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()

    return ask


def test_a_certificate_says_who_asks(ask, pki):
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    code, body = ask("POST", path, b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}')
    user = json.loads(body)["status"]["userInfo"]
    assert code == 201
    whole = ssl.PEM_cert_to_DER_cert(pki.admin_cert_pem.decode())
    fingerprint = f"X509SHA256={hashlib.sha256(whole).hexdigest()}"
    assert user == {
        "username": "kubernetes-admin",
        "groups": ["system:masters", "system:authenticated"],
        "extra": {"authentication.kubernetes.io/credential-id": [fingerprint]},
    }


def test_without_a_certificate_one_is_anonymous(connect, pki):
    connection = connect(ssl.create_default_context(cadata=pki.ca_pem.decode()))
    for path, code in (("/version", 200), ("/api", 403)):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        assert response.status == code


def test_requests_share_a_connection(ask, front):
    assert ask("POST", MAPS, json.dumps(config_map(a="ä")))[0] == 201
    assert json.loads(ask("GET", f"{MAPS}/settings")[1])["data"] == {"a": "ä"}
    assert ask("HEAD", "/version") == (200, b"")
    assert eventually(lambda: front.in_flight == 0)
    assert front.activity >= 3


def test_a_body_that_is_too_big_is_413(ask):
    code, body = ask("POST", MAPS, b" " * (3 * 1024 * 1024 + 1))
    assert (code, json.loads(body)["reason"]) == (413, "RequestEntityTooLarge")


def test_a_body_that_is_not_compressed_as_it_says_is_refused(ask):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    code, body = ask("POST", MAPS, b"{}", headers)
    assert (code, json.loads(body)["message"].split(":")[0]) == (400, "the body of the request cannot be read")


def test_only_loopback_is_listened_on(pki, api):
    with pytest.raises(ValueError, match="no loopback address"):
        HttpServer(lambda request, reply: None, pki, api.clock, host="0.0.0.0")


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing(front, pki, api):
    threads = threading.active_count()
    other = HttpServer(lambda request, reply: None, pki, api.clock, port=front.port)
    with pytest.raises(OSError, match="in use"):
        other.start()
    assert threading.active_count() == threads


def test_stop_leaves_no_thread_and_no_watch(pki, api, context):
    before = threading.enumerate()
    front = HttpServer(lambda request, reply: reply(api.server.handle(request)), pki, api.clock)
    front.start()
    connection = http.client.HTTPSConnection("127.0.0.1", front.port, context=context, timeout=20)
    connection.request("GET", f"{MAPS}?watch=1")
    response = connection.getresponse()
    front.stop()
    front.stop()
    response.close()
    connection.close()
    assert api.server.watches.open_watches == 0
    assert [thread.name for thread in threading.enumerate() if thread not in before] == []


def test_a_request_that_is_never_answered_does_not_hold_up_the_stop(pki, api, context):
    front = HttpServer(lambda request, reply: None, pki, api.clock)
    front.start()
    connection = http.client.HTTPSConnection("127.0.0.1", front.port, context=context, timeout=20)
    connection.request("GET", "/version")
    assert eventually(lambda: front.in_flight == 1)
    front.stop()
    with pytest.raises((ConnectionError, http.client.HTTPException, OSError)):
        connection.getresponse()
    connection.close()


def test_a_reply_may_come_from_any_thread(pki, api, context):
    def submit(request, reply):
        threading.Thread(target=lambda: reply(api.server.handle(request))).start()

    front = HttpServer(submit, pki, api.clock)
    front.start()
    connection = http.client.HTTPSConnection("127.0.0.1", front.port, context=context, timeout=20)
    connection.request("GET", "/readyz")
    assert connection.getresponse().read() == b"ok"
    connection.close()
    front.stop()
