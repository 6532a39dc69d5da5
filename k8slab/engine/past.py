"""An API server as of a revision: what it says is what the cluster's said then.

It is the same API server, over a store that stands still and a clock that stands at that moment; so kubectl and every client
work as ever, and ages are those of then. What would change something, and what would reach into a container, is refused with
a sentence: of the containers nothing is kept but what the kubelets wrote down.

Its loop has no components, and stops when somebody asks for time to pass: so `kubectl get -w` ends at once, and says why.

k8slab's own.
"""

from __future__ import annotations

from k8slab.apimachinery.errors import ApiError, MethodNotAllowed
from k8slab.apimachinery.rest import Request, Response
from k8slab.apiserver.handlers.reviews import GROUPS as QUESTIONS
from k8slab.apiserver.routes import RequestInfo, request_info
from k8slab.apiserver.server import ApiServer
from k8slab.client.client import Client
from k8slab.client.transport import InProcess
from k8slab.clock import VirtualClock
from k8slab.engine.accounts import ADMIN
from k8slab.engine.inputs import READS
from k8slab.etcd.frozen import FrozenStore
from k8slab.etcd.store import Compacted, FutureRevision, Store
from k8slab.loop.stepped import Halt, SteppedLoop
from k8slab.names import Chance

INTO_CONTAINERS = ("attach", "exec", "log", "portforward", "proxy")
"""The subresources that reach into a container."""


class StillLoop(SteppedLoop):
    """Nobody works, and no time passes."""

    def __init__(self, clock: VirtualClock, chance: Chance, revision: int) -> None:
        super().__init__(clock, chance, lambda: revision)
        self._still = Halt(f"this is the past (revision {revision}), in which no time passes")

    def advance_to(self, when: float) -> bool:
        """Stop instead."""
        self.halt = self._still
        return False


class PastServer:
    """`store` as of `revision`, served on a clock that shows `now`. Raises ValueError for a revision that is not kept.

    `instead` says, at the end of a refusal, what to do instead.
    """

    def __init__(self, store: Store, revision: int, now: float, instead: str) -> None:
        try:
            self.store = FrozenStore(store, revision)
        except (Compacted, FutureRevision) as gone:
            raise ValueError(f"the store does not have revision {revision}: {gone}") from None
        self.clock = VirtualClock(now)
        # Chance is for writes, and there are none.
        chance = Chance(0)
        self.server = ApiServer(self.store, self.clock, chance)
        self.client = Client(InProcess(self.answer), ADMIN, "k8slab-admin")
        self.loop = StillLoop(self.clock, chance, revision)
        self._revision, self._instead = revision, instead

    def answer(self, request: Request) -> Response:
        """The answer of then; a Status that says why not, where that cannot be."""
        refusal = self._refusal(request, request_info(request))
        return Response(405, object=refusal.status) if refusal else self.server.handle(request)

    def _refusal(self, request: Request, info: RequestInfo) -> ApiError | None:
        here = f"this is the past (revision {self._revision})"
        if info.is_resource and info.subresource in INTO_CONTAINERS:
            return MethodNotAllowed(f"{here}: its containers are gone, and what they said is not kept; {self._instead}")
        # A question (`kubectl auth can-i`) is posted, and changes nothing.
        if request.method in READS or info.group in QUESTIONS:
            return None
        return MethodNotAllowed(f"{here}: it cannot be changed; {self._instead}")
