"""A cluster on each kind of store; and a real etcd under a whole cluster."""

from __future__ import annotations

import subprocess
from contextlib import closing

import pytest

from k8slab import Cluster
from k8slab.clock import VirtualClock
from k8slab.etcd.kinds import KINDS, clean_up, open_store
from k8slab.etcd.member import EtcdMember, find_etcd
from k8slab.etcd.store import StoreError
from tests.etcd.test_store import WEB, put
from tests.eventually import eventually


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_of_each_kind_keeps_what_it_promises_to_keep(kind, tmp_path):
    for expected in (None, None if kind == "memory" else b"1"):
        with closing(open_store(kind, VirtualClock(), tmp_path / "lab")) as store:
            found = store.get(WEB)
            assert (found.value if found else None) == expected
            put(store)


def test_without_a_directory_an_etcd_leaves_nothing_behind():
    with closing(open_store("etcd", VirtualClock())) as store:
        folder = store.client.url
        put(store)
    with pytest.raises(StoreError, match="no etcd answers"):
        open_store(folder, VirtualClock())


def test_a_file_needs_a_folder_and_a_kind_must_be_one():
    with pytest.raises(StoreError, match=r"directory=Path\('lab'\)"):
        Cluster(nodes=1, store="sqlite")
    with pytest.raises(ValueError, match="unknown store 'oracle'; there are: etcd, memory, sqlite"):
        Cluster(nodes=1, store="oracle")


def test_what_a_crashed_process_left_behind_can_be_removed(tmp_path):
    member = EtcdMember(tmp_path / "etcd")
    member.start()
    clean_up(tmp_path)
    assert eventually(lambda: not member.running)
    member.stop()


def life():
    """The log of a short life on an etcd, byte for byte."""
    with Cluster(nodes=1, seed=3, store="etcd") as cluster:
        cluster.kubectl("create deployment web --image=nginx --replicas=2").check()
        cluster.run_until_idle()
        cluster.kubectl("scale deployment web --replicas=1").check()
        cluster.run_for("2h")  # events end
        assert cluster.kubectl("get deployment web -o jsonpath={.status.readyReplicas}").stdout == "1"
        assert cluster.store.count("/registry/events/") < 5
        return cluster.store.entries()


def test_the_same_life_is_the_same_on_an_etcd_too():
    assert life() == life()


def test_etcdctl_with_the_certificates_of_the_directory_sees_the_cluster(tmp_path):
    with Cluster(nodes=1, store="etcd", directory=tmp_path) as cluster:
        cluster.kubectl("create deployment web --image=nginx").check()
        cluster.run_until_idle()
        pki = tmp_path / "etcd" / "pki"
        name = "apiserver-etcd-client"
        shown = (f"--cacert={pki}/ca.crt", f"--cert={pki}/{name}.crt", f"--key={pki}/{name}.key")
        command = [find_etcd("etcdctl"), f"--endpoints={cluster.store.client.url}", *shown, "get", "--keys-only"]
        shown = subprocess.run([*command, "--prefix", "/registry/"], capture_output=True, text=True, check=True).stdout
        keys = [line for line in shown.splitlines() if line]
        assert "/registry/deployments/default/web" in keys
        assert len([key for key in keys if key.startswith("/registry/pods/default/web-")]) == 1
        version = cluster.kubectl("get deployment web -o jsonpath={.metadata.resourceVersion}").stdout
        found = cluster.store.get("/registry/deployments/default/web")
        assert version == str(found.revision)
