// The objects of a cluster: a table with a filter, and what there is to say about the chosen one.

const MOST_ROWS = 300;

class ObjectsPanel {
  constructor(view) {
    this.view = view;
    this.roving = new Roving();
    this.rows = new Map();
    this.id = `k-${Math.random().toString(36).slice(2)}`;
    this.filter = { text: "", kind: "", namespace: "", ...view.state.filter };
    this.build();
    view.fallback = () => this.roving.current ?? this.search;
  }

  build() {
    const again = debounced(() => this.drawRows(), 120);
    this.search = html("input", { type: "search", class: "k-input k-grow", placeholder: "Filter", "aria-label": "Filter objects by text", value: this.filter.text,
      oninput: () => { this.filter.text = this.search.value; again(); } });
    this.kind = this.chooser("kind", "Kind");
    this.namespace = this.chooser("namespace", "Namespace");
    this.count = html("span", { class: "k-count", role: "status" });
    this.head = html("tr");
    this.lines = html("tbody");
    this.grid = html("table", { class: "k-table", role: "grid", "aria-label": "Objects" }, html("thead", {}, this.head), this.lines);
    this.grid.addEventListener("keydown", (event) => this.key(event));
    this.buildDetails();
    this.view.body.append(
      html("div", { class: "k-bar" }, html("div", { class: "k-title" }, "Objects"), this.search, this.kind, this.namespace, this.count),
      html("div", { class: "k-columns" }, html("div", { class: "k-scroll" }, this.grid), this.details));
  }

  chooser(part, label) {
    const element = html("select", { class: "k-input", "aria-label": label, title: label,
      onchange: () => { this.filter[part] = element.value; this.drawRows(); } });
    return element;
  }

  buildDetails() {
    this.tabs = html("div", { class: "k-tabs", role: "tablist", "aria-label": "What to know about the object" });
    this.tabs.addEventListener("keydown", (event) => this.keyOnTab(event));
    this.said = html("pre", { class: "k-text" });
    this.refusal = html("div", { class: "k-alert", role: "alert" });
    this.hint = html("p", { class: "k-hint" }, "Choose an object to see its YAML, its events, and why it is as it is.");
    this.panel = html("div", { class: "k-panel", role: "tabpanel", id: `${this.id}-panel`, tabindex: "0" }, this.refusal, this.hint, this.said);
    this.name = html("div", { class: "k-chosen" });
    this.details = html("div", { class: "k-details" }, this.name, this.tabs, this.panel);
  }

  draw() {
    const { columns = [], rows = [] } = this.view.state;
    if (this.columns !== columns) {
      this.columns = columns;
      this.head.replaceChildren(...columns.map((name) => html("th", { scope: "col" }, name)));
    }
    this.offer(this.kind, "kind", "All kinds", rows);
    this.offer(this.namespace, "namespace", "All namespaces", rows);
    this.drawRows();
    this.drawDetails();
  }

  /** Fills a chooser with what there is, and with what is chosen even if there is none of it now. */
  offer(element, part, all, rows) {
    const names = [...new Set([...rows.map((row) => row[part]), this.filter[part]])].filter(Boolean).sort();
    const key = JSON.stringify(names);
    if (element.dataset.names === key) return;
    element.dataset.names = key;
    element.replaceChildren(html("option", { value: "" }, all), ...names.map((name) => html("option", { value: name }, name)));
    element.value = this.filter[part];
  }

  drawRows() {
    const { rows = [], selected = "" } = this.view.state;
    const found = rows.filter((row) => this.passes(row));
    const shown = found.slice(0, MOST_ROWS);
    const focused = this.lines.contains(document.activeElement);
    reconcile(this.rows, shown, { add: (row) => this.add(row), change: (entry, row) => fillRow(entry, row) });
    inOrder(this.lines, shown.map((row) => this.rows.get(row.id).element));
    this.choose(selected);
    if (!this.roving.current?.isConnected) this.roving.to(this.lines.firstElementChild);
    if (focused && !this.lines.contains(document.activeElement)) (this.roving.current ?? this.search).focus();
    write(this.count, shown.length < found.length ? `${shown.length} of ${found.length} shown: filter further` : `${found.length} of ${rows.length}`);
  }

  passes(row) {
    const { text, kind, namespace } = this.filter;
    const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
    const words = [row.id, ...row.cells].join(" ").toLowerCase();
    return (!kind || row.kind === kind) && (!namespace || row.namespace === namespace) && wanted.every((each) => words.includes(each));
  }

  add(row) {
    const element = html("tr", { tabindex: -1, "data-id": row.id, "aria-selected": "false",
      onclick: () => { this.roving.focus(element); this.view.select(row.id); },
      onfocus: () => this.roving.to(element) });
    const entry = { element };
    fillRow(entry, row);
    return entry;
  }

  choose(id) {
    for (const [each, { element }] of this.rows) put(element, "aria-selected", String(each === id));
    const now = this.rows.get(id);
    if (now && this.chosen !== id) {
      this.roving.to(now.element);
      scrollWithin(now.element.closest(".k-scroll"), now.element);
    }
    this.chosen = id;
  }

  drawDetails() {
    const { tabs = [], details = {}, selected = "" } = this.view.state;
    if (this.tabList !== tabs) {
      this.tabList = tabs;
      this.tabs.replaceChildren(...tabs.map((tab) => this.tab(tab)));
    }
    for (const tab of this.tabs.children) {
      const chosen = tab.dataset.tab === details.tab;
      put(tab, "aria-selected", String(chosen));
      put(tab, "tabindex", chosen ? 0 : -1);
      if (chosen) put(this.panel, "aria-labelledby", tab.id);
    }
    const current = details.id === selected;
    write(this.name, selected || "No object chosen");
    this.hint.hidden = Boolean(selected);
    this.said.hidden = !selected;
    write(this.said, !selected ? "" : current ? details.text ?? "" : "...");
    write(this.refusal, current ? details.problem ?? "" : "");
  }

  tab({ id, title }) {
    return html("button", { type: "button", role: "tab", id: `${this.id}-${id}`, "data-tab": id, "aria-controls": `${this.id}-panel`, class: "k-tab",
      onclick: () => this.view.ask("tab", { tab: id }) }, title);
  }

  keyOnTab(event) {
    const tabs = [...this.tabs.children];
    const place = tabs.indexOf(event.target);
    const to = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const tab = tabs.at(to % tabs.length);
    tab.focus();
    tab.click();
  }

  key(event) {
    const row = event.target.closest("tr[data-id]");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowUp: row.previousElementSibling, ArrowDown: row.nextElementSibling, Home: this.lines.firstElementChild, End: this.lines.lastElementChild };
    if (event.key === "Enter" || event.key === " ") this.view.select(row.dataset.id);
    else if (event.key === "Escape") { row.blur(); return; }
    else if (event.key in steps) this.goTo(steps[event.key]);
    else return;
    event.preventDefault();
  }

  goTo(row) {
    if (!row) return;
    this.roving.focus(row);
    scrollWithin(row.closest(".k-scroll"), row);
  }
}

function fillRow({ element }, row) {
  element.replaceChildren(...row.cells.map((cell) => html("td", { title: cell }, cell)));
}

/** Scrolls a box so that an element in it is seen, and nothing else: the page stays where it is. */
function scrollWithin(box, element) {
  const [outer, inner] = [box.getBoundingClientRect(), element.getBoundingClientRect()];
  const head = box.querySelector("thead")?.getBoundingClientRect().height ?? 0;
  if (inner.top < outer.top + head) box.scrollTop -= outer.top + head - inner.top;
  else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom;
}

function renderObjects(given) {
  const view = new View(given, "objects");
  const panel = new ObjectsPanel(view);
  return view.open(() => panel.draw());
}
