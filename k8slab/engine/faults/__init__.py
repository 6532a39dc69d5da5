"""What can go wrong in a cluster, as a table.

A fault begins and ends, or happens once. Each row says what it does in one sentence, which arguments it takes, and how an
engine suffers it. Context managers, scenario files, chaos and the controls of the lab all read this table.

What is broken is always something between the parts, or under them, and each has its file here: a line, a process, a clock, a
machine. No component knows of faults.

k8slab's own.
"""

from k8slab.engine.faults.arguments import Argument
from k8slab.engine.faults.given import arguments_of, check_fault, fault_id
from k8slab.engine.faults.table import FAULTS, FaultKind

__all__ = ["FAULTS", "Argument", "FaultKind", "arguments_of", "check_fault", "fault_id"]
