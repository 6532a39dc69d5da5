"""What only the Docker runtime promises: how it shares an Engine with others, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from k8slab.cri.api import CriError, LogOptions, Resources
from k8slab.cri.images import PAUSE_IMAGE
from k8slab.cri.registry import SimulatedRegistry
from tests.cri.harness import BUSYBOX, Node, split
from tests.cri.oci_registry import OciRegistry

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def engine():
    from k8slab.cri.docker import DockerRuntime
    from k8slab.cri.docker_engine import Engine

    if reason := DockerRuntime.available():
        pytest.skip(reason)
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture
def make(engine, tmp_path):
    """Makes clusters of one node, and cleans up after them."""
    from k8slab.cri.docker import docker_runtimes

    made = []

    def make_node(name: str = "cluster", **options: object) -> Node:
        (runtime,) = docker_runtimes(name, ["node-1"], **options).values()
        runtime.update_runtime_config("10.244.0.0/24")
        made.append(runtime)
        return Node(runtime, None, tmp_path)

    yield make_node
    for runtime in made:
        runtime.clean_up()
        runtime.close()


def traces(engine, run: str) -> list[object]:
    """Everything in Docker that belongs to a run."""
    mine = {"label": f"k8slab.run={run}"}
    tags = [tag for image in engine.images() for tag in image["RepoTags"] or () if f"/{run}/" in tag]
    return [
        *engine.containers(all=True, filters=mine),
        *engine.networks(filters=mine),
        *tags,
        *engine.images(filters=mine),
    ]


def test_limits_become_cgroups(make, engine):
    node = make()
    limits = Resources(cpu_millis=500, cpu_request_millis=250, memory_bytes=64 << 20)
    config = engine.inspect_container(node.create("true", resources=limits))["HostConfig"]
    assert (config["CpuShares"], config["CpuQuota"], config["CpuPeriod"]) == (256, 50_000, 100_000)
    assert (config["Memory"], config["MemorySwap"]) == (64 << 20, 64 << 20)


def test_names_and_labels_are_those_of_cri_dockerd(make, engine):
    node = make()
    sandbox = node.sandbox("web")
    seen = engine.inspect_container(node.create("true", sandbox=sandbox, name="main", attempt=2))
    assert seen["Name"] == f"/k8s_main_web_default_uid-web_2_{node.runtime.run}"
    labels = seen["Config"]["Labels"]
    assert labels["io.kubernetes.docker.type"] == "container"
    assert labels["io.kubernetes.pod.name"] == "web"
    assert labels["io.kubernetes.sandbox.id"] == sandbox
    assert labels["k8slab.cluster"] == "cluster"


def test_a_container_joins_its_pods_namespaces(make):
    node = make()
    sandbox = node.sandbox()
    one, two = (node.shell("sleep 1000", sandbox=sandbox) for _ in range(2))
    look = ("sh", "-c", "readlink /proc/1/ns/net; readlink /proc/1/ns/ipc")
    spaces = [node.runtime.exec_sync(container, look, 5).stdout for container in (one, two)]
    assert spaces[0] == spaces[1] != b""


def test_two_clusters_of_one_name_do_not_meet(make):
    one, two = make("lab"), make("lab")
    one.sandbox("web"), two.sandbox("web")
    (first,), (second,) = (node.runtime.list_pod_sandboxes() for node in (one, two))
    assert first.id != second.id
    assert first.ip != second.ip


def test_cleaning_up_leaves_no_trace_and_no_other_cluster_is_touched(make, engine):
    one, two = make("lab"), make("lab")
    one.shell("sleep 1000"), two.shell("sleep 1000")
    one.runtime.clean_up()
    assert traces(engine, one.runtime.run) == []
    assert len(two.runtime.list_containers()) == 1


def test_a_kept_cluster_finds_its_pods_again(make, engine):
    from k8slab.cri.docker import clean_up

    before = make("kept", ephemeral=False)
    container = before.shell("sleep 1000", name="main", labels={"a": "b"})
    seen, sandboxes = before.status(container), before.runtime.list_pod_sandboxes()
    after = make("kept", ephemeral=False)
    assert after.runtime.list_containers() == [seen]
    assert after.runtime.list_pod_sandboxes() == sandboxes
    after.sandbox("another")  # at an address that is still free
    assert len({sandbox.ip for sandbox in after.runtime.list_pod_sandboxes()}) == 2
    clean_up("kept")
    assert traces(engine, "kept") == []


def test_what_a_killed_process_left_is_swept_by_the_next(make, engine):
    script = """
import sys
from tests.cri.harness import Node
from k8slab.cri.docker import docker_runtimes
runtime = docker_runtimes("crash", ["node-1"])["node-1"]
runtime.update_runtime_config("10.244.0.0/24")
Node(runtime, None, None).shell("sleep 1000")
print(runtime.run, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        run = process.stdout.readline().decode().strip()
        assert len(engine.containers(filters={"label": f"k8slab.run={run}"})) == 2
        os.kill(process.pid, signal.SIGKILL)
    make()
    assert traces(engine, run) == []


def test_a_user_keeps_an_image_that_the_cluster_used(make, engine):
    node = make()
    node.pull(BUSYBOX)
    engine.tag(node.runtime.image_status(BUSYBOX).id, "example.com/mine", "1")
    node.pull("example.com/mine:1")
    node.runtime.remove_image("example.com/mine:1")
    assert node.runtime.image_status("example.com/mine:1") is None
    assert engine.inspect_image("example.com/mine:1")
    engine.remove_image("example.com/mine:1")


def test_removing_an_image_in_use_leaves_its_container_alone(make):
    node = make()
    container = node.shell("sleep 1000")
    node.runtime.remove_image(BUSYBOX)
    assert node.runtime.image_status(BUSYBOX) is None
    assert node.status(container).finished_at == 0


def test_a_fault_of_the_registry_reaches_the_pull(make):
    registry = SimulatedRegistry()
    node = make(registry=registry)
    registry.fail("docker.io", "i/o timeout")
    with pytest.raises(CriError, match="i/o timeout"):
        node.runtime.pull_image(BUSYBOX)
    registry.heal("docker.io")
    node.runtime.pull_image(BUSYBOX)


def test_a_wrong_table_of_mirrors_is_refused_before_anything_is_made(engine):
    from k8slab.cri.docker import docker_runtimes

    with pytest.raises(ValueError, match="not a mirror"):
        docker_runtimes("cluster", ["node-1"], mirrors="nonsense")


def test_images_come_through_the_mirror_table(make, engine):
    with OciRegistry({"k8s/app": {"1.0": {"hello.txt": b"from the mirror"}}}) as mirror:
        node = make(mirrors=f"registry.k8s.io={mirror.address}/k8s")
        result = node.runtime.pull_image("registry.k8s.io/app:1.0")
        held = node.runtime.image_status("registry.k8s.io/app:1.0")
        assert held.tags == ("registry.k8s.io/app:1.0",)
        assert result.size == held.size > 0
        names = [tag for image in engine.images() for tag in image["RepoTags"] or ()]
        assert not any(mirror.address in name for name in names)  # only our own tag stays
        with pytest.raises(CriError) as raised:
            node.runtime.pull_image("registry.k8s.io/app:2.0")
        assert raised.value.code == "NotFound"


def test_a_pull_that_breaks_off_leaves_no_image(make, engine):
    with OciRegistry({"app": {"1": {"file": b"x" * 1000}}}, broken_layers=True) as registry:
        node = make()
        with pytest.raises(CriError):
            node.runtime.pull_image(f"{registry.address}/app:1")
        assert node.runtime.image_status(f"{registry.address}/app:1") is None


def test_many_threads_may_pull_and_run_at_once(make):
    node = make()
    made, failed = [], []

    def work(number: int) -> None:
        try:
            own = Node(node.runtime, None, node.directory)
            sandbox = own.sandbox(f"p{number}")
            made.append(own.shell("true", sandbox=sandbox))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert failed == []
    assert len({sandbox.ip for sandbox in node.runtime.list_pod_sandboxes()}) == len(made) == 6


def test_a_follower_is_woken(make):
    node, woken = make(), threading.Event()
    container = node.shell("sleep 0.5; echo now; sleep 1000")
    stream = node.runtime.logs(container, LogOptions(follow=True), woken.set)
    assert woken.wait(10)
    assert stream.poll() == [(1, b"now\n")]
    stream.close()


def test_a_terminal_has_the_size_that_it_is_given(make):
    node = make()
    stream = node.runtime.exec(node.shell("sleep 1000"), ("sh",), stdin=True, tty=True, wake=lambda: None)
    stream.send(4, b'{"Width": 91, "Height": 33}')
    stream.send(0, b"stty size; exit\n")
    assert b"33 91\r\n" in split(node.drain(stream))[0]


def test_an_image_without_its_name_is_never_used_and_is_swept(make, engine, monkeypatch):
    node = make()
    monkeypatch.setattr(node.runtime.images, "_tag", lambda *names: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        node.runtime.pull_image(BUSYBOX)
    assert node.runtime.image_status(BUSYBOX) is None
    assert len(engine.images(filters={"label": f"k8slab.run={node.runtime.run}"})) == 1
    node.runtime.clean_up()
    assert traces(engine, node.runtime.run) == []


def test_threads_end_with_their_streams(make):
    node = make()
    container = node.shell("sleep 1000")
    before = threading.active_count()
    streams = [node.runtime.logs(container, LogOptions(follow=True), lambda: None) for _ in range(3)]
    streams.append(node.runtime.exec(container, ("sh",), stdin=True, tty=True, wake=lambda: None))
    for stream in streams:
        stream.close()
    node.until(lambda: threading.active_count() == before)


def test_the_pause_image_is_a_teaching_image_where_no_registry_answers(make, engine):
    node = make()
    node.sandbox()
    assert any(PAUSE_IMAGE in image.tags for image in node.runtime.list_images())


def test_a_docker_that_does_not_answer_is_explained():
    script = "from k8slab.cri.docker import DockerRuntime; print(DockerRuntime.available())"
    environment = {**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("No Docker Engine answers at unix:///nonexistent/docker.sock: start Docker")


def test_everything_is_labelled(make, engine):
    node = make("labelled")
    node.shell("sleep 1000")
    found = engine.containers(all=True, filters={"label": "k8slab.cluster=labelled"})
    assert len(found) == 2
    assert len(engine.networks(filters={"label": "k8slab.cluster=labelled"})) == 1
