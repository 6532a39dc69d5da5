"""Subresources that are more than a part of an object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from k8slab.apimachinery.rest import Request, Response
from k8slab.apiserver.routes import RequestInfo

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

SubresourceHandler = Callable[["ApiServer", RequestInfo, Request], Response]

SUBRESOURCES: Mapping[tuple[str, str, str], SubresourceHandler] = {}
