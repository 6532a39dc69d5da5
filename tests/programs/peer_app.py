"""A kopf operator of which several run at once: peering decides whose turn it is. Errors are tried again, a few times."""

from __future__ import annotations

import os
from typing import Any

import kopf

GROUP = "peers.example.com"
ME = os.environ["OPERATOR"]


@kopf.on.startup()
def begin(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.peering.lifetime = 5


@kopf.on.create(GROUP, "v1", "robots", backoff=0.1)
@kopf.on.resume(GROUP, "v1", "robots", backoff=0.1)
def greet(retry: int, patch: kopf.Patch, status: kopf.Status, body: kopf.Body, **_: Any) -> None:
    if "handledBy" in status:
        return
    if retry < 2:
        raise kopf.TemporaryError("not yet", delay=0.1)
    kopf.info(body, reason="Greeted", message=f"{ME} says hello")
    patch.status["handledBy"] = ME
    patch.status["tries"] = retry + 1


@kopf.on.update(GROUP, "v1", "robots", field="spec.name")
def rename(new: str, **_: Any) -> None:
    raise kopf.PermanentError(f"{new} is no name")
