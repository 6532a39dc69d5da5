"""Is that process asleep?

On a virtual clock nobody knows by a timer whether kubectl is waiting for the cluster or still thinking: a loaded machine
starves it. So we ask the kernel: a process sleeps when each of its threads is in state S and none has been switched in for
a while. Where there is no /proc (macOS, Windows), a plain timer must do.
"""

from __future__ import annotations

from pathlib import Path

from k8slab.clock import Stopwatch

PROOF_SECONDS = 0.12
"""kubectl polls its own caches each 100 ms: a sleep is proven only when it outlasts that."""


class SleepProof:
    """Watches one process; reset it whenever something happened that the process must react to."""

    def __init__(self, pid: int) -> None:
        self._tasks = Path(f"/proc/{pid}/task")
        self._has_proc = self._tasks.exists()
        self._seen: object = None
        self._since = Stopwatch()

    def reset(self) -> None:
        """Begin the proof anew."""
        self._seen = None
        self._since = Stopwatch()

    def proven(self) -> bool:
        """Whether the process has slept without a break for PROOF_SECONDS. To be asked every few milliseconds."""
        now = self._state()
        if now is None or now != self._seen:
            self._seen = now
            self._since = Stopwatch()
            return False
        return self._since.elapsed() >= PROOF_SECONDS

    def _state(self) -> object:
        """Each thread's count of context switches; None while one of them runs."""
        if not self._has_proc:
            return "timer"
        state = []
        try:
            for task in sorted(self._tasks.iterdir()):
                fields = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines() if ":" in line)
                if not fields["State"].strip().startswith("S"):
                    return None
                state.append((task.name, fields["voluntary_ctxt_switches"], fields["nonvoluntary_ctxt_switches"]))
        except (OSError, KeyError):
            return None  # a thread ended while we looked: so the process is not asleep
        return state
