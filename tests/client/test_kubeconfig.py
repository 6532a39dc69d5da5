from __future__ import annotations

import pytest
import yaml

from k8slab.client.kubeconfig import (
    ContextExists,
    Credentials,
    KubeconfigError,
    check_context,
    merge_context,
    remove_context,
)
from k8slab.loop.kubectl import Kubectl

CREDENTIALS = Credentials(b"ca", b"certificate", b"key")
SERVER = "https://127.0.0.1:6443"

MINE = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "work", "cluster": {"server": "https://work.example"}}],
    "users": [{"name": "work", "user": {"token": "t"}}],
    "contexts": [{"name": "work", "context": {"cluster": "work", "user": "work"}}],
    "current-context": "work",
    "extra": {"kept": True},
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "kube" / "config"


@pytest.fixture
def mine(path):
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(MINE))
    return path


def read(path):
    return yaml.safe_load(path.read_text())


def test_a_new_file_is_for_the_user_alone(path):
    merge_context(path, "lab", SERVER, CREDENTIALS)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read(path)["current-context"] == "lab"


def test_merging_keeps_what_is_there(mine):
    merge_context(mine, "lab", SERVER, CREDENTIALS)
    found = read(mine)
    assert [cluster["name"] for cluster in found["clusters"]] == ["work", "lab"]
    assert found["extra"] == {"kept": True}
    assert found["users"][0] == MINE["users"][0]


def test_removing_brings_back_what_was_current(mine):
    merge_context(mine, "lab", SERVER, CREDENTIALS)
    assert remove_context(mine, "lab")
    assert read(mine) == MINE


def test_a_second_start_still_remembers_what_was_current_before_the_first(mine):
    merge_context(mine, "lab", SERVER, CREDENTIALS)
    merge_context(mine, "lab", "https://127.0.0.1:7000", CREDENTIALS)
    assert [c["cluster"]["server"] for c in read(mine)["clusters"]] == [
        "https://work.example",
        "https://127.0.0.1:7000",
    ]
    remove_context(mine, "lab")
    assert read(mine)["current-context"] == "work"


@pytest.mark.parametrize("section", ["clusters", "users", "contexts"])
def test_an_entry_of_somebody_else_is_never_touched(path, section):
    path.parent.mkdir()
    path.write_text(yaml.safe_dump({section: MINE[section]}))
    before = path.read_bytes()
    with pytest.raises(ContextExists, match=rf"an entry 'work' under '{section}' that k8slab did not make"):
        merge_context(path, "work", SERVER, CREDENTIALS)
    with pytest.raises(ContextExists):
        check_context(path, "work")
    assert not remove_context(path, "work")
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", ["{", "- a list", "text"])
def test_a_file_that_is_no_kubeconfig_stays_as_it_is(path, content):
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(KubeconfigError, match="--kubeconfig PATH"):
        merge_context(path, "lab", SERVER, CREDENTIALS)
    assert path.read_text() == content


def test_a_lock_of_another_program_is_waited_for_and_then_named(mine, monkeypatch):
    monkeypatch.setattr("k8slab.client.kubeconfig.LOCK_TRIES", 2)
    monkeypatch.setattr("k8slab.client.kubeconfig.LOCK_SECONDS", 0.001)
    mine.with_name("config.lock").touch()
    with pytest.raises(KubeconfigError, match="another program is writing"):
        merge_context(mine, "lab", SERVER, CREDENTIALS)


def test_a_link_stays_a_link(mine, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(mine)
    merge_context(link, "lab", SERVER, CREDENTIALS)
    assert link.is_symlink()
    assert read(mine)["current-context"] == "lab"


def test_kubectl_reads_what_we_wrote_and_keeps_our_mark(mine, tmp_path):
    merge_context(mine, "lab", SERVER, CREDENTIALS)
    kubectl = Kubectl(mine, tmp_path / "cache")
    assert kubectl.run(["config", "current-context"], None, 20).stdout == "lab\n"
    kubectl.run(["config", "set-context", "lab", "--namespace=kube-system"], None, 20).check()
    assert remove_context(mine, "lab")
    assert read(mine)["current-context"] == "work"
