// A timeline: lanes, an axis, bars and marks. Left and right follow a lane, up and down change it.

class TimelinePanel {
  constructor(view) {
    this.view = view;
    this.stage = new Stage(0.85, 640);
    this.frame = new Frame(view, this.stage);
    this.colours = new Colours(this.stage.element);
    this.roving = new Roving();
    this.ground = svg("g", { "aria-hidden": "true" });
    this.things = svg("g");
    this.stage.layer.append(this.ground, this.things);
    this.items = new Map();
    this.stage.svg.addEventListener("keydown", (event) => this.key(event));
    view.fallback = () => this.roving.current ?? this.frame.toggle;
  }

  draw() {
    const { items = [], width = 0, height = 0, palette, selected = "" } = this.view.state;
    this.colours.use(palette, this.view.theme);
    this.drawGround();
    reconcile(this.items, items, { add: (item) => this.add(item), change: (entry, item) => this.fill(entry, item), remove: (entry) => this.remove(entry) });
    this.frame.draw();
    this.stage.size(width, height);
    this.choose(selected);
    if (!this.roving.current) this.roving.to(this.inOrder()[0]?.element);
  }

  /** Lanes, axis and legend: few, and drawn anew when they change. */
  drawGround() {
    const { lanes = [], ticks = [], legend = [], width = 0 } = this.view.state;
    const key = JSON.stringify([lanes, ticks, legend, width]);
    if (this.groundKey === key) return;
    this.groundKey = key;
    const last = lanes.at(-1);
    const bottom = last ? last.y + last.h : 26;
    this.ground.replaceChildren(
      ...lanes.flatMap((lane, row) => this.lane(lane, row % 2 === 0, width)),
      ...ticks.flatMap((tick) => this.tick(tick, bottom)),
      ...legend.flatMap((entry) => this.legend(entry)));
  }

  lane({ label, name, y, h }, shaded, width) {
    const text = words(16, y + 21, label ?? name, { class: "k-lane" });
    return shaded ? [svg("rect", { class: "k-shade", x: 8, y, width: Math.max(width - 16, 0), height: h, rx: 4 }), text] : [text];
  }

  tick({ x, label }, bottom) {
    const anchor = x > (this.view.state.right ?? Infinity) - 20 ? "end" : "middle";
    return [svg("path", { class: "k-tick", d: `M${x} 22V${bottom}` }), words(x, 17, label, { class: "k-muted", "text-anchor": anchor })];
  }

  legend([x, y, kind]) {
    return [this.glyph(kind, x + 6, y), words(x + 17, y + 4, kind, { class: "k-muted" })];
  }

  glyph(kind, x, y) {
    const style = `fill: ${this.colours.of(kind, "band")}; stroke: ${this.colours.of(kind, "stroke")}; stroke-width: 0.8`;
    return svg("path", { d: this.colours.glyph(kind), transform: `translate(${x} ${y})`, style });
  }

  add(item) {
    const element = svg("g", { class: "k-item", role: "button", tabindex: -1, "aria-pressed": "false", "data-id": item.id });
    element.addEventListener("click", () => { if (!this.stage.dragged) this.press(item.id); });
    element.addEventListener("focus", () => this.focused(item.id));
    this.things.append(element);
    const entry = { element };
    this.fill(entry, item);
    return entry;
  }

  fill({ element }, item) {
    const parts = [
      around(item, "k-target", 15), // small things are as easy to hit as large ones
      around(item, "k-ring", item.is_mark ? 10 : 12),
      ...(item.is_mark ? [this.glyph(item.kind, item.x, item.y)] : this.bar(item)),
    ];
    if (item.shown) parts.push(words(item.label_at[0], item.label_at[1], item.shown, { class: "k-ink" }));
    element.replaceChildren(...parts);
    put(element, "aria-label", this.said(item));
  }

  bar(item) {
    const style = `fill: ${this.colours.of(item.kind, "fill")}; stroke: ${this.colours.of(item.kind, "stroke")}; stroke-width: 1.4`;
    const drawn = [svg("path", { d: item.path, style })];
    if (item.kind && item.w >= 20) drawn.push(this.glyph(item.kind, item.x + 11, item.y));
    return drawn;
  }

  said({ label, kind, lane, start, end, is_mark: isMark, object }) {
    const lasts = isMark ? "" : end === null ? "has not ended" : `for ${round(end - start)} seconds`;
    return spoken(label || kind, label ? kind : "", `lane ${lane}`, `at ${round(start)} seconds`, lasts, object);
  }

  remove(entry) {
    entry.element.remove();
    if (this.roving.current === entry.element) this.roving.to(null);
  }

  choose(object) {
    let first = null;
    for (const { element, thing } of this.items.values()) {
      const chosen = object !== "" && thing.object === object;
      put(element, "aria-pressed", String(chosen));
      if (chosen && first === null) first = thing;
    }
    if (first && this.chosen !== object && !this.things.contains(document.activeElement)) this.stage.reveal(reach(first));
    this.chosen = object;
  }

  press(id) {
    const { object } = this.items.get(id).thing;
    if (object) this.view.select(object);
  }

  focused(id) {
    const { element, thing } = this.items.get(id);
    this.roving.to(element);
    this.stage.reveal(reach(thing));
  }

  key(event) {
    const id = event.target.closest?.(".k-item")?.dataset.id;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") event.target.blur();
    else if (this.stage.key(event)) event.preventDefault();
    else if (id !== undefined && this.keyOnItem(event.key, this.items.get(id))) event.preventDefault();
  }

  keyOnItem(key, entry) {
    const lane = this.inOrder().filter((each) => each.thing.lane === entry.thing.lane);
    const place = lane.indexOf(entry);
    if (key === "Enter" || key === " ") this.press(entry.thing.id);
    else if (key === "ArrowLeft") this.roving.focus(lane[place - 1]?.element);
    else if (key === "ArrowRight") this.roving.focus(lane[place + 1]?.element);
    else if (key === "Home") this.roving.focus(lane[0].element);
    else if (key === "End") this.roving.focus(lane.at(-1).element);
    else if (key === "ArrowUp" || key === "ArrowDown") this.roving.focus(this.inLane(entry.thing, key === "ArrowUp" ? -1 : 1)?.element);
    else return false;
    return true;
  }

  /** All items, lane by lane, each in the order of time. */
  inOrder() {
    const rank = new Map((this.view.state.lanes ?? []).map(({ name }, index) => [name, index]));
    return [...this.items.values()].sort((one, other) => rank.get(one.thing.lane) - rank.get(other.thing.lane) || one.thing.x - other.thing.x);
  }

  /** The item that is nearest in time in the next lane that has any. */
  inLane(item, direction) {
    const names = (this.view.state.lanes ?? []).map(({ name }) => name);
    const all = [...this.items.values()];
    for (let index = names.indexOf(item.lane) + direction; index >= 0 && index < names.length; index += direction) {
      const there = all.filter((each) => each.thing.lane === names[index]);
      if (there.length) return there.reduce((best, each) => (Math.abs(each.thing.x - item.x) < Math.abs(best.thing.x - item.x) ? each : best));
    }
    return undefined;
  }
}

/** A frame around an item, at least twice `half` wide. */
function around({ x, y, w }, name, half) {
  const width = Math.max(w + 4, 2 * half);
  return svg("rect", { class: name, x: x + w / 2 - width / 2, y: y - half, width, height: 2 * half, rx: 5 });
}

/** The box around an item; of a long bar, its beginning. */
function reach({ x, y, w }) {
  return { x: x - 12, y: y - 14, w: Math.min(w + 24, 200), h: 28 };
}

function round(seconds) {
  return Math.round(seconds * 1000) / 1000;
}

function renderTimeline(given) {
  const view = new View(given, "timeline");
  const panel = new TimelinePanel(view);
  return view.open(() => panel.draw());
}
