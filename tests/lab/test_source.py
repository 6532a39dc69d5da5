from __future__ import annotations

import pytest

from k8slab.client import workqueue
from k8slab.client.workqueue import WorkQueue
from k8slab.lab import show


def test_the_source_is_the_live_one_with_its_file():
    source = show(WorkQueue.get)
    assert source.path == "k8slab/client/workqueue.py"
    assert repr(source).splitlines()[1].startswith("def get(self)")
    assert "```python\ndef get(self)" in source._repr_markdown_()
    assert not hasattr(source, "_repr_html_")  # a notebook would take that, and show it without colours


def test_classes_modules_and_properties_can_be_shown():
    assert "class WorkQueue" in repr(show(WorkQueue))
    assert repr(show(workqueue)).splitlines()[1].startswith('"""')
    assert "def revision" in repr(show(__import__("k8slab.etcd.memory", fromlist=["x"]).MemoryStore.revision))


def test_what_has_no_source_is_refused_in_a_sentence():
    with pytest.raises(TypeError, match="has no Python source"):
        show(3)
