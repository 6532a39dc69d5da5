"""The chapters: what they store is what they do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from k8slab.lab.notebooks import build

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MACHINE = re.compile(r"/(home|root|tmp|work|Users)/")
COMPARED = {
    "00_index": 1,
    "01_hello_cluster": 30,
    "02_deploy_an_app": 45,
    "06_architecture": 45,
    "07_nodes": 45,
    "09_controllers": 25,
    "10_leases": 30,
    "13_garbage_collection": 40,
}
"""Every chapter, and how many of its cells have outputs that are compared, at least."""
MOST_BYTES = 300_000
"""Of stored outputs, in a chapter: a notebook is for reading."""


def code_cells(chapter: Path) -> list[dict]:
    return [cell for cell in json.loads(chapter.read_text())["cells"] if cell["cell_type"] == "code"]


def test_there_are_chapters():
    assert [chapter.stem for chapter in CHAPTERS] == list(COMPARED)


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_stored_outputs_are_what_the_cells_give(chapter):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", "-W", "ignore", str(chapter)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed.group(1)) == len(code_cells(chapter))


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_build_changes_nothing(chapter, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert build(Path("notebooks") / f"{chapter.stem}.py") == chapter.read_text()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_compares_many_outputs(chapter):
    tags = "nbval-ignore-output", "nbval-skip"
    cells = [cell for cell in code_cells(chapter) if not set(cell["metadata"].get("tags", ())) & set(tags)]
    assert len([cell for cell in cells if cell["outputs"]]) >= COMPARED[chapter.stem]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_stored_outputs_are_small(chapter):
    assert len(json.dumps([cell["outputs"] for cell in code_cells(chapter)])) < MOST_BYTES


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_no_output_is_an_error_or_names_this_machine(chapter):
    for cell in code_cells(chapter):
        assert all(output["output_type"] != "error" for output in cell["outputs"]), cell["id"]
        assert not MACHINE.search(json.dumps(cell["outputs"])), cell["id"]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_cell_ids_are_named_and_unique(chapter):
    ids = [cell["id"] for cell in json.loads(chapter.read_text())["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]*", each) for each in ids)


def links(chapter: Path) -> list[str]:
    """Links to other files, in the text of a chapter."""
    cells = json.loads(chapter.read_text())["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return re.findall(r"\]\(((?!https?:)[^)]+)\)", text)


def test_links_lead_somewhere():
    for chapter in CHAPTERS:
        for link in links(chapter):
            assert (chapter.parent / link).exists(), f"{chapter.name}: {link}"


def test_the_index_leads_to_every_chapter_and_exercise():
    exercises = ROOT.glob("exercises/*/*.ipynb")
    wanted = {chapter.name for chapter in CHAPTERS[1:]} | {f"../{each.relative_to(ROOT)}" for each in exercises}
    assert set(links(CHAPTERS[0])) == wanted
