"""Other programs: with the administrator's certificate everything, without one next to nothing, and never off loopback."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest

from k8slab import Cluster


@pytest.fixture(scope="module")
def live():
    with Cluster(nodes=1, seed=1, mode="live") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def files(live, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name, content in (
        ("ca", live.credentials.ca),
        ("certificate", live.credentials.certificate),
        ("key", live.credentials.key),
    ):
        (folder / name).write_bytes(content)
    return folder


def ask(live, files, path: str, *, with_certificate: bool) -> tuple[int, dict]:
    context = ssl.create_default_context(cafile=files / "ca")
    if with_certificate:
        context.load_cert_chain(files / "certificate", files / "key")
    try:
        with urllib.request.urlopen(live.url + path, context=context) as answer:
            return answer.status, json.loads(answer.read() or b"{}") if "version" in path else {}
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_curl_of_version_with_the_client_certificate(live, files):
    if shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine")
    command = ["curl", "-sS", "--noproxy", "*", "--cacert", files / "ca", "--cert", files / "certificate"]
    done = subprocess.run([*command, "--key", files / "key", f"{live.url}/version"], capture_output=True, check=True)
    assert json.loads(done.stdout)["gitVersion"].startswith("v1.37")


def test_the_certificate_opens_every_path(live, files):
    for path in ("/version", "/api", "/api/v1/nodes", "/apis/apps/v1/deployments"):
        assert ask(live, files, path, with_certificate=True)[0] == 200


def test_without_a_certificate_only_the_public_paths_answer(live, files):
    assert ask(live, files, "/version", with_certificate=False)[0] == 200
    assert ask(live, files, "/healthz", with_certificate=False)[0] == 200
    for path in ("/api", "/apis", "/api/v1/pods", "/openapi/v3", "/metrics"):
        code, status = ask(live, files, path, with_certificate=False)
        assert (code, status["reason"]) == (403, "Forbidden")
        assert 'User "system:anonymous" cannot' in status["message"]


def test_a_certificate_of_another_authority_is_refused(live, files, tmp_path):
    from k8slab.apiserver.pki import Pki

    stranger = Pki.create()
    (tmp_path / "certificate").write_bytes(stranger.admin_cert_pem)
    (tmp_path / "key").write_bytes(stranger.admin_key_pem)
    context = ssl.create_default_context(cafile=files / "ca")
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    with pytest.raises((ssl.SSLError, urllib.error.URLError, ConnectionError)):
        urllib.request.urlopen(live.url + "/version", context=context)


def test_it_listens_on_loopback_only(live):
    assert live.url.startswith("https://127.0.0.1:")
