"""The dashboard as a person sees it: a real browser on the pages of a stepped and of a live cluster."""

from __future__ import annotations

from importlib import resources

import pytest

from k8slab.lab.cluster import Cluster
from k8slab.lab.dashboard import open_dashboard
from tests.browser.test_widgets import LOOK

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DEPLOY = "create deployment web --image=nginx --replicas=3"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 800, "height": 900}
PARTS = ("header", "#controls", "#tabs", "#objects")
"""What the page itself puts together; what is in the pictures is the widgets' own test."""
AXE = """
async () => {
    const found = await axe.run(document, { resultTypes: ['violations'] });
    return found.violations.map(each => each.id + ': ' + each.nodes.map(node => node.html.slice(0, 200)).join(' | '));
}
"""
FLOWS_OVER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Opened:
    """A page of a dashboard in a tab of its own."""

    def __init__(self, browser, dashboard, **context) -> None:
        self.errors: list[str] = []
        self.context = browser.new_context(viewport=WIDE, **context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.goto(dashboard.url)
        self.page.locator(".k-controls").wait_for()
        self.page.locator("#objects tbody tr").first.wait_for()
        self.page.locator("#panel-view .k-node").first.wait_for()

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name, exact=True).first.click()

    def focused(self, attribute: str) -> str | None:
        return self.page.evaluate("name => document.activeElement.getAttribute(name)", attribute)

    def tabs_to(self, wanted: str) -> None:
        """Press Tab until an element that fits a selector has the focus."""
        for _ in range(60):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
                return
        raise AssertionError(f"{wanted} is not reached by Tab")

    def axe(self) -> list[str]:
        if not self.page.evaluate("() => 'axe' in window"):
            source = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
            self.page.evaluate("source => { (0, eval)(source); }", source)
        return self.page.evaluate(AXE)


@pytest.fixture(scope="module")
def cluster():
    with Cluster(nodes=3, seed=1) as cluster:
        cluster.kubectl(DEPLOY)
        cluster.run_until_idle()
        yield cluster


@pytest.fixture(scope="module")
def dashboard(cluster):
    with open_dashboard(cluster) as dashboard:
        yield dashboard


@pytest.fixture(scope="module")
def opened(browser, dashboard):
    opened = Opened(browser, dashboard)
    yield opened
    opened.context.close()
    assert opened.errors == []


@pytest.fixture
def page(cluster, opened):
    """The page, as it looks when it has just come: nothing chosen, the first picture shown."""
    cluster.selection.selected = ""
    opened.tab("Cluster")
    opened.page.locator('#objects tr[aria-selected="true"]').wait_for(state="detached")
    return opened.page


def pod_of(cluster) -> str:
    return "Pod/default/" + cluster.kubectl("get pods -o name").stdout.split()[0].removeprefix("pod/")


def test_the_address_bar_does_not_keep_the_token_and_the_tab_does(page, dashboard):
    assert page.url == dashboard.address
    page.reload()
    page.locator("#objects tbody tr").first.wait_for()


def test_the_head_says_what_is_seen(page, cluster):
    assert page.title() == "lab · k8slab"
    assert page.locator('[data-fact="runtime"] dd').inner_text() == "simulated containers"
    assert page.locator('[data-fact="mode"] dd').inner_text() == "virtual time"
    assert page.locator('[data-fact="revision"] dd').inner_text() == str(cluster.store.revision)


def test_what_is_chosen_with_the_mouse_is_chosen_everywhere(page, opened, cluster):
    pod = pod_of(cluster)
    opened.tab("Ownership")
    page.locator(f'#panel-ownership [data-id="{pod}"]').click()
    page.locator(f'#objects tr[data-id="{pod}"][aria-selected="true"]').wait_for()
    page.get_by_text("kind: Pod").wait_for()
    assert cluster.selection.selected == pod
    opened.tab("Why")
    page.locator("#panel-why .k-chain li").first.wait_for()
    opened.tab("Timeline")
    page.locator('#panel-timeline .k-item[aria-pressed="true"]').first.wait_for()


def test_an_object_is_chosen_with_the_keyboard_alone(page, opened, cluster):
    page.evaluate("() => document.activeElement.blur()")
    opened.tabs_to("#tab-view")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert opened.focused("id") == "tab-ownership"
    page.locator("#panel-ownership .k-node").first.wait_for()
    opened.tabs_to("#panel-ownership .k-node")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    wanted = opened.focused("data-id")
    page.keyboard.press("Enter")
    page.locator(f'#objects tr[data-id="{wanted}"][aria-selected="true"]').wait_for()
    assert cluster.selection.selected == wanted
    opened.tabs_to("#objects tr")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.locator(f'#panel-ownership [data-id="{wanted}"][aria-pressed="false"]').wait_for()
    assert cluster.selection.selected not in ("", wanted)


def test_the_skip_link_leads_past_the_controls(page, opened):
    page.evaluate("() => document.activeElement.blur()")
    opened.tabs_to(".skip")
    page.keyboard.press("Enter")
    opened.tabs_to("#tab-view")


def test_the_cluster_is_stepped_and_taken_back_by_buttons(page, cluster):
    controls = page.locator(".k-controls")
    controls.get_by_role("button", name="One step", exact=True).click()
    page.locator('[data-fact="revision"]', has_text=str(cluster.store.revision)).wait_for()
    there = cluster.steps
    controls.get_by_role("button", name="Back one step").click()
    controls.get_by_text(f"step {there - 1} of {there}").wait_for()
    assert (cluster.steps, cluster.last_step) == (there - 1, there)


def test_what_is_done_elsewhere_is_seen(page, cluster):
    cluster.kubectl("create configmap somewhere")
    page.locator('#objects tr[data-id="ConfigMap/default/somewhere"]').wait_for()


@pytest.mark.parametrize(
    ("size", "scheme"), [(WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark")],
    ids=["1280-light", "1280-dark", "800-light", "800-dark"],
)  # fmt: skip
def test_it_is_well_made_in_every_size_and_theme(page, opened, cluster, screenshots, size, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    page.locator(f'.k-objects[data-theme="{scheme}"]').wait_for()
    cluster.selection.selected = pod_of(cluster)
    thorough = (size is WIDE) == (scheme == "light")
    for name in ("Cluster", "Timeline", "Ownership", "Why"):
        opened.tab(name)
        page.locator(f'[role="tabpanel"]:not([hidden]) .k8slab[data-theme="{scheme}"]').wait_for()
        page.wait_for_timeout(300)  # until boxes have come to rest
        page.screenshot(path=screenshots / f"dashboard-{name.lower()}-{scheme}-{size['width']}.png")
        assert page.evaluate(FLOWS_OVER) == 0
        assert not thorough or opened.axe() == []
    for part in PARTS:
        assert page.locator(part).evaluate(LOOK) == [], part


def test_faults_are_shown_on_the_page_as_well(page, opened, cluster, screenshots):
    faults = page.get_by_role("button", name="Faults")
    faults.click()
    page.get_by_label("node-lost").first.check()
    page.get_by_role("button", name="Faults (1 active)").wait_for()
    assert len(cluster.engine.faults) == 1
    page.screenshot(path=screenshots / "dashboard-faults.png")
    assert page.evaluate(FLOWS_OVER) == 0
    assert opened.axe() == []
    page.get_by_label("node-lost").first.uncheck()
    page.get_by_role("button", name="Faults", exact=True).click()
    assert cluster.engine.faults == {}


def test_a_line_that_breaks_comes_again_with_what_was_missed(page, dashboard, cluster):
    server = dashboard._server
    for line in tuple(server._lines):
        server._thread.run(line.close())
    cluster.kubectl("create configmap meanwhile")
    page.locator('#objects tr[data-id="ConfigMap/default/meanwhile"]').wait_for()
    assert page.locator("body").get_attribute("data-line") == "open"


def test_a_narrow_window_does_not_flow_over(page, opened):
    page.set_viewport_size({"width": 700, "height": 900})
    for name in ("Cluster", "Why"):
        opened.tab(name)
        assert page.evaluate(FLOWS_OVER) == 0
    page.set_viewport_size(WIDE)


def test_a_live_cluster_shows_a_new_pod_within_two_seconds_and_says_what_it_cannot(browser, screenshots):
    with Cluster(nodes=2, mode="live") as cluster, open_dashboard(cluster) as dashboard:
        opened = Opened(browser, dashboard)
        step = opened.page.get_by_role("button", name="One step", exact=True)
        assert step.get_attribute("aria-disabled") == "true"
        assert "cannot be stepped" in step.get_attribute("title")
        cluster.kubectl(DEPLOY)
        opened.page.locator('#objects tr[data-id^="Pod/default/web-"]').first.wait_for(timeout=2000)
        opened.page.get_by_role("button", name="Pause").click()
        opened.page.get_by_role("button", name="Play").wait_for()
        assert not cluster.playing
        opened.page.screenshot(path=screenshots / "dashboard-live.png")
        dashboard.close()
        opened.page.get_by_role("alert").get_by_text("does not answer").wait_for()
        opened.context.close()


def test_an_old_address_says_where_the_new_one_is(browser, dashboard):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(dashboard.address + "#token=0")
        page.get_by_text("k8slab dashboard").wait_for()
