"""Reads that must be at least as new as a revision, and what is answered where the store has not got there.

A client that has seen revision n elsewhere asks for "not older than n". Upstream waits three seconds for its cache to get
there. So does a live cluster, on a thread of its own, so that nobody else waits. On a virtual clock nothing can happen
while the server waits: the answer is given at once.

Models: k8s.io/apiserver/pkg/storage/cacher/watch_cache.go (waitUntilFreshAndBlock), pkg/storage/errors.go.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from k8slab.apimachinery.errors import ApiError, Timeout
from k8slab.apimachinery.rest import Pending, Request, Response
from k8slab.clock import RealClock

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

BLOCK_TIMEOUT = 3.0
"""Seconds that a read waits for the store to reach its revision."""
RETRY_AFTER = 1


def too_large(asked: int, current: int, retry: int = 0) -> ApiError:
    """The answer to a revision that the store has not reached."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    details = {"causes": [cause]} | ({"retryAfterSeconds": retry} if retry else {})
    return Timeout(f"Timeout: Too large resource version: {asked}, current: {current}", details=details)


def when_fresh(server: ApiServer, request: Request, revision: int) -> Response:
    """The answer to a request once the store has reached `revision`. Raises Timeout on a virtual clock."""
    clock, store = server.clock, server.store
    if not isinstance(clock, RealClock):
        raise too_large(revision, store.revision, RETRY_AFTER)

    def wait() -> Response:
        written = threading.Event()
        end_subscription = store.subscribe(lambda entries: written.set())
        until = clock.now() + BLOCK_TIMEOUT
        try:
            while store.revision < revision and clock.now() < until:
                clock.wait(written, until)
                written.clear()
        finally:
            end_subscription()
        if store.revision >= revision:
            return server.handle(request)
        error = too_large(revision, store.revision, RETRY_AFTER)
        return Response(error.code, object=error.status)

    return Pending(200, wait=wait)
