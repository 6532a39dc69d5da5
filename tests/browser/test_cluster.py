"""A real cluster behind the widgets: what is done in one cell, or by a button, is seen in all of them."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTEBOOK = [
    'from k8slab import Cluster\n\ncluster = Cluster(nodes=3, seed=1)\n'
    'cluster.kubectl("create deployment web --image=nginx --replicas=3")\ncluster.run_until_idle()',
    "cluster.controls()",
    "cluster.view()",
    'cluster.graph("deployment", "web")',
    'cluster.timeline("deployment/web")',
    "cluster.objects()",
    'cluster.why("deployment/web", field="status.readyReplicas")',
]  # fmt: skip
NAMES = ("", "controls", "view", "graph", "timeline", "objects", "why")


@pytest.fixture(scope="module")
def notebook(lab):
    lab.open(lab.write("cluster.ipynb", NOTEBOOK))
    assert lab.run_all() == []
    yield lab
    assert lab.errors == []
    lab.close()


def output(lab, number):
    return (
        lab.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").nth(number).locator(".jp-OutputArea").first
    )


def test_what_a_cell_does_is_seen_in_all_widgets(notebook):
    lab = notebook
    readings = output(lab, 1).locator(".k-readings")
    before = readings.inner_text()
    lab.python("cluster.run_for('30s')")
    assert lab.eventually(lambda: readings.inner_text() != before)


def test_what_is_chosen_in_one_is_chosen_in_all(notebook):
    lab = notebook
    pod = lab.python("cluster.kubectl('get pods -o name').stdout.split()[0]").strip("'").removeprefix("pod/")
    output(lab, 3).locator(f'[data-id="Pod/default/{pod}"]').click()
    assert lab.eventually(lambda: lab.python("cluster.selection.selected") == repr(f"Pod/default/{pod}"))
    row = output(lab, 5).locator(f'[data-id="Pod/default/{pod}"]')
    assert lab.eventually(lambda: row.get_attribute("aria-selected") == "true")


def test_an_answer_to_why_is_a_widget_too_and_its_boxes_choose_objects(notebook):
    lab = notebook
    box = output(lab, 6).locator('[data-id^="ReplicaSet/default/web-"]').first
    box.click()
    chosen = box.get_attribute("data-id").split("@")[0]
    assert lab.eventually(lambda: lab.python("cluster.selection.selected") == repr(chosen))


def test_back_goes_back_and_forward_comes_again(notebook):
    lab = notebook
    steps = int(lab.python("cluster.steps"))
    output(lab, 1).get_by_role("button", name="back", exact=False).first.click()
    assert lab.eventually(lambda: int(lab.python("cluster.steps")) == steps - 1)
    assert int(lab.python("cluster.last_step")) == steps
    output(lab, 1).get_by_role("button", name="forward", exact=False).first.click()
    assert lab.eventually(lambda: int(lab.python("cluster.steps")) == steps)


def test_what_is_broken_is_seen_and_not_by_colour_alone(notebook, screenshots):
    lab = notebook
    lab.python("cluster.crash('kube-scheduler')")
    broken = output(lab, 2).locator('[data-id="kube-scheduler"]')
    assert lab.eventually(lambda: "k-dashed" in (broken.get_attribute("class") or ""))
    assert "stopped" in broken.get_attribute("aria-label")
    assert broken.locator("circle").count() == 1
    output(lab, 2).screenshot(path=screenshots / "cluster-broken.png")
    lab.python("cluster.start('kube-scheduler')")
    assert lab.eventually(lambda: "k-dashed" not in (broken.get_attribute("class") or ""))


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_each_looks_as_it_should(notebook, screenshots, theme):
    lab = notebook
    lab.theme(theme)
    for number, name in enumerate(NAMES):
        if name:
            area = output(lab, number)
            area.scroll_into_view_if_needed()
            lab.page.wait_for_timeout(150)
            area.screenshot(path=screenshots / f"cluster-{name}-{theme.lower()}.png")
            assert area.bounding_box()["height"] > 60
    lab.theme("Light")
