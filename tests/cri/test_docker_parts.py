"""What can be known of the Docker runtime without a Docker Engine."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from ipaddress import IPv4Network

import pytest

from k8slab.clock import EPOCH
from k8slab.cri.api import ContainerState, CriError, SandboxConfig
from k8slab.cri.docker_cleanup import _is_gone, _process, new_run
from k8slab.cri.docker_containers import _limits
from k8slab.cri.docker_images import original_name, own_name
from k8slab.cri.docker_network import slice_of
from k8slab.cri.docker_objects import container_view, object_name, seconds
from k8slab.cri.docker_streams import frames
from k8slab.cri.docker_teaching import find_busybox, image_changes, image_tar
from k8slab.cri.images import CATALOGUE, find_image
from k8slab.cri.references import parse_reference


@pytest.mark.parametrize(
    "image", ["nginx:1.25", "localhost:5000/a/b:1", "registry.k8s.io/pause:3.10", "gcr.io/a/b@sha256:" + "a" * 64]
)
def test_a_clusters_own_name_leads_back_to_the_image(image):
    reference = parse_reference(image)
    own = own_name("lab-1", reference)
    assert parse_reference(own).domain == "k8slab.local"
    assert original_name("lab-1", own) == str(reference)
    assert original_name("other", own) is None


def test_a_name_carries_the_pod_and_the_cluster():
    pod = SandboxConfig("web", "default", "1-2")
    assert object_name("main", pod, 3, "lab") == "k8s_main_web_default_1-2_3_lab"


def test_dockers_time_stamps():
    assert seconds("2026-01-01T00:00:00Z") == EPOCH
    assert seconds("2026-01-01T00:00:00.123456789Z") == EPOCH + 0.123456
    assert seconds("2026-01-01T00:00:00.5Z") == EPOCH + 0.5
    assert seconds("0001-01-01T00:00:00Z") == 0


def inspection(**state: object) -> dict[str, object]:
    never = "0001-01-01T00:00:00Z"
    full = {
        "Status": "created",
        "ExitCode": 0,
        "OOMKilled": False,
        "Error": "",
        "StartedAt": never,
        "FinishedAt": never,
    }
    labels = {
        "io.kubernetes.sandbox.id": "s",
        "io.kubernetes.container.name": "c",
        "k8slab.attempt": "0",
        "k8slab.image": "i",
    }
    created = "2026-01-01T00:00:00Z"
    return {"Id": "1", "Image": "sha256:1", "Created": created, "Config": {"Labels": labels}, "State": full | state}


@pytest.mark.parametrize(
    ("state", "phase", "code", "reason"),
    [
        ({}, ContainerState.CREATED, 0, ""),
        ({"Status": "running"}, ContainerState.RUNNING, 0, ""),
        ({"Status": "exited"}, ContainerState.EXITED, 0, "Completed"),
        ({"Status": "exited", "ExitCode": 1}, ContainerState.EXITED, 1, "Error"),
        ({"Status": "exited", "ExitCode": 137, "OOMKilled": True}, ContainerState.EXITED, 137, "OOMKilled"),
        ({"ExitCode": 127, "Error": "no such file"}, ContainerState.EXITED, 127, "ContainerCannotRun"),
        ({"Status": "dead"}, ContainerState.EXITED, 0, "Completed"),
    ],
)
def test_dockers_states(state, phase, code, reason):
    view = container_view(inspection(**state), "")
    assert (view.state, view.exit_code, view.reason) == (phase, code, reason)


def test_frames_may_come_in_any_pieces():
    data = b"\x01\0\0\0\0\0\0\x03out" + b"\x02\0\0\0\0\0\0\x03err" + b"\x01\0\0\0\0\0\0\0"
    expected = [(1, b"out"), (2, b"err")]
    for size in range(1, len(data) + 1):
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        assert list(frames(pieces, tty=False)) == expected


def test_a_terminal_has_no_frames():
    assert list(frames([b"a", b"b"], tty=True)) == [(1, b"a"), (1, b"b")]


def test_each_nodes_pods_have_their_slice_of_the_bridge():
    assert slice_of(IPv4Network("10.244.0.0/16"), "10.244.3.0/24") == IPv4Network("10.244.3.0/24")
    assert slice_of(IPv4Network("10.250.0.0/16"), "10.244.3.0/24") == IPv4Network("10.250.3.0/24")


def test_limits_in_dockers_units():
    from k8slab.cri.api import Resources

    assert _limits(Resources()) == {}
    assert _limits(Resources(cpu_request_millis=1)) == {"CpuShares": 2}
    assert _limits(Resources(cpu_millis=1500)) == {"CpuShares": 1536, "CpuPeriod": 100_000, "CpuQuota": 150_000}


def test_an_ephemeral_run_is_its_own():
    one, two = new_run("lab", ephemeral=True), new_run("lab", ephemeral=True)
    assert one.id != two.id
    assert new_run("lab", ephemeral=False).id == "lab"
    with pytest.raises(ValueError, match="not a cluster name"):
        new_run("My Lab", ephemeral=True)


def test_an_owner_is_gone_when_its_process_is():
    assert not _is_gone(_process(os.getpid()))
    host, pid, _ = _process(os.getpid()).rsplit("/", 2)
    assert _is_gone(f"{host}/{pid}/another-start")
    assert not _is_gone(f"another-host/{pid}/1")


needs_busybox = pytest.mark.skipif(shutil.which("busybox") is None, reason="no busybox here")


@needs_busybox
@pytest.mark.parametrize("image", CATALOGUE, ids=lambda image: f"{image.repository}:{image.tags[0]}")
def test_a_teaching_image_holds_what_it_runs(image):
    data = image_tar(image, image.tags[0])
    assert data == image_tar(image, image.tags[0])
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        names = {"/" + name for name in archive.getnames()}
    program = (image.entrypoint or image.cmd)[0]
    assert any(
        f"{folder}/{program.lstrip('/')}" in names for folder in ("", "/bin", "/usr/bin", "/usr/sbin", "/usr/local/bin")
    )
    assert any(line.startswith(("CMD", "ENTRYPOINT")) for line in image_changes(image))


def test_without_a_busybox_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setattr("k8slab.cri.docker_teaching._is_static", lambda path: False)
    with pytest.raises(CriError, match="install the package busybox-static, or name a mirror"):
        find_busybox()


def test_the_catalogue_knows_its_tags():
    assert find_image(parse_reference("nginx")) is not None
    assert find_image(parse_reference("nginx:0.1")) is None
