from __future__ import annotations
import pytest
pytestmark = [pytest.mark.browser, pytest.mark.slow]
CELLS = ["""
from k8slab.lab.widgets import *
from tests.lab.widgets.fakes import *
world = World()
graph = GraphView(world)
timeline = TimelineView(Line(world), selection=graph.selection)
objects = ObjectsView(world)
controls = Controls(world)
why = WhyView(ask=world.why)
""", "controls", "graph", "timeline", "objects", "why"]

def test_look(lab, screenshots):
    lab.write("widgets.ipynb", CELLS)
    lab.open("widgets.ipynb")
    assert lab.run_all() == []
    lab.python("world.goto(2)"); lab.python("setattr(graph.selection,'selected','Pod/default/web-b')")
    lab.page.wait_for_timeout(1500)
    lab.page.locator("text=Faults").first.click()
    for theme in ("Light","Dark"):
        lab.theme(theme)
        lab.page.wait_for_timeout(1500)
        for k in ("controls","graph","timeline","objects","why"):
            w=lab.page.locator(f".k8slab.k-{k}")
            print(k, w.get_attribute("data-theme"), w.get_attribute("data-connected"), w.locator(".k-alert").first.inner_text())
            w.screenshot(path=screenshots/f"{k}-{theme}.png")
    print(lab.errors)
