"""Python's garbage collector, less often.

A cluster makes millions of small objects that stay: decoded JSON, views, the log. Python's cycle collector walks over all of
them again and again as their number grows, and finds nothing: what a cluster lets go holds no cycles. While the loop runs,
the collector therefore waits for many more new objects; nearly half of the time of a large deployment was spent there.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

NEW_OBJECTS = 1_000_000
"""As many more objects than were freed start a collection; Python's own number is 700."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Within it, collections are rare."""
    before = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
