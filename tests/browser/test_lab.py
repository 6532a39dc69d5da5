"""The lab as a learner sees it: a real JupyterLab, a real browser, chapter 01 run from top to bottom."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_chapter_01_runs_from_top_to_bottom_in_jupyterlab(lab, screenshots):
    lab.open("notebooks/01_hello_cluster.ipynb")
    assert lab.run_all() == []
    picture = lab.page.locator(".jp-RenderedSVG").first
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.scrollToItem(22, 'center')")
    picture.wait_for(state="visible")
    lab.page.screenshot(path=screenshots / "chapter01.png")
    lab.close()
