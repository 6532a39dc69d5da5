// The controls on a page: those that the cluster has no use for are greyed out, and say why.

class PageControlsPanel extends ControlsPanel {
  draw() {
    super.draw();
    for (const [name, reason] of Object.entries(this.view.state.cannot ?? {})) refuse(this[name], reason);
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
