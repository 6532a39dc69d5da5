"""Releasing exercises: from `solutions/**.py`, which teachers edit, to the notebooks that teachers and learners open.

    python -m k8slab.lab.release [--check]

`solutions/**.ipynb` is the source as a notebook; `exercises/**.ipynb` is the same without the solutions, made by nbgrader's own
preprocessors. Neither holds outputs, and a second build changes nothing.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from k8slab.lab.notebooks import as_text, read

SOLUTIONS, EXERCISES = Path("solutions"), Path("exercises")
STUB = "..."
"""What stands where a solution stood: it runs, and does nothing."""


def main() -> None:
    """The command. With --check nothing is written, and the exit code is 1 if something would be."""
    parser = argparse.ArgumentParser(description="Build the exercises from their solutions.")
    parser.add_argument("--check", action="store_true", help="only say what a build would change")
    options = parser.parse_args()
    stale = []
    for path, text in built():
        if path.exists() and path.read_text() == text:
            continue
        stale.append(path)
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"{path}: built")
    if stale and options.check:
        sys.exit("not as built: " + ", ".join(map(str, stale)) + "; run: make notebooks")
    print(f"{SOLUTIONS} and {EXERCISES} are as built")


def built() -> Iterator[tuple[Path, str]]:
    """(path, text) of every notebook that a build makes."""
    for source in sorted(SOLUTIONS.glob("*/*.py")):
        yield source.with_suffix(".ipynb"), as_text(read(source))
        yield EXERCISES / source.relative_to(SOLUTIONS).with_suffix(".ipynb"), as_text(released(source))


def released(source: Path) -> Any:
    """What the learner gets: solutions replaced by a place to write, and checksums that nbgrader compares later."""
    from nbgrader.preprocessors import (  # type: ignore[import-untyped]
        ClearHiddenTests,
        ClearOutput,
        ClearSolutions,
        ComputeChecksums,
        LockCells,
    )

    logging.getLogger("traitlets").setLevel(logging.ERROR)
    notebook, resources = read(source), {"metadata": {"name": source.stem}}
    for step in (LockCells, ClearSolutions, ClearOutput, ClearHiddenTests, ComputeChecksums):
        options = {"code_stub": {"python": STUB}} if step is ClearSolutions else {}
        notebook, resources = step(**options).preprocess(notebook, resources)
    return notebook


if __name__ == "__main__":
    main()
