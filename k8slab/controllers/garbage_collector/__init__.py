"""The garbage collector: what nobody owns any more goes.

Read `graph.py` first (who owns whom), then `graph_builder.py` (how the graph follows the cluster), `fate.py` (what becomes of
one object, in twenty lines) and `garbage_collector.py` (who does it).
"""

from k8slab.controllers.garbage_collector.garbage_collector import GarbageCollector

__all__ = ["GarbageCollector"]
