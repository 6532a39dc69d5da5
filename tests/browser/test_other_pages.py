"""The same widgets where there is no JupyterLab: in Notebook 7, and in a page that only has a model of four methods."""

from __future__ import annotations

import base64
import json
import random

import pytest

from k8slab.lab.widgets import Controls, GraphView, ObjectsView, TimelineView, WhyView, selection_of
from k8slab.lab.widgets.modules import javascript, stylesheet
from k8slab.lab.widgets.patches import difference
from tests.browser.conftest import RUN_ALL, TOKEN
from tests.browser.test_widgets import CELLS, LOOK, WIDGETS
from tests.lab.widgets.fakes import Line, World

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# What a page without Jupyter has to bring.
SHIM = """
async ({ source, state, name }) => {
    const listeners = {};
    const model = {
        sent: [],
        get: key => (key === 'state' ? state : undefined),
        on: (event, callback) => { (listeners[event] ??= []).push(callback); },
        off: (event, callback) => { listeners[event] = listeners[event].filter(each => each !== callback); },
        send: message => model.sent.push(message),
        hear: message => listeners['msg:custom'].forEach(each => each(message)),
        listeners,
    };
    const el = document.createElement('div');
    document.body.append(el);
    const { default: module } = await import(source);
    const end = await module.render({ model, el });
    window.widgets = { ...window.widgets, [name]: { model, end, el } };
}
"""
WAIT_FOR_NOTEBOOK = """
async () => {
    const panel = window.jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.revealed;
    await panel.sessionContext.ready;
}
"""


def module(text):
    return "data:text/javascript;base64," + base64.b64encode(text.encode()).decode()


@pytest.fixture
def bare(browser):
    """A page with nothing in it."""
    page = browser.new_page(viewport={"width": 900, "height": 2400}, color_scheme="dark", reduced_motion="reduce")
    page.set_content("<!doctype html><title>bare</title><body></body>")
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert errors == []
    page.close()


@pytest.fixture
def world():
    return World()


@pytest.fixture
def shown(bare, world):
    """All widgets, in a page with nothing else."""
    selection = selection_of(world)
    selection.selected = "Pod/default/web-b"
    widgets = {
        "controls": Controls(world),
        "graph": GraphView(world),
        "timeline": TimelineView(Line(world), selection=selection),
        "objects": ObjectsView(world),
        "why": WhyView(ask=world.why),
    }
    bare.add_style_tag(content=stylesheet())
    for name, widget in widgets.items():
        source = module(javascript(name))
        bare.evaluate(SHIM, {"source": source, "state": json.loads(json.dumps(widget.state)), "name": name})
    yield bare
    for widget in widgets.values():
        widget.close()


def test_a_page_without_jupyter_shows_the_same_widgets_in_the_systems_theme(shown, screenshots):
    for scheme in ("dark", "light"):
        shown.emulate_media(color_scheme=scheme)
        shown.wait_for_function(f"() => document.querySelectorAll('.k8slab[data-theme={scheme}]').length === 5")
        for name in WIDGETS:
            assert shown.locator(f".k-{name}").evaluate(LOOK) == [], (name, scheme)
        shown.screenshot(path=screenshots / f"plain-{scheme}.png", full_page=True)


def test_nothing_moves_where_people_do_not_want_it(shown):
    look = "element => [getComputedStyle(element).transitionDuration, getComputedStyle(element).animationName]"
    assert shown.locator(".k-node").first.evaluate(look) == ["0s", "none"]


def test_a_view_says_hello_applies_patches_and_asks_again_when_it_missed_one(shown):
    patch = {"type": "patch", "from": 0, "rev": 1, "set": {"title": "Patched"}}
    shown.evaluate("patch => window.widgets.graph.model.hear(patch)", patch)
    assert shown.locator(".k-graph .k-title").inner_text() == "Patched"
    shown.evaluate("patch => window.widgets.graph.model.hear(patch)", patch | {"from": 5, "rev": 6})
    sent = shown.evaluate("() => window.widgets.graph.model.sent.map(each => each.type)")
    assert sent == ["hello", "resync"]


def test_a_kernel_that_does_not_answer_is_said(shown):
    shown.locator('.k-node[data-id="Pod/default/web-a"]').first.click()
    waiting = shown.locator(".k-graph .k-status")
    shown.wait_for_function("() => document.querySelector('.k-graph .k-status').textContent.startsWith('Waiting')")
    shown.evaluate("() => window.widgets.graph.model.hear({ type: 'error', n: 1, say: 'No such Pod.' })")
    assert waiting.inner_text() == ""
    assert shown.locator(".k-graph").get_by_role("alert").inner_text() == "No such Pod."


def test_a_view_that_ends_listens_no_more(shown):
    shown.evaluate("() => Object.values(window.widgets).forEach(each => each.end())")
    left = "() => Object.values(window.widgets).flatMap(each => Object.values(each.model.listeners)).flat().length"
    assert shown.evaluate(left) == 0


def test_a_patch_means_the_same_in_the_browser_and_in_python(bare):
    dice = random.Random(1)

    def state():
        ids = dice.sample("abcdefgh", dice.randrange(8))
        parts = {"nodes": [{"id": each, "x": dice.randrange(2)} for each in ids], "step": dice.randrange(3)}
        return {name: value for name, value in parts.items() if dice.random() < 0.9}

    pairs = [(state(), state()) for _ in range(200)]
    cases = [[before, difference(before, after)] for before, after in pairs]
    apply = "async ([source, cases]) => { const m = await import(source); return cases.map(each => m.applyPatch(...each)); }"
    source = module(javascript("graph") + "export { applyPatch };")
    assert bare.evaluate(apply, [source, cases]) == [after for _, after in pairs]


def test_notebook_7_shows_them_too_and_keeps_its_hands_off_their_keys(jupyter, browser, lab, screenshots):
    page = browser.new_page(viewport={"width": 1280, "height": 1200})
    world = "from k8slab.lab.widgets import GraphView, ObjectsView\nfrom tests.lab.widgets.fakes import World\nworld = World()"
    name = lab.write("classic.ipynb", [world, "GraphView(world)", "ObjectsView(world)"])
    page.goto(f"{jupyter[1]}/notebooks/{name}?token={TOKEN}")
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context", timeout=60_000)
    page.evaluate(WAIT_FOR_NOTEBOOK)
    assert page.evaluate(RUN_ALL) == []
    pod = page.locator('.k-node[data-id="Pod/default/web-a"]')
    pod.click()
    page.locator('tr[data-id="Pod/default/web-a"][aria-selected=true]').wait_for()
    pod.focus()
    page.keyboard.press("d")
    page.keyboard.press("d")
    assert page.evaluate(CELLS) == 3
    page.screenshot(path=screenshots / "notebook7.png")
    page.close()
