"""tar, as far as `kubectl cp` needs it: to standard output, and from standard input.

k8slab's own, after busybox.
"""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Iterator

from k8slab.cri.machine import Files
from k8slab.cri.process import Call, Program, Steps
from k8slab.cri.programs.arguments import absolute


def tar(call: Call) -> Steps:
    """`tar cf - PATH...`, `tar xf - [-C DIRECTORY]`."""
    letters, *rest = [*call.argv[1:], ""]
    directory = call.cwd
    if "-C" in rest:
        at = rest.index("-C")
        directory = absolute(call, rest[at + 1])
        del rest[at : at + 2]
    paths = [path for path in rest if path and path not in ("-", "--") and not path.startswith("-")]
    if "c" in letters:
        return _create(call, directory, paths)
    if "x" in letters:
        data = yield from call.stdin.read_all()
        return _extract(call, directory, data)
    call.err("tar: need at least one option\n")
    return 1


def _create(call: Call, directory: str, paths: list[str]) -> int:
    files, packed, code = call.machine.files, io.BytesIO(), 0
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in paths:
            where = posixpath.normpath(posixpath.join(directory, path))
            found = list(_under(files, where))
            if not found:
                call.err(f"tar: {path}: No such file or directory\n")
                code = 1
            for each in found:
                data = files.read(each)
                entry = tarfile.TarInfo(each.lstrip("/"))
                entry.mtime = int(call.now)
                if data is None:
                    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                else:
                    entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data or b""))
    call.write(1, packed.getvalue())
    return code


def _extract(call: Call, directory: str, data: bytes) -> int:
    files = call.machine.files
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for entry in archive:
                # `..` leads nowhere: what is packed stays below the directory.
                where = posixpath.join(directory, posixpath.normpath("/" + entry.name).lstrip("/"))
                if entry.isdir():
                    files.make_directory(where)
                elif (content := archive.extractfile(entry)) is not None:
                    files.make_directory(posixpath.dirname(where))
                    files.write(where, content.read())
    except (tarfile.TarError, OSError) as error:
        call.err(f"tar: {error}\n")
        return 1
    return 0


def _under(files: Files, path: str) -> Iterator[str]:
    """A file; or a directory and all that is in it."""
    if files.read(path) is not None:
        yield path
    elif files.is_directory(path):
        yield path
        for name in files.names(path):
            yield from _under(files, f"{path.rstrip('/')}/{name}")


COMMANDS: dict[str, Program] = {"tar": tar}
