"""The page that says how faithful k8slab is."""

from __future__ import annotations

from k8slab.apiserver.resources import RESOURCES
from scripts.fidelity import PAGE, page


def test_the_page_is_as_the_source_says():
    assert PAGE.read_text() == page(), "run: make docs"


def test_every_kind_has_a_row():
    rows = [line for line in page().splitlines() if line.startswith("| ")]
    assert len(rows) == len(RESOURCES) + 1


def test_a_kind_that_something_acts_on_is_full_and_one_that_is_only_kept_is_not():
    rows = {line.split(" | ")[0][2:]: line for line in page().splitlines() if line.startswith("| ")}
    assert "| full | `deployment`" in rows["Deployment"]
    assert "| stored only |" in rows["CSIDriver"]
    assert "| answered |" in rows["SubjectAccessReview"]


def test_what_components_leave_out_is_told():
    assert "CEL rules are not evaluated" in page()
