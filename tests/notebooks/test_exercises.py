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
EXERCISES = sorted(str(path.relative_to(ROOT / "solutions").with_suffix("")) for path in ROOT.glob("solutions/*/*.py"))
LEARNERS = {"solution": "solutions", "starter": "exercises"}
"""Who hands in what: one of them everything that is right, the other one what they were given."""


def points_of(exercise: str) -> float:
    """The points that an exercise's cells promise."""
    notebook = json.loads((ROOT / "solutions" / f"{exercise}.ipynb").read_text())
    graded = (cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"])
    return sum(each["points"] for each in graded if each.get("grade"))


def test_solutions_and_exercises_are_as_built(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = list(built())
    assert len(found) == 2 * len(EXERCISES) >= 2
    assert [str(path) for path, text in found if path.read_text() != text] == []


def test_exercises_hold_neither_solutions_nor_outputs():
    for path in (ROOT / "exercises").rglob("*.ipynb"):
        notebook = json.loads(path.read_text())
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells)
        assert "SOLUTION" not in path.read_text()
        assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_exercise_says_how_many_points_it_has(exercise):
    words = {4: "Four", 5: "Five", 6: "Six", 7: "Seven", 8: "Eight", 9: "Nine", 10: "Ten"}
    notebook = json.loads((ROOT / "exercises" / f"{exercise}.ipynb").read_text())
    assert f"{words[points_of(exercise)]} points." in "".join(notebook["cells"][0]["source"])


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_nbgrader_gives_the_solutions_all_points_and_the_starters_none(tmp_path):
    """One course for all of them, in one test: nbgrader takes seconds to start, and grades one notebook at a time."""
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    for exercise in EXERCISES:
        hand_in(ROOT / "solutions" / f"{exercise}.ipynb", tmp_path / "solutions" / f"{exercise}.ipynb")
        for learner, folder in LEARNERS.items():
            hand_in(ROOT / folder / f"{exercise}.ipynb", tmp_path / "submitted" / learner / f"{exercise}.ipynb")
    for assignment in sorted({exercise.split("/")[0] for exercise in EXERCISES}):
        nbgrader(tmp_path, "generate_assignment", assignment)
        nbgrader(tmp_path, "autograde", assignment)
    right = {exercise: points_of(exercise) for exercise in EXERCISES}
    assert points(tmp_path, "solution") == {exercise: (most, most) for exercise, most in right.items()}
    assert points(tmp_path, "starter") == {exercise: (0.0, most) for exercise, most in right.items()}


def hand_in(notebook: Path, where: Path) -> None:
    where.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(notebook, where)


def nbgrader(course: Path, *command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *command], cwd=course, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def points(course: Path, learner: str) -> dict[str, tuple[float, float]]:
    """(points, most points) of each exercise that a learner has handed in."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        graded = {}
        for exercise in EXERCISES:
            assignment, name = exercise.split("/")
            found = book.find_submission_notebook(name, assignment, learner)
            graded[exercise] = found.score, found.max_score
        return graded
