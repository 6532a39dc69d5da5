"""One small rollout, as a life that can be lived again and again while something goes wrong, and its end state."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import orjson

from k8slab.api.apps import Deployment
from k8slab.apimachinery.rest import JsonObject, Request, Response, copy_of
from k8slab.apiserver.resources import RESOURCES
from k8slab.client.line import Line
from k8slab.cri.api import ContainerState
from k8slab.engine.engine import Engine
from k8slab.engine.spec import Spec
from tests.client.fake_server import workload
from tests.controllers.fences import FenceWatcher

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:"
SELECTOR = {"app": "web"}
SERVICE = {"metadata": {"name": "web"}, "spec": {"selector": SELECTOR, "ports": [{"port": 80}]}}
BUDGET = {"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": SELECTOR}, "maxUnavailable": 1}}
NEW_IMAGE = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": f"{IMAGE}2.40"}]}}}}
LONG = 10.0

LEFT_OUT = {
    "uid": "chance",
    "resourceVersion": "the number of a write",
    "creationTimestamp": "a time",
    "managedFields": "holds times",
    "lastTransitionTime": "a time",
    "lastUpdateTime": "a time",
    "lastHeartbeatTime": "a time",
    "lastProbeTime": "a time",
    "startTime": "a time",
    "startedAt": "a time",
    "renewTime": "a time",
    "acquireTime": "a time",
    "disruptedPods": "holds times",
    "nodeName": "of two nodes that are as good, chance takes one",
    "hostIP": "follows from the node",
    "hostIPs": "follows from the node",
    "containerID": "chance",
    "images": "a node lists what was pulled there",
    "endpoints.kubernetes.io/last-change-trigger-time": "a time",
    "generation": "a ReplicaSet that is resized in one go is resized less often",
    "observedGeneration": "checked by itself: everybody has seen the last generation",
}
"""What may differ between two lives that ended in the same state, and why."""
GENERATED = (
    (re.compile(r"\b10\.244\.\d+\.\d+\b"), "<pod ip>"),  # the next free one of the node
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"\b(web(?:-[a-z0-9]{8,10})?|kube-api-access)-[a-z0-9]{5}\b"), r"\1-<chance>"),
)


class Rollout:
    """Two nodes, a Service, a disruption budget, and a Deployment of 2 replicas that has just been given a new image."""

    def __init__(self, seed: int = 1) -> None:
        self.engine = engine = Engine(Spec(("node-1", "node-2"), seed=seed))
        self.watcher = FenceWatcher(engine.clock)
        engine.store.subscribe(self.watcher.look)
        self._create("services", SERVICE)
        self._create("poddisruptionbudgets", BUDGET)
        self._create("deployments", workload("web", 2, f"{IMAGE}2.39"))
        engine.loop.run_until_idle(60)
        self.began = self.steps
        engine.client.patch(Deployment, "web", "default", copy_of(NEW_IMAGE))

    def _create(self, plural: str, body: JsonObject) -> None:
        [info] = (each for each in RESOURCES.values() if each.plural == plural)
        self.engine.client.create(info, copy_of(body), "default")

    @property
    def steps(self) -> int:
        return self.engine.loop.turns

    def go(self, steps: int) -> str:
        """So many units of work; who did the last."""
        worked = ""
        for _ in range(steps):
            worked = self.engine.loop.step()
        return worked

    def crash(self, *components: str, down: float = 0.0) -> None:
        """Crash components, and start them again after `down` seconds."""
        for name in components:
            self.engine.processes.crash(name)
        if down:
            self.engine.loop.run_for(down)
        for name in components:
            self.engine.processes.start(name)

    def kill_in_a_write(self, number: int, late: bool) -> tuple[str, str]:
        """Let the sender of a write of the rollout (1: the first) be killed, just before it gets through or just after.

        (who it was, what it wrote); empty if there are fewer writes than that.
        """
        killer = Killer(number, late)
        for line in self.engine.processes.lines.values():
            killer.sit_on(line)
        try:
            self.engine.loop.run_until_idle(600)
            killer.rest()
        except Killed as death:
            component, what = death.args
            self.engine.loop.working = ""
            self.crash(component)
            return component, what
        return "", ""

    def end(self) -> Counter[str]:
        """Let the rollout end, and let time pass; the end state, a line for each object and container. Closes the engine."""
        self.engine.loop.run_until_idle(600)
        self.engine.loop.run_for(LONG)
        assert self.watcher.broken == []
        objects = [orjson.loads(entry.value) for entry in self.engine.store.range("/registry/").entries]
        running = [
            f"{each.labels['io.kubernetes.container.name']} runs {each.image}"
            for runtime in self.engine.runtimes.values()
            for each in runtime.list_containers()
            if each.state is ContainerState.RUNNING
        ]
        self.engine.close()
        return Counter([*(told(each) for each in objects if each["kind"] != "Event"), *running])


class Killed(BaseException):
    """A process was killed in the middle of its work: nothing that it has can catch that. (component, its request)."""


class Killer:
    """Sits on all lines, and counts the writes."""

    def __init__(self, number: int, late: bool) -> None:
        self._left, self._late = number, late

    def rest(self) -> None:
        """Kill nobody any more."""
        self._left = 0

    def sit_on(self, line: Line) -> None:
        """Be asked about each request of this line."""
        through = line.send

        def send(request: Request) -> Response:
            self._left -= request.method != "GET"
            kills = request.method != "GET" and self._left == 0
            if kills and not self._late:
                raise Killed(line.name, str(request.method + " " + request.path))
            response = through(request)
            if kills:
                raise Killed(line.name, str(request.method + " " + request.path))
            return response

        line.send = send  # type: ignore[method-assign]


def ends_alike(life: Rollout, end: Counter[str], *case: Any, restarts: bool = False) -> None:
    """Let a life end, and compare. `restarts`: a container may have been started a second time."""
    mine = life.end()
    if restarts:
        mine = Counter(line.replace('"restartCount":1', '"restartCount":0') for line in mine.elements())
    assert mine == end, (*case, *(f"- {line}" for line in end - mine), *(f"+ {line}" for line in mine - end))


def told(obj: JsonObject) -> str:
    """An object as one line, without what may differ."""
    meta, status = obj["metadata"], obj.get("status") or {}
    if "observedGeneration" in status:
        assert status["observedGeneration"] == meta["generation"], f"{meta['name']} was not looked at"
    text = orjson.dumps(_without(obj), option=orjson.OPT_SORT_KEYS).decode()
    for pattern, name in GENERATED:
        text = pattern.sub(name, text)
    return text


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _without(each) for key, each in value.items() if key not in LEFT_OUT}
        return {key: each for key, each in kept.items() if each != {}}
    return [_without(each) for each in value] if isinstance(value, list) else value
