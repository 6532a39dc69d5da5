"""What only the simulated runtime promises: virtual time, determinism, and a small price."""

from __future__ import annotations

import threading
import tracemalloc

import pytest

from k8slab.clock import NEVER, RealClock, VirtualClock, from_rfc3339
from k8slab.cri.api import ContainerConfig, ContainerState, CriError, LogOptions, Resources, SandboxConfig
from k8slab.cri.network import HttpRequest, SimulatedNetwork
from k8slab.cri.registry import SimulatedRegistry
from k8slab.cri.simulated import SimulatedRuntime
from k8slab.names import Chance
from tests.cri.harness import AGNHOST, BOOTCAMP, BUSYBOX, STRESS, Bell, simulated_node


def test_it_says_what_it_is(simulated):
    assert simulated.runtime.version().name == "simulated"


def test_without_a_range_of_addresses_the_network_is_not_ready():
    runtime = SimulatedRuntime("node-1", VirtualClock(), Chance(0))
    assert "cni plugin not initialized" in runtime.status()["NetworkReady"]
    with pytest.raises(CriError, match="cni plugin not initialized"):
        runtime.run_pod_sandbox(SandboxConfig("web", "default", "uid"))


# Time.


def test_a_container_ends_at_its_moment_and_the_agenda_says_when(simulated):
    container = simulated.shell("sleep 5; exit 2")
    start = simulated.now()
    assert simulated.runtime.next_change() == start + 5
    simulated.wait(60)
    ended = simulated.status(container)
    assert (ended.finished_at, ended.exit_code) == (start + 5, 2)
    assert simulated.runtime.next_change() == NEVER


def test_looking_late_changes_nothing_that_is_seen(simulated):
    container = simulated.shell("for i in 1 2 3; do echo $i; sleep 10; done")
    simulated.clock.advance_to(simulated.now() + 1000)
    stamps = [from_rfc3339(line.split()[0]) for line in simulated.output(container, timestamps=True).splitlines()]
    assert [round(stamp - stamps[0], 3) for stamp in stamps] == [0, 10, 20]


def test_servers_and_endless_loops_wake_nobody(simulated):
    simulated.start("/agnhost", "netexec", image=AGNHOST)
    simulated.shell("while true; do date; sleep 1; done")
    assert simulated.runtime.next_change() == NEVER


def test_a_follower_is_woken_at_each_line(simulated):
    container, bell = simulated.shell("while true; do echo tick; sleep 10; done"), Bell()
    stream = simulated.runtime.logs(container, LogOptions(follow=True), bell)
    assert simulated.runtime.next_change() == simulated.now() + 10
    simulated.wait(35)
    assert bell.count == 3
    assert stream.poll() == [(1, b"tick\n")] * 4
    stream.close()
    assert simulated.runtime.next_change() == NEVER


def test_an_exec_wakes_its_client_when_it_goes_on(simulated):
    container, bell = simulated.shell("sleep 1000"), Bell()
    stream = simulated.runtime.exec(container, ("sh", "-c", "sleep 7; echo done"), stdin=False, tty=False, wake=bell)
    assert simulated.runtime.next_change() == simulated.now() + 7
    simulated.wait(7)
    assert bell.count > 0
    assert stream.poll()[0] == (1, b"done\n")
    assert stream.closed


def test_an_exec_ends_with_its_container(simulated):
    container = simulated.shell("sleep 5")
    stream = simulated.runtime.exec(container, ("sleep", "100"), stdin=False, tty=False, wake=lambda: None)
    simulated.wait(6)
    assert b"137" in stream.poll()[-1][1]
    assert stream.closed


def test_stopping_says_how_long_it_takes(simulated):
    container = simulated.shell("sleep 1000")
    assert simulated.runtime.stop_container(container, 30) == 30
    assert simulated.runtime.next_change() == simulated.now() + 30


def test_a_leak_is_killed_at_the_limit(simulated):
    limits = Resources(memory_bytes=64 << 20)
    container = simulated.start("leak", "--rate=10M", image="k8slab/leak:1", resources=limits)
    start = simulated.now()
    ended = simulated.ended(container)
    assert (ended.reason, ended.finished_at - start) == ("OOMKilled", 6.0)


def test_memory_without_a_limit_is_nobodys_business(simulated):
    container = simulated.start(image=STRESS, args=("stress", "--vm", "1", "--vm-bytes", "1G"))
    simulated.wait(100)
    assert simulated.status(container).state is ContainerState.RUNNING
    assert simulated.runtime.container_stats(container).memory_bytes > 1 << 30


def test_a_crash_is_a_fault_that_a_lesson_can_order(simulated):
    container = simulated.shell("sleep 1000")
    simulated.runtime.crash(container)
    assert simulated.status(container).exit_code == 137


# Images.


def test_a_pull_takes_its_time(simulated):
    result = simulated.runtime.pull_image(AGNHOST)
    assert 1 < result.seconds < 3
    assert simulated.runtime.image_status(AGNHOST) is None
    simulated.wait(result.seconds)
    assert simulated.runtime.image_status(AGNHOST).size == result.size
    assert "@sha256:" in result.image_ref


def test_an_unknown_tag_is_not_found_in_containerds_words(simulated):
    name = "gcr.io/google-samples/kubernetes-bootcamp:v10"
    with pytest.raises(CriError) as raised:
        simulated.runtime.pull_image(name)
    assert str(raised.value) == (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{name}": '
        f'failed to resolve reference "{name}": {name}: not found'
    )


def test_an_unknown_repository_of_docker_hub_is_denied(simulated):
    with pytest.raises(CriError, match="pull access denied, repository does not exist or may require authorization"):
        simulated.runtime.pull_image("nosuchimage")


def test_a_registry_fails_until_it_is_healed():
    registry = SimulatedRegistry()
    runtime = SimulatedRuntime("node-1", VirtualClock(), Chance(0), registry)
    registry.fail("docker.io", "dial tcp: i/o timeout")
    with pytest.raises(CriError) as raised:
        runtime.pull_image("nginx:1.25")
    assert raised.value.code == "Unavailable"
    assert 'Head "https://registry-1.docker.io/v2/library/nginx/manifests/1.25": dial tcp: i/o timeout' in str(
        raised.value
    )
    registry.heal("docker.io")
    assert runtime.pull_image("nginx:1.25").seconds > 0


# The network.


def test_a_pod_answers_from_outside_too():
    network, clock = SimulatedNetwork(), VirtualClock()
    one, two = (SimulatedRuntime(name, clock, Chance(0), network=network) for name in ("node-1", "node-2"))
    one.update_runtime_config("10.244.0.0/24")
    two.update_runtime_config("10.244.1.0/24")
    config = SandboxConfig("web", "default", "uid")
    clock.advance_to(clock.now() + one.pull_image(BOOTCAMP).seconds)
    sandbox = one.run_pod_sandbox(config)
    one.start_container(one.create_container(sandbox, ContainerConfig("c", BOOTCAMP), config))
    clock.advance_to(clock.now() + 1)
    ip = one.list_pod_sandboxes()[0].ip
    assert network.request(ip, 8080, HttpRequest("GET", "/")).body == (
        b"Hello Kubernetes bootcamp! | Running on: web | v=1\n"
    )
    with pytest.raises(ConnectionRefusedError):
        network.request(ip, 81, HttpRequest("GET", "/"))
    with pytest.raises(TimeoutError):
        network.request("10.244.9.9", 80, HttpRequest("GET", "/"))


def test_a_program_may_ask_itself_through_another(simulated):
    sandbox = simulated.sandbox()
    script = "sleep 1; wget -qO- http://localhost:8080/hostname"
    simulated.start("/agnhost", "netexec", image=AGNHOST, sandbox=sandbox)
    container = simulated.shell(script, sandbox=sandbox)
    simulated.wait(2)
    assert simulated.output(container).startswith("pod-")


# The same seed, the same world.


def story(seed: int) -> list[object]:
    node = simulated_node(seed=seed)
    made = [node.shell(f"echo $RANDOM; sleep {n}; exit {n}") for n in range(5)]
    node.runtime.remove_pod_sandbox(node.status(made[0]).sandbox_id)
    node.shell("sleep 1")
    node.wait(3)
    seen = [*node.runtime.list_containers(), *node.runtime.list_pod_sandboxes(), *node.runtime.list_images()]
    return [*seen, *(node.output(container.id, timestamps=True) for container in node.runtime.list_containers())]


def test_the_same_seed_tells_the_same_story():
    assert story(1) == story(1)
    assert story(1) != story(2)


# Live: many threads.


def test_threads_may_share_a_node():
    clock = RealClock(speed=1000)
    runtime = SimulatedRuntime("node-1", clock, Chance(0))
    runtime.update_runtime_config("10.244.0.0/20")
    until = clock.now() + runtime.pull_image(BUSYBOX).seconds
    while clock.now() < until:
        pass
    failed: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            for number in range(40):
                config = SandboxConfig(f"p{worker}-{number}", "default", f"{worker}-{number}")
                sandbox = runtime.run_pod_sandbox(config)
                command = ("sh", "-c", "while true; do echo tick; sleep 1; done")
                container = runtime.create_container(sandbox, ContainerConfig("c", BUSYBOX, command=command), config)
                runtime.start_container(container)
                stream = runtime.logs(container, LogOptions(follow=True), lambda: None)
                runtime.exec_sync(container, ("echo", "hello"), 1)
                runtime.list_containers(), runtime.next_change(), stream.poll()
                runtime.remove_pod_sandbox(sandbox)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert failed == []
    assert runtime.list_containers() == runtime.list_pod_sandboxes() == []


# The price.


def many(runtime: SimulatedRuntime, count: int) -> None:
    for number in range(count):
        config = SandboxConfig(f"p{number}", "default", f"uid-{count}-{number}")
        sandbox = runtime.run_pod_sandbox(config)
        command = ("/agnhost", "netexec", "--http-port=8080")
        container = runtime.create_container(sandbox, ContainerConfig("c", AGNHOST, command=command), config)
        runtime.start_container(container)
        runtime.container_status(container)


def test_a_pod_costs_little_memory():
    node = simulated_node()
    node.runtime.update_runtime_config("10.244.0.0/16")
    node.pull(AGNHOST)
    many(node.runtime, 1000)
    tracemalloc.start()
    many(node.runtime, 999)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 8000 * 999
