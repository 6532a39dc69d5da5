"""Starting a cluster in the background, and telling its user how that goes.

The child writes its progress to the profile's log, line by line; the parent shows the lines until `READY`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from k8slab.cli.profile import Profile
from k8slab.clock import Stopwatch, sleep_really

READY = "READY"
START_WITHIN = 180.0
TAIL = 15


class DetachedFailed(Exception):
    """The process in the background ended before it was ready; the text holds its last lines."""


def start_detached(profile: Profile, say: Callable[[str], None]) -> None:
    """Start the cluster of a saved profile, relay its progress, return when it is ready. Raises DetachedFailed."""
    with open(os.open(profile.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "k8slab", "serve-detached", profile.name],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    watch = Stopwatch()
    shown = 0
    while True:
        lines = profile.log.read_text(errors="replace").splitlines()
        for line in lines[shown:]:
            if line == READY:
                return
            say(line)
        shown = len(lines)
        if process.poll() is not None:
            tail = "\n  ".join(lines[-TAIL:])
            raise DetachedFailed(
                f"the cluster did not start (exit code {process.returncode}); {profile.log} ends so:\n  {tail}"
            )
        if watch.elapsed() > START_WITHIN:
            process.terminate()
            raise DetachedFailed(f"the cluster was not ready within {START_WITHIN:g}s; see {profile.log}")
        sleep_really(0.05)
