// The controls on a page: those that the cluster has no use for are greyed out, and say why.

class PageControlsPanel extends ControlsPanel {
  draw() {
    super.draw();
    const { cannot = {} } = this.view.state;
    for (const [name, reason] of Object.entries(cannot)) refuse(this[name], reason);
    this.slider.parentElement.hidden = "slider" in cannot; // a row of steps where there are none
  }
}

function refuse(element, reason) {
  if (element.tagName === "BUTTON") able(element, false);
  else element.disabled = true;
  put(element, "title", reason);
  put(element, "aria-description", reason);
}

function renderPageControls(given) {
  const view = new View(given, "controls");
  const panel = new PageControlsPanel(view);
  return view.open(() => panel.draw());
}

export default { render: renderPageControls };
