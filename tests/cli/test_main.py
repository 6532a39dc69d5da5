"""The command, as a user runs it: real processes, real kubectl, a home and a kubeconfig of the test's own."""

from __future__ import annotations

import base64
import itertools
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import kubernetes
import pytest
import yaml

from tests.eventually import eventually

NGINX = "create deployment web --image=nginx --replicas=2"


@dataclass
class User:
    """Somebody at a terminal."""

    home: Path

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    def __call__(self, line: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "k8slab", *line.split()]
        environment = os.environ | {"K8SLAB_HOME": str(self.home / "k8slab"), "KUBECONFIG": str(self.kubeconfig)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def kubectl(self, line: str, code: int = 0) -> str:
        return self(f"kubectl -- {line}", code)

    def pid(self) -> int:
        return int(json.loads((self.home / "k8slab" / "lab" / "state.json").read_text())["pid"])


@pytest.fixture
def user(tmp_path):
    user = User(tmp_path)
    yield user
    user("delete --all")


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("command", ["", "start", "stop", "delete", "status", "list", "version", "dashboard", "play"])
def test_help_is_everywhere(user, command):
    assert "Usage:" in user(f"{command} --help")


def test_the_version_names_all_parts(user):
    said = user("version")
    assert all(part in said for part in ("k8slab", "Kubernetes  v1.37", "kubectl", "Python"))


def test_where_there_is_no_cluster_each_command_says_how_to_start_one(user):
    assert "k8slab start" in user("status", code=1)
    assert "k8slab start" in user("stop", code=1)
    assert "k8slab start" in user("kubectl -- get pods", code=1)
    assert "k8slab start" in user("list")
    assert "there is no cluster 'lab'" in user("delete", code=1)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("start --runtime podman", "none of"),
        ("start --nodes 0", "greater than or equal to 1"),
        ("start --name A/B", "cannot name a cluster"),
    ],
)
def test_a_mistake_is_one_sentence_and_no_traceback(user, line, says):
    done = subprocess.run(
        [sys.executable, "-m", "k8slab", *line.split()],
        env=os.environ | {"K8SLAB_HOME": str(user.home / "k8slab"), "KUBECONFIG": str(user.kubeconfig)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cluster_lives_through_start_stop_start_and_delete(user):
    said = user("start --runtime simulated --nodes 2 --detach")
    assert "2 nodes are Ready" in said
    assert "k8slab kubectl -- get nodes" in said
    assert user.kubectl("get nodes -o name").split() == ["node/node-1", "node/node-2"]
    assert "runs already" in user("start", code=1)
    user.kubectl(NGINX)
    user.kubectl("wait --for=condition=Available deployment/web --timeout=60s")
    status = user("status")
    assert "Running" in status
    assert "https://127.0.0.1:" in status

    pid = user.pid()
    user("stop")
    assert gone(pid)
    assert "Stopped" in user("status", code=3)
    assert "keeps them" in user("start --nodes 5 --detach", code=1)

    assert "Starting the cluster" in user("start --detach")
    restarts = "get pods -o jsonpath={.items[*].status.containerStatuses[0].restartCount}"
    assert eventually(lambda: user.kubectl(restarts) == "1 1", within=60)
    user.kubectl("wait --for=condition=Available deployment/web --timeout=60s")
    assert "web" in user.kubectl("get deployments")
    user("delete")
    assert "no cluster" in user("list")
    assert not (user.home / "k8slab" / "lab").exists()
    assert yaml.safe_load(user.kubeconfig.read_text())["contexts"] == []


def open_to_others(path: Path, home: Path) -> bool:
    """Whether somebody else could read a file, if the home were open to all."""
    way = [path, *(each for each in path.parents if each.is_relative_to(home) and each != home)]
    return all(each.stat().st_mode & 0o077 for each in way)


CANARY = "a-canary-in-a-secret"


@pytest.mark.parametrize("store", ["sqlite", "etcd"])
def test_nothing_secret_is_where_others_on_this_machine_could_read_it(user, store):
    log = user.home / "audit.log"
    user(f"start --detach --nodes 1 --runtime simulated --store {store} --audit-log {log}")
    user.kubectl(f"create secret generic s --from-literal=k={CANARY}")
    user.kubectl("patch secret s --type=merge -p " + json.dumps({"stringData": {"k": CANARY}}, separators=(",", ":")))
    token = user.kubectl("create token default").strip()
    profile = user.home / "k8slab" / "lab"
    keys = [path.read_text().split()[4] for path in profile.rglob("*.key")]
    dashboard = json.loads((profile / "state.json").read_text())["dashboard"].partition("token=")[2]
    secrets = [CANARY, base64.b64encode(CANARY.encode()).decode()[:-4], token, dashboard, *keys]
    files = [path for path in user.home.rglob("*") if path.is_file()]
    for path in filter(lambda path: open_to_others(path, user.home), files):
        assert not [each for each in secrets if each.encode() in path.read_bytes()], path
    assert any(secrets[1].encode() in path.read_bytes() for path in files), "it is kept somewhere"
    told = log.read_text() + (profile / "log").read_text() + user.kubectl("get events -A -o yaml")
    assert "secrets" in told
    assert not [each for each in secrets if each in told]
    shown = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert "serve-detached" in shown
    assert not [each for each in secrets if each in shown]


def test_keys_are_readable_by_the_user_alone(user):
    user("start --runtime simulated --nodes 1 --detach")
    keys = [path for path in (user.home / "k8slab").rglob("*") if "key" in path.name or path.name == "kubeconfig"]
    assert keys
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in [*keys, user.home / "k8slab"])


def test_somebody_elses_context_is_never_clobbered(user):
    mine = {"contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "me"}}], "current-context": "lab"}
    user.kubeconfig.write_text(yaml.safe_dump(mine))
    assert "k8slab did not make" in user("start --runtime simulated --detach", code=1)
    assert yaml.safe_load(user.kubeconfig.read_text()) == mine
    own = user.home / "own"
    said = user(f"start --runtime simulated --nodes 1 --detach --kubeconfig {own}")
    assert f"KUBECONFIG={own} kubectl" in said
    assert yaml.safe_load(user.kubeconfig.read_text()) == mine


def test_after_kill_9_a_start_finds_all_objects_again(user):
    user("start --runtime simulated --nodes 2 --detach")
    user.kubectl(NGINX)
    user.kubectl("wait --for=condition=Available deployment/web --timeout=60s")
    before = user.kubectl("get pods -o name")
    pid = user.pid()
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: gone(pid))
    assert "Stopped" in user("status", code=3)
    user("start --detach")
    user.kubectl("wait --for=condition=Ready pod --all --timeout=60s")
    assert user.kubectl("get pods -o name") == before


def write_until_refused(user, written: list[str]) -> None:
    """Create ConfigMaps; the names of those that were acknowledged."""
    with kubernetes.config.new_client_from_config(str(user.kubeconfig)) as connected:
        core = kubernetes.client.CoreV1Api(connected)
        for turn in itertools.count():
            try:
                core.create_namespaced_config_map("default", {"metadata": {"name": f"map-{turn}"}}, _request_timeout=20)
            except Exception:
                return
            written.append(f"configmap/map-{turn}")


@pytest.mark.parametrize("store", ["sqlite", "etcd"])
def test_what_was_acknowledged_under_load_before_a_kill_9_is_there_after_the_next_start(user, store):
    user(f"start --runtime simulated --nodes 1 --detach --store {store}")
    written: list[str] = []
    writer = threading.Thread(target=write_until_refused, args=(user, written))
    writer.start()
    assert eventually(lambda: len(written) > 50)
    os.kill(user.pid(), signal.SIGKILL)
    writer.join()
    user("start --detach")
    kept = user.kubectl("get configmaps -o name").split()
    assert set(written) <= set(kept)
    assert len(kept) <= len(written) + 2, "the root certificate, and one that was not acknowledged"


def test_a_cluster_in_the_foreground_stops_at_ctrl_c(user):
    lines = []
    with subprocess.Popen(
        [sys.executable, "-m", "k8slab", "start", "--runtime", "simulated", "--nodes", "1"],
        env=os.environ | {"K8SLAB_HOME": str(user.home / "k8slab"), "KUBECONFIG": str(user.kubeconfig)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Next:"):
                process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    assert "Stopped." in lines[-1]


@pytest.mark.docker
def test_after_kill_9_no_container_network_or_port_is_left_over(user, docker_engine):
    docker_engine()
    import docker

    engine = docker.from_env()

    def ours() -> list[str]:
        found = engine.containers.list(all=True, filters={"label": "k8slab.cluster=lab"})
        return sorted(container.name for container in found)

    user("start --runtime docker --nodes 2 --detach")
    user.kubectl(NGINX)
    user.kubectl("wait --for=condition=Available deployment/web --timeout=90s")
    containers = ours()
    pid = user.pid()
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: gone(pid))
    user("start --detach")
    user.kubectl("wait --for=condition=Ready pod --all --timeout=90s")
    assert len(ours()) == len(containers) == 4
    os.kill(user.pid(), signal.SIGKILL)
    assert eventually(lambda: "Stopped" in user("list"))
    user("delete")
    assert ours() == []
    assert engine.networks.list(filters={"label": "k8slab.cluster=lab"}) == []
    engine.close()


def test_a_cluster_on_an_etcd_survives_a_stop_and_a_crash(user):
    user("start --detach --runtime=simulated --nodes=1 --store=etcd")
    user.kubectl(NGINX)
    user("stop")
    user("start --detach")
    assert "web" in user.kubectl("get deployments")
    pid = user.pid()
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: gone(pid))
    user("start --detach")
    assert "web" in user.kubectl("get deployments")
    user("stop")
    assert "keeps its objects in etcd" in user("start --store=memory", code=1)


def test_an_unknown_store_is_named(user):
    assert "'oracle' is none of: memory, sqlite, etcd" in user("start --store=oracle", code=2)
