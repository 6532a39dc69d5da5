"""Which commands a simulated container knows: its image's programs, a shell, and the shell's everyday tools.

k8slab's own.
"""

from __future__ import annotations

from k8slab.cri.commands import COMMANDS
from k8slab.cri.machine import Machine
from k8slab.cri.process import Program
from k8slab.cri.programs import PROGRAMS
from k8slab.cri.shell import shell

_BIN = ("", "/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")
_SHELLS = {"ash": ("sh", "ash", "bash"), "bash": ("sh", "bash", "dash"), "": ()}


def find_program(machine: Machine, command: str) -> Program | None:
    """The program behind a command's name or path; None if the image has none."""
    directory, _, name = command.rpartition("/")
    own = PROGRAMS.get(machine.image.program, {})
    if name in own and (directory in _BIN):
        return own[name]
    if not machine.image.shell or directory not in _BIN:
        return None
    if name in _SHELLS[machine.image.shell]:
        return shell
    return COMMANDS.get(name)
