"""The control loop.

A controller watches, and its watches fill its queue with keys. For each key it compares what is with what should be, and
does the next thing that brings the one closer to the other. It does not remember what it was doing: whatever happened, the
same look leads to the same next step. That is what *level-triggered* means.

    class Mine(Controller):
        name = "mine-controller"
        def reconcile(self, key): ...

Models: the Run/worker/processNextWorkItem/syncHandler of every controller in pkg/controller.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from k8slab.apimachinery.errors import ApiError
from k8slab.apimachinery.model import KubeObject
from k8slab.client.client import Client
from k8slab.client.informer import Informer
from k8slab.client.recorder import EventRecorder
from k8slab.client.reflector import Reflector
from k8slab.client.workqueue import WorkQueue
from k8slab.clock import NEVER, Clock
from k8slab.names import Chance

log = logging.getLogger(__name__)

T = TypeVar("T", bound=KubeObject)
R = TypeVar("R", bound=Reflector)


class NotYet(Exception):
    """Raised by a reconcile that can only wait: the key comes back later and later, and nothing has gone wrong.

    `background`: nobody in the cluster is at work on what it waits for. A cluster that only waits for such things is idle.
    """

    def __init__(self, why: str, background: bool = False) -> None:
        super().__init__(why)
        self.background = background


class Controller:
    """Watches, a queue, and a reconcile. Subclasses make their informers in `__init__`, by `self.informer(...)`."""

    name = "controller"

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, *, wake: Callable[[], None] = lambda: None
    ) -> None:
        self.client, self.clock, self.chance = client, clock, chance
        self.queue = self.make_queue()
        self.recorder = EventRecorder(client, clock, self.name)
        self.informers: list[Reflector] = []
        self._wake = wake
        self._next_release = NEVER

    def make_queue(self) -> WorkQueue:
        """The queue of its keys."""
        return WorkQueue(self.clock, self.name)

    def informer(self, kind: type[T], **options: Any) -> Informer[T]:
        """A watch of this controller's: what it tells wakes the controller. Options as of `Informer`."""
        return self.follow(Informer(self.client, kind, wake=self._wake, **options))

    def follow(self, watch: R) -> R:
        """Drain this watch, too, in each turn."""
        watch.observer = self.queue.observer  # one that is opened later is observed like those from the beginning
        self.informers.append(watch)
        return watch

    def reconcile(self, key: str) -> float | None:
        """Bring what is closer to what should be. Returns in how many seconds to look again, None: when something changes.

        What it raises is retried later: `NotYet` and an ApiError quietly, anything else with a line in the log.
        """
        raise NotImplementedError

    def step(self) -> bool:
        """Bring the caches up to date, then work off one key. False if there was neither news nor a key."""
        now = self.clock.now()
        news = [informer.drain() for informer in self.informers if informer.stale or informer.release <= now]
        if news:
            self._next_release = min(informer.release for informer in self.informers)
        key = self.queue.get()
        if key is None:
            return any(news)
        result = ""
        try:
            again = self.reconcile(key)
        except ApiError as error:
            result = error.message
            log.debug("%s: %s: %s", self.name, key, error.message)
            if _namespace_goes(error):
                self.queue.forget(key)
            else:
                self.queue.add_rate_limited(key)
        except NotYet as why:
            result = str(why)
            self.queue.add_rate_limited(key, why.background)
        except Exception as fault:
            result = f"{type(fault).__name__}: {fault}"
            log.exception("%s failed at %s, and will try again", self.name, key)
            self.queue.add_rate_limited(key)
        else:
            self.queue.forget(key)
            if again is not None:
                self.queue.add_after(key, again)
        finally:
            self.queue.done(key, result)
        return True

    def next_deadline(self) -> float:
        """When a key comes due, or a watch brings news that it held back."""
        return min(self.queue.next_ready(), self._next_release)

    def next_work(self) -> float:
        """The same, without keys that wait in the background."""
        return min(self.queue.next_work(), self._next_release)

    def close(self) -> None:
        """Stop watching."""
        for informer in self.informers:
            informer.close()


def _namespace_goes(error: ApiError) -> bool:
    """Whether the namespace is being deleted: then trying again is of no use."""
    return any(cause.get("reason") == "NamespaceTerminating" for cause in error.causes)
