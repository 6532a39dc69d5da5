from __future__ import annotations

import pytest

from k8slab.apimachinery.errors import Forbidden, ServiceUnavailable, Timeout
from k8slab.apimachinery.rest import Request, Response
from k8slab.lab.observed.read_only import ConnectError, NoAnswer, ReadOnly


class Line:
    """A transport that gives an answer, or fails."""

    def __init__(self, answer):
        self.answer = answer
        self.sent = 0

    def send(self, request):
        self.sent += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self):
        pass


def ask(answer, method="GET", path="/api"):
    line = Line(answer)
    try:
        return ReadOnly(line, "https://x").send(Request(method, path))
    finally:
        assert line.sent <= 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_is_ever_written(method):
    line = Line(Response(200, object={}))
    with pytest.raises(Forbidden, match="was not sent: k8slab only looks at this cluster"):
        ReadOnly(line, "https://x").send(Request(method, "/api/v1/pods"))
    assert line.sent == 0


@pytest.mark.parametrize("way", ["exec", "attach", "proxy/x", "portforward"])
def test_no_get_leads_into_a_container(way):
    with pytest.raises(Forbidden):
        ask(Response(200, object={}), path=f"/api/v1/namespaces/default/pods/web/{way}")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("SSLCertVerificationError: CERTIFICATE_VERIFY_FAILED: self-signed", "not signed by the authority"),
        ("certificate verify failed: Hostname mismatch", "for another name"),
        ("certificate verify failed: certificate has expired", "not valid today"),
        ("TLSV1_ALERT_UNKNOWN_CA", "does not accept the client certificate"),
        ("[SSL: WRONG_VERSION_NUMBER]", "does not speak TLS"),
        ("Connect call failed ('127.0.0.1', 1)", "nobody listens there"),
        ("Name or service not known", "does not know its name"),
        ("something new", "something new; try the same with kubectl get --raw /api"),
    ],
)
def test_no_answer_is_a_sentence_with_what_to_try(fault, words):
    with pytest.raises(ConnectError, match=words) as raised:
        ask(ServiceUnavailable(fault))
    assert str(raised.value).startswith("asked https://x for GET /api: ")
    assert raised.value._render_traceback_() == [str(raised.value)]


def test_too_slow_is_told_apart():
    with pytest.raises(NoAnswer, match=r"did not answer in time .*timeout='2m'"):
        ask(Timeout("no answer from https://x within 1s"))


def test_a_fault_that_may_quote_a_credential_is_not_passed_on():
    with pytest.raises(ConnectError) as raised:
        ask(ValueError("bad header: s3cr3t"))
    assert "s3cr3t" not in str(raised.value)


def test_who_is_not_known_is_told_so():
    with pytest.raises(ConnectError, match=r"does not know who asks.*kubectl auth whoami"):
        ask(Response(401, object={}))


def test_a_login_page_is_no_cluster():
    with pytest.raises(ConnectError, match="no Kubernetes object but text/html; is there a proxy"):
        ask(Response(200, body=b"<html>", content_type="text/html; charset=utf-8"))


def test_an_error_is_the_callers_to_read():
    assert ask(Response(403, object={"code": 403})).code == 403
