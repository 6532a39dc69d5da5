"""One node under test, whatever runs its containers."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from k8slab.clock import VirtualClock
from k8slab.cri.api import (
    Container,
    ContainerConfig,
    ContainerState,
    LogOptions,
    Runtime,
    SandboxConfig,
)
from k8slab.cri.simulated import SimulatedRuntime
from k8slab.names import Chance

BUSYBOX = "busybox:1.36"
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.39"
BOOTCAMP = "gcr.io/google-samples/kubernetes-bootcamp:v1"
NGINX = "nginx:1.25"
STRESS = "polinux/stress"


class Node:
    """A runtime, and the few words that tests use with it."""

    def __init__(self, runtime: Runtime, clock: VirtualClock | None, directory: Path) -> None:
        self.runtime, self.clock, self.directory = runtime, clock, directory
        self._numbers = itertools.count()
        self.sandbox_config = SandboxConfig("unused", "default", "uid")

    def now(self) -> float:
        return self.clock.now() if self.clock else time.time()

    def wait(self, seconds: float) -> None:
        """Let time pass, event by event."""
        if self.clock is None:
            time.sleep(seconds)
            return
        end = self.clock.now() + seconds
        while (change := self.runtime.next_change()) is not None and change <= end:
            self.clock.advance_to(change)
            self.runtime.list_containers()
        self.clock.advance_to(end)

    def until(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        step = 0.05
        for _ in range(int(seconds / step)):
            if condition():
                return
            self.wait(step)
        raise AssertionError(f"not within {seconds} seconds")

    def pull(self, image: str) -> None:
        if self.runtime.image_status(image) is None:
            self.wait(self.runtime.pull_image(image).seconds)

    def sandbox(self, name: str = "", **options: object) -> str:
        name = name or f"pod-{next(self._numbers)}"
        self.sandbox_config = SandboxConfig(name, "default", f"uid-{name}", **options)
        return self.runtime.run_pod_sandbox(self.sandbox_config)

    def create(self, *command: str, image: str = BUSYBOX, sandbox: str = "", **options: object) -> str:
        self.pull(image)
        name = str(options.pop("name", f"c{next(self._numbers)}"))
        config = ContainerConfig(name, image, command=command, **options)
        return self.runtime.create_container(sandbox or self.sandbox(), config, self.sandbox_config)

    def start(self, *command: str, **options: object) -> str:
        container = self.create(*command, **options)
        self.runtime.start_container(container)
        return container

    def shell(self, script: str, **options: object) -> str:
        return self.start("sh", "-c", script, **options)

    def status(self, container: str) -> Container:
        return self.runtime.container_status(container)

    def ended(self, container: str) -> Container:
        self.until(lambda: self.status(container).state is ContainerState.EXITED)
        return self.status(container)

    def output(self, container: str, **options: object) -> str:
        return b"".join(data for _, data in self.chunks(container, **options)).decode()

    def chunks(self, container: str, **options: object) -> list[tuple[int, bytes]]:
        stream = self.runtime.logs(container, LogOptions(**options), lambda: None)
        return self.drain(stream)

    def drain(self, stream) -> list[tuple[int, bytes]]:
        chunks: list[tuple[int, bytes]] = []

        def done() -> bool:
            chunks.extend(stream.poll())
            return stream.closed

        self.until(done)
        return chunks

    def exec(self, container: str, *command: str, stdin: bytes | None = None, tty: bool = False):
        """(stdout, stderr, the Status) of a command with streams."""
        stream = self.runtime.exec(container, command, stdin=stdin is not None, tty=tty, wake=lambda: None)
        if stdin is not None:
            stream.send(0, stdin)
            stream.close_stdin()
        return split(self.drain(stream))

    def get(self, container: str, url: str) -> str:
        """A page, asked for from inside the container, once its server answers."""
        answers = []

        def asked() -> bool:
            answer = self.runtime.exec_sync(container, ("wget", "-qO-", url), 5)
            answers.append(answer.stdout.decode())
            return answer.exit_code == 0

        self.until(asked)
        return answers[-1]

    def clean(self) -> None:
        for sandbox in self.runtime.list_pod_sandboxes():
            self.runtime.remove_pod_sandbox(sandbox.id)


def split(chunks: list[tuple[int, bytes]]):
    by_channel = {channel: b"".join(data for number, data in chunks if number == channel) for channel in (1, 2, 3)}
    return by_channel[1], by_channel[2], orjson.loads(by_channel[3] or b"null")


def simulated_node(directory: Path = Path("/sim"), seed: int = 0) -> Node:
    clock = VirtualClock()
    runtime = SimulatedRuntime("node-1", clock, Chance(seed))
    runtime.update_runtime_config("10.244.0.0/24")
    return Node(runtime, clock, directory)


class Bell:
    """A `wake` that counts."""

    def __init__(self) -> None:
        self.rung = threading.Event()
        self.count = 0

    def __call__(self) -> None:
        self.count += 1
        self.rung.set()
