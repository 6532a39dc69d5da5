from __future__ import annotations

from k8slab.apimachinery.rest import Request
from k8slab.apiserver.sessions import SPDY_TUNNEL, ExecCodec, PortCodec, SpdyCodec, codec_for
from k8slab.apiserver.spdy import Connection
from tests.apiserver.test_spdy import Peer

PATH = "/api/v1/namespaces/default/pods/web/portforward"


class Session:
    """Notes what it is given."""

    def __init__(self):
        self.sent, self.ended = [], False

    def send(self, channel, data):
        self.sent.append((channel, data))

    def close_stdin(self):
        self.ended = True


def test_each_protocol_has_its_codec():
    asked = Request("GET", PATH, {"ports": ["80", "8080,9090"]})
    assert isinstance(codec_for(asked, SPDY_TUNNEL), SpdyCodec)
    assert isinstance(codec_for(asked, "v4.channel.k8s.io"), PortCodec)
    assert isinstance(codec_for(Request("GET", PATH.replace("portforward", "exec")), "v5.channel.k8s.io"), ExecCodec)
    assert len(list(codec_for(asked, "v4.channel.k8s.io").begin(Session()))) == 6


def test_a_message_of_an_exec_begins_with_its_channel():
    session, codec = Session(), ExecCodec()
    for message in (b"\x00hello", b"\x04{}", b"\xff\x00", b"\x01no"):
        codec.take(message, session)
    assert (session.sent, session.ended) == ([(0, b"hello"), (4, b"{}")], True)
    assert list(codec.show(1, b"out")) == [b"\x01out"]


def test_channels_of_ports_say_of_which_port_they_are():
    session, codec = Session(), PortCodec([8080])
    assert list(codec.begin(session)) == [b"\x00\x90\x1f", b"\x01\x90\x1f"]
    codec.take(b"\x00hello", session)
    codec.take(b"\x06astray", session)
    assert session.sent == [(1, b"\x90\x1f"), (0, b"hello")]
    assert (list(codec.show(0, b"hi")), list(codec.show(0, b""))) == ([b"\x00hi"], [])


def opened():
    """A session with one connection, opened as kubectl opens one."""
    session, codec, peer = Session(), SpdyCodec(), Peer()
    told = {"port": "8080", "requestID": "0"}
    both = peer.open(1, True, streamType="error", **told) + peer.open(3, streamType="data", **told)
    answers = list(codec.take(both, session))
    assert len(answers) == 2
    return session, codec


def test_a_connection_of_kubectl_is_two_streams():
    session, codec = opened()
    list(codec.take(Connection.data(3, b"GET /"), session))
    list(codec.take(Connection.data(3, b"", ended=True), session))
    assert session.sent == [(1, b"\x90\x1f"), (0, b"GET /"), (0, b"")]


def test_its_end_ends_both():
    _, codec = opened()
    sent = [*codec.show(0, b"hi"), *codec.show(0, b"")]
    assert sent == [Connection.data(3, b"hi"), Connection.data(3, b"", ended=True), Connection.data(1, b"", ended=True)]


def test_what_went_wrong_is_said_on_its_own_stream():
    _, codec = opened()
    sent = [*codec.show(1, b"refused"), *codec.show(0, b"")]
    assert sent == [Connection.data(1, b"refused", ended=True), Connection.data(3, b"", ended=True)]
