"""Which commands a simulated container knows: its image's programs, a shell, and the shell's everyday tools.

k8slab's own.
"""

from __future__ import annotations

from k8slab.cri.machine import Machine
from k8slab.cri.process import Program
from k8slab.cri.programs import archive, files, hogs, http_clients, servers, system, text
from k8slab.cri.programs.shell import shell

IMAGES: dict[str, dict[str, Program]] = {
    "agnhost": {"agnhost": servers.agnhost},
    "bootcamp": {"node": servers.bootcamp},
    "nginx": {"docker-entrypoint.sh": servers.docker_entrypoint, "nginx": servers.nginx},
    "pause": {"pause": servers.pause},
    "stress": {"stress": hogs.stress},
    "leak": {"leak": hogs.leak},
    "busybox": {},
}
"""What each kind of image holds besides the commands."""

COMMANDS: dict[str, Program] = {
    **text.COMMANDS,
    **files.COMMANDS,
    **archive.COMMANDS,
    **system.COMMANDS,
    **http_clients.COMMANDS,
}

_BIN = ("", "/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")
_SHELLS = {"ash": ("sh", "ash", "bash"), "bash": ("sh", "bash", "dash"), "": ()}


def find_program(machine: Machine, command: str) -> Program | None:
    """The program behind a command's name or path; None if the image has none."""
    directory, _, name = command.rpartition("/")
    if directory not in _BIN:
        return None
    own = IMAGES.get(machine.image.program, {})
    if name in own:
        return own[name]
    if not machine.image.shell:
        return None
    return shell if name in _SHELLS[machine.image.shell] else COMMANDS.get(name)
