"""Nothing that happens in a chapter is without a cause: each is run, and its clusters' traces are searched for orphans."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from k8slab.lab.notebooks import read

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("[01][0-9]_*.py"))[1:]
LISTEN = """
from k8slab.lab.causes import orphans
from k8slab.lab.cluster import Cluster as _Watched

_close, _found, _seen = _Watched.close, [], []

def _tell(cluster):
    if not cluster._closed:
        _found.extend(orphans(cluster.trace))
        _seen.append((len(cluster.trace), cluster.trace.broken))
    _close(cluster)

_Watched.close = _tell
"""
TELL = "\nprint('TOLD', len(_found), sum(count for count, _ in _seen), any(broken for _, broken in _seen))\n"


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_nothing_in_a_chapter_is_without_a_cause(chapter, tmp_path):
    cells = [cell.source for cell in read(chapter).cells if cell.cell_type == "code"]
    script = tmp_path / "chapter.ipy"
    script.write_text(LISTEN + "\n".join(cells) + TELL)
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--quick", str(script)],
        cwd=ROOT / "notebooks", capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = done.stdout.splitlines()[-1].split()
    assert told[0] == "TOLD", done.stdout[-2000:] + done.stderr[-2000:]
    orphans, records, broken = int(told[1]), int(told[2]), told[3]
    assert (orphans, broken) == (0, "False")
    assert records > 500
