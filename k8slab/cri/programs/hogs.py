"""Programs that take memory, for lessons on limits: the kernel kills who takes more than its cgroup may have.

k8slab's own; `stress` after the program of that name.
"""

from __future__ import annotations

from k8slab.cri.process import FOREVER, Call, Steps
from k8slab.cri.programs.arguments import option

_MIB = 1 << 20
_UNITS = {"B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def _bytes(text: str) -> int:
    return int(float(text.rstrip("BKMG")) * _UNITS[text[-1]]) if text[-1:] in _UNITS else int(text)


def stress(call: Call) -> Steps:
    """`stress --vm 1 --vm-bytes 150M`: uses that much memory, for ever or for `--timeout` seconds."""
    workers, timeout = int(option(call.argv, "vm", "0")), float(option(call.argv, "timeout", "inf").rstrip("s"))
    call.out(f"stress: info: [1] dispatching hogs: 0 cpu, 0 io, {workers} vm, 0 hdd\n")
    call.process.use_memory(4 * _MIB + workers * _bytes(option(call.argv, "vm-bytes", "256M")))
    yield timeout
    call.out(f"stress: info: [1] successful run completed in {timeout:.0f}s\n")
    return 0


def leak(call: Call) -> Steps:
    """A program that never gives memory back: `leak --rate=8M` takes that much each second."""
    call.process.quiet = 1
    rate = option(call.argv, "rate", "8M")
    call.out(f"leaking {rate} a second\n")
    call.process.use_memory(4 * _MIB, _bytes(rate))
    yield FOREVER
    return 0
