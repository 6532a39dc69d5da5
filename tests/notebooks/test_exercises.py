"""Each exercise's whole way: built from its solution, answered, graded by nbgrader, points."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from k8slab.lab.release import built

ROOT = Path(__file__).parents[2]
# nbgrader calls alembic by its name.
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
EXERCISE = "01_hello_cluster/image_pull_backoff"


def test_solutions_and_exercises_are_as_built(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = list(built())
    assert len(found) >= 2
    assert [str(path) for path, text in found if path.read_text() != text] == []


def test_exercises_hold_neither_solutions_nor_outputs():
    for path in (ROOT / "exercises").rglob("*.ipynb"):
        notebook = json.loads(path.read_text())
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells)
        assert "SOLUTION" not in path.read_text()
        assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "points"), [("solutions", 6.0), ("exercises", 0.0)])
def test_nbgrader_gives_the_solution_all_points_and_the_starter_none(tmp_path, answer, points):
    assert autograde(tmp_path, ROOT / answer / f"{EXERCISE}.ipynb") == (points, 6.0)


def autograde(course: Path, submission: Path) -> tuple[float, float]:
    """(points, most points) that nbgrader's own commands give a submission."""
    assignment, name = EXERCISE.split("/")
    for folder, notebook in (
        (course / "solutions" / assignment, ROOT / "solutions" / f"{EXERCISE}.ipynb"),
        (course / "submitted" / "learner" / assignment, submission),
    ):
        folder.mkdir(parents=True)
        shutil.copy(notebook, folder / f"{name}.ipynb")
    shutil.copy(ROOT / "nbgrader_config.py", course)
    for command in (["generate_assignment", assignment], ["autograde", assignment]):
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *command], cwd=course, env=ENVIRONMENT,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        graded = book.find_submission(assignment, "learner")
        return graded.score, graded.max_score
