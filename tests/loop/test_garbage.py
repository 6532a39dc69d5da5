"""Collections are rare while the loop runs, and only then."""

import gc

from k8slab.loop.garbage import NEW_OBJECTS, rare_collections


def test_collections_are_rare_within_and_as_before_afterwards():
    before = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold()[0] == NEW_OBJECTS
    assert gc.get_threshold() == before
