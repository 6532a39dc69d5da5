"""The judge of "The queue": the queue of keys that every controller works off.

The learner writes a class with `add`, `get` and `done`. The judge asks it directly, compares it with a model over many random
uses, and then puts it into a real cluster: the queue of the Deployment controller and of the ReplicaSet controller.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from k8slab.api.apps import Deployment
from k8slab.api.core import Pod
from k8slab.client.workqueue import WorkQueue
from k8slab.clock import Clock
from k8slab.controllers.deployment import DeploymentController
from k8slab.controllers.replicaset import ReplicaSetController
from k8slab.lab.checks import Check, Criterion, Fault, Result, check_callable, patient, raised
from k8slab.lab.checks.manifests import AGNHOST, deployment, web_server
from k8slab.lab.cluster import Cluster
from k8slab.mistake import Mistake
from k8slab.names import Chance

METHODS = ("add", "get", "done")
SEEDS = range(40)
CLUSTERS = ((5, 0.0), (6, 5.0))
"""Seeds, and how late the watches are, in seconds."""
USES = 30
KEYS = "abc"


def check_queue(make: Any) -> Result:
    """Judge a class with `add(key)`, `get()` and `done(key)`: directly, by random uses, and in a real cluster. 6 points."""
    return QUEUE(make)


def practice(make: Any, *uses: str) -> None:
    """Use a queue, and print what each `get` gives: `check.practice(Queue, "add a", "add b", "get", "done a")`.

    Raises Fault for a queue that cannot be used, Mistake for what is no use of one.
    """
    script = Script(make)
    for use in uses:
        name, _, key = use.partition(" ")
        if name not in METHODS or (name == "get") == bool(key):
            raise Mistake(f"{use!r} is no use of a queue: 'add KEY', 'get', or 'done KEY'")
        with patient():
            print(f"get() gives {script.get()!r}" if name == "get" else use)
            if name == "add":
                script.add(key)
            elif name == "done":
                script.done(key)


class Script:
    """A queue, and what was done with it, for messages."""

    def __init__(self, make: Any) -> None:
        check_callable("Queue", make, "class")
        try:
            self._queue = make()
        except Exception as error:
            raise Fault(f"`Queue()`: {raised(error)}") from error
        if missing := [name for name in METHODS if not callable(getattr(self._queue, name, None))]:
            raise Fault(f"the queue has no {missing[0]!r}; it needs add, get and done")
        self.done_so_far: list[str] = []

    def add(self, key: str) -> None:
        """Put a key in."""
        self._call("add", key)

    def get(self) -> Any:
        """Take a key out."""
        return self._call("get")

    def done(self, key: str) -> None:
        """The work on it is over."""
        self._call("done", key)

    def gives(self, wanted: str | None, why: str) -> None:
        """Take a key out. Raises Fault if it is another one."""
        before = self.told
        found = self.get()
        if found != wanted:
            raise Fault(f"after {before}, get() should give {wanted!r}, and gave {found!r}: {why}")

    @property
    def told(self) -> str:
        """What was done."""
        return ", ".join(self.done_so_far) or "nothing"

    def _call(self, name: str, *arguments: str) -> Any:
        self.done_so_far.append(f"{name}({', '.join(map(repr, arguments))})")
        try:
            return getattr(self._queue, name)(*arguments)
        except Exception as error:
            raise Fault(f"{self.told}: {raised(error)}") from error


def _in_order(make: Any) -> None:
    script = Script(make)
    for key in "bac":
        script.add(key)
    for key in "bac":
        script.gives(key, "keys come out in the order in which they were added")
    script.gives(None, "there is no other key: every one is being worked on")


def _once(make: Any) -> None:
    script = Script(make)
    for key in "aaba":
        script.add(key)
    script.gives("a", "the oldest key is a")
    script.gives("b", "a was added three times, and is in the queue once: many events make one reconcile")
    script.gives(None, "there is nothing left")


def _not_two_at_once(make: Any) -> None:
    script = Script(make)
    script.add("a")
    script.gives("a", "it was added")
    script.add("a")
    script.gives(None, "a is being worked on: nobody else may begin with it")


def _comes_back(make: Any) -> None:
    script = Script(make)
    script.add("a")
    script.gives("a", "it was added")
    script.add("a")
    script.add("a")
    script.done("a")
    script.gives("a", "it was added while it was worked on: something has changed since, so it must come back")
    script.done("a")
    script.gives(None, "it has come back once, and that is enough")


class _Model:
    """What a queue should do."""

    def __init__(self) -> None:
        self.queue: deque[str] = deque()
        self.dirty: set[str] = set()
        self.working: set[str] = set()

    def add(self, key: str) -> None:
        if key not in self.dirty:
            self.dirty.add(key)
            if key not in self.working:
                self.queue.append(key)

    def get(self) -> str | None:
        if not self.queue:
            return None
        key = self.queue.popleft()
        self.dirty.discard(key)
        self.working.add(key)
        return key

    def done(self, key: str) -> None:
        self.working.discard(key)
        if key in self.dirty:
            self.queue.append(key)


def _whatever_happens(make: Any) -> None:
    for seed in SEEDS:
        script, model, draw = Script(make), _Model(), Chance(seed).stream("uses")
        for _ in range(USES):
            use = draw.choice(("add", "add", "get", "done"))
            if use == "add":
                key = draw.choice(KEYS)
                script.add(key)
                model.add(key)
            elif use == "get":
                script.gives(model.get(), "so says a queue that keeps all the rules")
            elif model.working:
                key = draw.choice(sorted(model.working))
                script.done(key)
                model.done(key)


class _Borrowed(WorkQueue):
    """Our queue's delays and back-offs, around the learner's queue."""

    def __init__(self, clock: Clock, name: str, inner: Any) -> None:
        super().__init__(clock, name)
        self._inner = inner

    def _add(self, key: str) -> None:
        self._inner.add(key)
        self._queue.append(key)  # only so that there is something to wake up for

    def get(self) -> str | None:
        """The learner's next key."""
        self._collect()
        self._queue.clear()
        key: str | None = self._inner.get()
        if key is not None:
            self._queue.append(key)
            self.observer.began(key)
        return key

    def done(self, key: str, result: str = "") -> None:
        """The work on it is over."""
        self.observer.ended(key, result)
        self._inner.done(key)
        self._queue.append(key)


def _in_a_cluster(make: Any) -> None:
    Script(make)

    class Deployments(DeploymentController):
        def make_queue(self) -> WorkQueue:
            return _Borrowed(self.clock, self.name, make())

    class ReplicaSets(ReplicaSetController):
        def make_queue(self) -> WorkQueue:
            return _Borrowed(self.clock, self.name, make())

    for seed, slow in CLUSTERS:
        with Cluster(nodes=2, seed=seed, replace={"deployment": Deployments, "replicaset": ReplicaSets}) as cluster:
            for controller in ("deployment-controller", "replicaset-controller") if slow else ():
                cluster.fault("slow-watch", component=controller, delay=slow, repeat=0.2, lose=0).start()
            for number in range(4):
                cluster.client.create(Deployment, deployment(f"web-{number}", AGNHOST, 2, web_server()), "default")
            cluster.run_for("1m")
            cluster.client.delete(Pod, cluster.client.list(Pod, "default")[0].name, "default")
            cluster.client.patch(Deployment, "web-3", "default", {"spec": {"replicas": 4}})
            cluster.run_for("2m")
            running = sum(1 for pod in cluster.client.list(Pod, "default") if pod.ready and pod.active)
            if running != 10:
                how = f"in a cluster of seed {seed}" + (" with a slow watch" if slow else "")
                raise Fault(
                    f"{how}, with four Deployments of 2, 2, 2 and 4 replicas, {running} of 10 Pods run: keys were lost"
                )


Judge = Callable[[Any], None]
ORDER = "in the order of adding"
CRITERIA: Sequence[tuple[str, Judge]] = (
    (ORDER, _in_order),
    ("once, however often it was added", _once),
    ("not to two at once", _not_two_at_once),
    ("what was added meanwhile comes back", _comes_back),
    ("whatever happens", _whatever_happens),
    ("in a cluster", _in_a_cluster),
)

QUEUE = Check(
    [Criterion(name, 1, judge, needs="" if name == ORDER else ORDER) for name, judge in CRITERIA],
    hints=[
        "Three collections: the keys that wait, in their order; the keys that somebody works on; and the keys about which there "
        "is news that nobody has taken up yet.",
        "`add`: if there is news of the key already, do nothing. Else note it; and if nobody works on the key, it waits at the "
        "end. `get`: take the first that waits, forget the news, note that it is worked on.",
        "`done`: nobody works on it any more. If there is news of it, it waits at the end.",
    ],
)
