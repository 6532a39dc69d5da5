// An answer to "why": the chain of causes as a graph, and below it as text.

function renderWhy(given) {
  const view = new View(given, "why");
  const panel = new GraphPanel(view);
  const chain = html("ol", { class: "k-chain", "aria-label": "The chain of causes" });
  const asked = html("div", { class: "k-asked" });
  const hint = html("p", { class: "k-hint" });
  const text = html("div", { class: "k-answer", tabindex: 0, role: "region", "aria-label": "The chain in words" }, asked, chain);
  view.body.append(text, hint);
  let shown = null;
  return view.open(() => {
    const { lines, hint: said = "" } = view.state;
    panel.draw();
    write(hint, said);
    hint.hidden = !said;
    text.hidden = !lines;
    for (const part of [panel.stage.element, panel.frame.twin]) if (said) part.hidden = true;
    panel.frame.toggle.hidden = panel.frame.zooming.hidden = Boolean(said);
    if (shown === lines) return;
    shown = lines;
    const [first = "", ...links] = lines ?? [];
    write(asked, first);
    asked.hidden = first === view.state.title;
    chain.replaceChildren(...links.map((line) => html("li", {}, line)));
  });
}
