import gzip
import json
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.errors import BadRequest
from k8slab.apimachinery.protobuf import MAGIC, MEDIA_TYPE, decode, message_named, table
from k8slab.apimachinery.schema import definition_for, schemas
from k8slab.loop.kubectl import find_kubectl

from .recorder import Recorder

CREATED = [
    "deployment web --image=nginx --image=redis --replicas=3 --port=80",
    "configmap c --from-literal=a=b --from-literal=c=",
    "secret generic s --from-literal=password=hunter2",
    "namespace x",
    "service nodeport s --tcp=80:8080",
    "service clusterip s --tcp=80:http",
    "service externalname s --external-name=example.com",
    "job j --image=busybox",
    "cronjob j --image=busybox --schedule=@hourly",
    "clusterrole r --verb=get --non-resource-url=/healthz",
    "rolebinding r --role=r --user=u",
    "clusterrolebinding r --clusterrole=r --group=g --serviceaccount=a:b",
    "ingress i --rule=example.com/bar=svc:8080,tls=cert",
    "quota q --hard=cpu=1,memory=1Gi,pods=2",
    "poddisruptionbudget p --selector=app=rails --min-available=50%",
    "serviceaccount s",
    "priorityclass p --value=1000 --description=x",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Recorder(tmp_path_factory.mktemp("kubectl")) as recorder:
        yield recorder


def sent(server, *command):
    """The protobuf body that a command sends."""
    server.bodies.clear()
    server.kubectl(*command)
    (body,) = [body for content_type, body in server.bodies if content_type == MEDIA_TYPE]
    return body


@pytest.mark.parametrize("command", CREATED, ids=lambda command: " ".join(command.split()[:2]))
def test_what_kubectl_sends_is_what_it_would_have_printed_as_json(server, command):
    create = ["create", *command.split()]
    printed = json.loads(server.kubectl(*create, "--dry-run=client", "-o", "json").stdout)
    assert decode(sent(server, *create)) == printed


def test_a_token_request(server):
    found = decode(sent(server, "create", "token", "robot", "--audience=a", "--duration=1h"))
    assert found["kind"] == "TokenRequest"
    assert found["spec"] == {"audiences": ["a"], "expirationSeconds": 3600}


def test_an_access_review(server):
    found = decode(sent(server, "auth", "can-i", "get", "/logs"))
    assert found["kind"] == "SelfSubjectAccessReview"
    assert found["spec"] == {"nonResourceAttributes": {"path": "/logs", "verb": "get"}}


def test_every_decoded_object_passes_the_strict_check(server):
    found = decode(sent(server, "create", *CREATED[0].split()))
    assert definition_for("apps", "v1", "Deployment").check(found) == []


def tag(number, wire):
    return number << 3 | wire


def number(value):
    """A varint."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def chunk(field, *parts):
    """A field of bytes: a string, or a message of the parts given."""
    data = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return number(tag(field, 2)) + number(len(data)) + data


def envelope(kind, api_version, raw):
    return MAGIC + chunk(1, chunk(1, api_version), chunk(2, kind)) + chunk(2, raw)


def test_embedded_messages_lie_flat_and_pointers_keep_their_zeros():
    volume = chunk(1, "v") + chunk(2, chunk(19, chunk(1, chunk(1, "c"))))
    assert message_named("io.k8s.api.core.v1.Volume").read(chunk(1, "v") + chunk(2, b""), {}, 0) == {"name": "v"}
    found = message_named("io.k8s.api.core.v1.Volume").read(volume, {}, 0)
    assert found == {"name": "v", "configMap": {"name": "c"}}
    zero = number(tag(1, 0)) + number(0)
    assert message_named("io.k8s.api.apps.v1.DeploymentSpec").read(zero, {}, 0) == {"replicas": 0}
    paused = number(tag(7, 0)) + number(0)
    assert message_named("io.k8s.api.apps.v1.DeploymentSpec").read(paused, {}, 0) == {}


def test_times_quantities_and_int_or_strings_are_json_scalars():
    time = message_named("io.k8s.api.coordination.v1.LeaseSpec")
    seconds = chunk(4, number(tag(1, 0)), number(1_700_000_000), number(tag(2, 0)), number(1_000))
    assert time.read(seconds, {}, 0) == {"renewTime": "2023-11-14T22:13:20.000001Z"}
    port = message_named("io.k8s.api.core.v1.HTTPGetAction")
    assert port.read(chunk(2, number(tag(1, 0)), number(1), chunk(3, "http")), {}, 0) == {"port": "http"}
    assert port.read(chunk(2, number(tag(2, 0)), number(80)), {}, 0) == {"port": 80}


def test_an_unknown_field_is_skipped_and_of_two_the_last_counts():
    meta = chunk(1, "old") + chunk(500, "?") + number(tag(501, 1)) + struct.pack("<d", 1.5) + chunk(1, "new")
    found = decode(envelope("Namespace", "v1", chunk(1, meta) + chunk(1, chunk(5, "uid"))))
    assert found["metadata"] == {"name": "new", "uid": "uid"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the object provided is unrecognized (must be of type Pod): empty data (<empty>)"),
        (
            b'{"kind": "Pod"}',
            "the object provided is unrecognized (must be of type Pod): provided data does not appear to be a protobuf "
            'message, expected prefix [107 56 115 0] ({"kind": "Pod"})',
        ),
        (
            envelope("", "v1", b""),
            "the object provided is unrecognized (must be of type Pod): Object 'Kind' is missing in "
            '\'runtime.TypeMeta{APIVersion:"v1", Kind:""}\' (6b3873000a060a02763112001200)',
        ),
        (
            envelope("Pod", "v1", b"\x0a\x05ab"),
            'Pod in version "v1" cannot be handled as a Pod: unexpected EOF',
        ),
        (
            envelope("Pod", "v1", b"\x08\x01"),
            'Pod in version "v1" cannot be handled as a Pod: proto: wrong wireType = 0 for field Metadata',
        ),
        (
            envelope("Pod", "v1", b"\x00\x01"),
            'Pod in version "v1" cannot be handled as a Pod: proto: Pod: illegal tag 0 (wire type 0)',
        ),
        (
            envelope("Pod", "v1", b"\x0c"),
            'Pod in version "v1" cannot be handled as a Pod: proto: Pod: wiretype end group for non-group',
        ),
        (
            envelope("Pod", "v1", b"\xff" * 11),
            'Pod in version "v1" cannot be handled as a Pod: proto: integer overflow',
        ),
    ],
)
def test_what_is_no_protobuf_is_400_in_upstreams_words(data, message):
    with pytest.raises(BadRequest) as caught:
        decode(data, expected="Pod")
    assert caught.value.message == message


def test_a_kind_that_is_not_known_is_400():
    with pytest.raises(BadRequest, match='no kind "Whale" is registered for version "sea/v1"'):
        decode(envelope("Whale", "sea/v1", b""), expected="Pod")


KINDS = [("Pod", "v1"), ("Deployment", "apps/v1"), ("Lease", "coordination.k8s.io/v1"), ("Job", "batch/v1")]


@given(st.sampled_from(KINDS), st.binary(max_size=200))
def test_any_bytes_give_an_object_or_a_bad_request(kind, raw):
    for data in (raw, MAGIC + raw, envelope(*kind, raw)):
        with suppress(BadRequest):
            assert isinstance(decode(data), dict)


@given(st.data())
def test_a_damaged_body_gives_an_object_or_a_bad_request(data):
    spec = chunk(2, chunk(1, "c"), chunk(2, "nginx"), chunk(6, number(tag(3, 0)), number(80)))
    body = bytearray(envelope("Pod", "v1", chunk(1, chunk(1, "web"), chunk(8, b"")) + chunk(2, spec)))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadRequest):
        assert isinstance(decode(bytes(body)), dict)


def test_every_message_of_the_table_has_the_fields_of_the_schema():
    """The field names come from a binary, the schema from OpenAPI: two ways to the same facts."""
    for name in sorted(table().keys() & schemas().keys()):
        properties = schemas()[name].get("properties", {})
        named = {field.json_name for field in message_named(name).fields.values()} - {""}
        assert named <= properties.keys() | {"selfLink", "kind"}, name


@pytest.mark.skipif(sys.platform != "linux", reason="the generator reads Linux' kubectl")
def test_the_table_is_what_the_generator_reads_in_this_kubectl(tmp_path):
    output = tmp_path / "table.json.gz"
    script = Path(__file__).parents[2] / "scripts" / "protobuf_fields.py"
    command = [sys.executable, script, "--kubectl", find_kubectl(), "--output", output]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert json.loads(gzip.decompress(output.read_bytes())) == table()
