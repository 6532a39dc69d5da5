import base64

import pytest
import yaml

from k8slab.client.kubeconfig import Credentials, KubeconfigError, config_of, write
from k8slab.client.user_config import Login, login

CREDENTIALS = Credentials(ca=b"CA", certificate=b"CERT", key=b"KEY")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config"


def put(path, **changes):
    """A kubeconfig with one context, changed in places."""
    config = {
        "current-context": "dev",
        "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1", "certificate-authority": "ca.pem"}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
    }
    path.write_text(yaml.safe_dump(config | changes))
    path.with_name("ca.pem").write_bytes(b"CA")


def test_reads_what_k8slab_writes(path):
    write(path, config_of("lab", "https://127.0.0.1:6443", CREDENTIALS))
    assert login(path) == Login("https://127.0.0.1:6443", ca=b"CA", certificate=b"CERT", key=b"KEY")


def test_files_are_found_beside_the_kubeconfig(path):
    put(path)
    assert login(path) == Login("https://127.0.0.1:1", ca=b"CA", token="secret", namespace="shop")


def test_of_several_files_the_first_that_has_an_entry_counts(path, monkeypatch):
    put(path)
    other = path.with_name("other")
    data = base64.b64encode(b"OTHER").decode()
    cluster = {"server": "https://127.0.0.1:2", "certificate-authority-data": data}
    other.write_text(yaml.safe_dump({"clusters": [{"name": "c", "cluster": cluster}]}))
    monkeypatch.setenv("KUBECONFIG", f"{other}:{path}:/no/such/file")
    found = login()
    assert (found.server, found.ca, found.token) == ("https://127.0.0.1:2", b"OTHER", "secret")


@pytest.mark.parametrize(
    ("changes", "context", "message"),
    [
        ({"current-context": ""}, None, "no current context"),
        ({}, "prod", "no context 'prod' in the kubeconfig; it has: dev"),
        ({"clusters": None}, None, "no cluster 'c'"),
        ({"users": [{"name": "u", "user": {"exec": {"command": "aws"}}}]}, None, "logs in by 'exec'"),
        ({"users": [{"name": "u", "user": {"client-key-data": "?"}}]}, None, "client-key-data is no base64"),
        ({"users": [{"name": "u", "user": {"client-key": "gone.pem"}}]}, None, "cannot be read"),
    ],
)
def test_says_what_is_missing(path, changes, context, message):
    put(path, **changes)
    with pytest.raises(KubeconfigError, match=message):
        login(path, context)


@pytest.mark.parametrize("text", ["", "[]", "a: [", "\x00"])
def test_what_is_no_kubeconfig_is_refused(path, text):
    path.write_text(text)
    with pytest.raises(KubeconfigError):
        login(path)


def test_a_broken_files_credentials_are_not_quoted(tmp_path):
    path = tmp_path / "config"
    path.write_text("users:\n- name: u\n  user: {token: xyzzy-plugh, client-key-data: [}\n")
    with pytest.raises(KubeconfigError, match="is not YAML, line 3") as raised:
        login(path)
    assert "xyzzy" not in str(raised.value)


def test_a_login_does_not_show_its_credentials():
    assert "xyzzy" not in repr(Login("https://127.0.0.1", token="xyzzy", key=b"xyzzy"))
