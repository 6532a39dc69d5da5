"""What programs see of the container they run in: host name, files, network, each other.

Files are a dictionary of paths. A mount leads to the node's dictionary instead, so containers that mount one directory
share its files, as an emptyDir volume promises.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from k8slab.cri.api import Mount
from k8slab.cri.images import WELCOME_PAGE, TeachingImage
from k8slab.cri.network import NetNamespace, SimulatedNetwork
from k8slab.names import Chance

if TYPE_CHECKING:
    from k8slab.cri.process import Process, Program

TERMINATION_LOG = "/dev/termination-log"
_DIRECTORIES = ("bin", "dev", "etc", "home", "proc", "root", "sys", "tmp", "usr", "usr/bin", "var", "var/run")


class NodeFiles(dict[str, bytes]):
    """The files of one node, by path.

    A folder may be *promised*: its files are made when somebody first looks into it. Not where several threads look at once
    (`lazy=False`): there a promise is kept at once. A promise is a tuple of names: there is one for every Pod, and most are
    never asked for.
    """

    def __init__(self, *, lazy: bool = True) -> None:
        super().__init__()
        self._lazy = lazy
        self._promised: dict[str, tuple[str, ...] | None] = {}
        """By folder; None for one that has been made."""
        self.make: Callable[..., dict[str, bytes]] = lambda *names: {}
        """What keeps a promise: given its names, the files by their paths below the folder."""

    def has_folder(self, folder: str) -> bool:
        """Whether a folder was promised, or made."""
        return folder in self._promised

    def promise(self, folder: str, *names: str) -> None:
        """A folder whose files can be made from these names."""
        self._promised[folder] = names
        if not self._lazy:
            self.look_into(folder)

    def look_into(self, folder: str) -> None:
        """Keep the promise of a folder, if there is one."""
        names = self._promised.get(folder)
        if names is not None:
            self._promised[folder] = None
            self.update({f"{folder}/{path}": content for path, content in self.make(*names).items()})

    def remove_below(self, above: str) -> None:
        """Forget the folders in a folder, and their files."""
        for known in (self._promised, self):
            for path in [path for path in known if path.startswith(above + "/")]:
                del known[path]


class Files:
    """The files of one container."""

    def __init__(self, own: dict[str, bytes], node: NodeFiles, mounts: tuple[Mount, ...]) -> None:
        self._own, self._node, self._mounts = own, node, mounts
        for mount in mounts:
            node.look_into(mount.host_path)
        self._directories = {f"/{name}" for name in _DIRECTORIES} | {mount.container_path for mount in mounts}

    def _place(self, path: str) -> tuple[dict[str, bytes], str]:
        for mount in self._mounts:
            root = mount.container_path.rstrip("/")
            if path == root or path.startswith(root + "/"):
                return self._node, mount.host_path.rstrip("/") + path[len(root) :]
        return self._own, path

    def read(self, path: str) -> bytes | None:
        """A file's content; None if there is no such file."""
        files, name = self._place(path)
        return files.get(name)

    def write(self, path: str, data: bytes) -> None:
        """Write a whole file. Raises OSError with the shell's words where that can't be."""
        if not self.is_directory(path.rpartition("/")[0] or "/"):
            raise OSError("nonexistent directory")
        if self.is_directory(path):
            raise OSError("Is a directory")
        if any(mount.readonly and path.startswith(mount.container_path.rstrip("/") + "/") for mount in self._mounts):
            raise OSError("Read-only file system")
        files, name = self._place(path)
        files[name] = data

    def remove(self, path: str) -> bool:
        """Whether there was such a file to remove."""
        files, name = self._place(path)
        return files.pop(name, None) is not None

    def make_directory(self, path: str) -> None:
        """`mkdir -p`."""
        while path not in ("", "/"):
            self._directories.add(path)
            path = path.rpartition("/")[0]

    def is_directory(self, path: str) -> bool:
        """Whether the path is a directory."""
        path = path.rstrip("/")
        return not path or path in self._directories or bool(self.names(path))

    def names(self, directory: str) -> list[str]:
        """What a directory holds, sorted."""
        prefix = directory.rstrip("/") + "/"
        files, inside = self._place(prefix)
        paths = [path[len(inside) :] for path in files if path.startswith(inside)]
        paths += [path[len(prefix) :] for path in self._directories if path.startswith(prefix)]
        return sorted({path.partition("/")[0] for path in paths} - {""})


@dataclass(slots=True)
class Machine:
    """One container from inside."""

    hostname: str
    image: TeachingImage
    version: str
    """What the program inside says it is: the image's tag."""
    net: NetNamespace
    network: SimulatedNetwork
    chance: Chance
    memory_limit: int
    node_files: NodeFiles
    programs: Callable[[Machine, str], Program | None]
    """Which program a command's name or path means here."""
    changed: Callable[[], None]
    """To be called when the moment of the container's end may have moved."""
    mounts: tuple[Mount, ...] = ()
    processes: list[Process] = field(default_factory=list)
    next_pid: int = 1
    _files: Files | None = None

    @property
    def files(self) -> Files:
        """Its files, made when first looked at: most containers never look."""
        if self._files is None:
            hosts = f"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n{self.net.ip}\t{self.hostname}\n"
            own = {
                "/etc/hostname": f"{self.hostname}\n".encode(),
                "/etc/hosts": b"# Kubernetes-managed hosts file.\n" + hosts.encode(),
                "/etc/os-release": b'PRETTY_NAME="k8slab simulated container"\nID=k8slab-simulated\n',
                "/etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
                TERMINATION_LOG: b"",
            }
            own.update((path, data) for path, data in IMAGE_FILES.get(self.image.program, {}).items())
            self._files = Files(own, self.node_files, self.mounts)
        return self._files

    def find_program(self, command: str) -> Program | None:
        """The program behind a command's name or path; None if there is none."""
        return self.programs(self, command)

    def add(self, process: Process) -> None:
        """A process was made."""
        process.pid = self.next_pid
        # The kernel's process ids are the node's; a gap between them is what `ps` shows in a real container too.
        self.next_pid += 6
        self.processes.append(process)

    def forget(self, process: Process) -> None:
        """A process has ended."""
        if process in self.processes:
            self.processes.remove(process)

    def termination_message(self) -> str:
        """What its programs left in /dev/termination-log."""
        return (self._files.read(TERMINATION_LOG) or b"").decode("utf-8", "replace") if self._files else ""


IMAGE_FILES: dict[str, dict[str, bytes]] = {
    "agnhost": {"/agnhost": b"\x7fELF"},
    "bootcamp": {"/server.js": b"// simulated: see k8slab/cri/programs/servers.py\n"},
    "nginx": {"/etc/nginx/nginx.conf": b"", "/usr/share/nginx/html/index.html": WELCOME_PAGE},
    "pause": {"/pause": b"\x7fELF"},
}
