// What views of pictures have in common: colours, a stage that is panned and zoomed, a toolbar, and the twin as a table.
//
// Coordinates come from Python, where the static picture is drawn from the same ones; nothing is laid out here.

const MARGIN = 8;
const ZOOM = 1.25;
const STEP = 60;

/** The colours of a picture as custom properties, so that a change of the theme touches one element. */
class Colours {
  constructor(element) {
    this.element = element;
    this.numbers = new Map();
  }

  /** `palette` is what `palette.py` says; `theme` is `light` or `dark`. */
  use(palette, theme) {
    if (!palette || (this.palette === palette && this.theme === theme)) return;
    Object.assign(this, { palette, theme });
    const chosen = palette.themes[theme];
    for (const name of ["background", "shade", "ink", "muted", "line"]) this.set(name, chosen[name]);
    for (const [kind, paint] of Object.entries(chosen.kinds))
      for (const [name, colour] of Object.entries(paint)) this.set(`${this.number(kind)}-${name}`, colour);
  }

  set(name, colour) {
    this.element.style.setProperty(`--p-${name}`, colour);
  }

  number(kind) {
    if (!this.numbers.has(kind)) this.numbers.set(kind, this.numbers.size);
    return this.numbers.get(kind);
  }

  /** A colour of a kind, as CSS: `fill`, `stroke`, `text`, `band` or `on_band`. */
  of(kind, name) {
    return `var(--p-${this.number(kind)}-${name})`;
  }

  /** The path of a kind's glyph around (0, 0). */
  glyph(kind) {
    return this.palette?.glyphs[kind] ?? "";
  }
}

/** A drawing that is larger than its window: panned by dragging and by keys, zoomed by buttons, keys and Ctrl + wheel. */
class Stage {
  /** `least` is the smallest zoom that is taken by itself to show everything; `tallest` how high the window becomes. */
  constructor(least, tallest = 460) {
    Object.assign(this, { least, tallest });
    this.layer = svg("g", { class: "k-layer" });
    this.svg = svg("svg", { class: "k-drawing", role: "group" }, this.layer);
    this.element = html("div", { class: "k-stage" }, this.svg);
    Object.assign(this, { width: 0, height: 0, x: 0, y: 0, zoom: 1, touched: false });
    this.resizing = new ResizeObserver(() => this.settle());
    this.resizing.observe(this.element);
    this.svg.addEventListener("pointerdown", (event) => this.grab(event));
    this.svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** The size of the drawing, in its own units. */
  size(width, height) {
    if (this.width === width && this.height === height) return;
    Object.assign(this, { width, height });
    this.settle();
  }

  /** Shows as much as possible, unless somebody has moved it to where they want it. */
  settle() {
    if (!this.touched) this.fit(this.least);
  }

  get window() {
    return { w: this.element.clientWidth || 900, h: this.element.clientHeight || this.tallest };
  }

  /** Fits the drawing into the window, at `least` as large as said. */
  fit(least = 0.05) {
    const { w } = this.window;
    const across = (w - 2 * MARGIN) / (this.width || 1);
    const down = (this.tallest - 2 * MARGIN) / (this.height || 1);
    this.zoom = Math.min(1, Math.max(Math.min(across, down), least));
    const tall = Math.min(this.height * this.zoom + 2 * MARGIN, this.tallest);
    this.element.style.height = `${Math.max(tall, 96)}px`;
    this.x = Math.max((w - this.width * this.zoom) / 2, MARGIN);
    this.y = Math.max((Math.max(tall, 96) - this.height * this.zoom) / 2, MARGIN);
    this.apply();
  }

  fitAll() {
    this.touched = false;
    this.fit();
  }

  apply() {
    const short = (value) => Math.round(value * 1000) / 1000;
    put(this.layer, "transform", `translate(${short(this.x)} ${short(this.y)}) scale(${short(this.zoom)})`);
  }

  pan(dx, dy) {
    this.touched = true;
    this.x += dx;
    this.y += dy;
    this.apply();
  }

  /** Zooms around a point of the window, by default its middle. */
  zoomBy(factor, at = { x: this.window.w / 2, y: this.window.h / 2 }) {
    const zoom = Math.min(4, Math.max(0.05, this.zoom * factor));
    this.touched = true;
    this.x = at.x - ((at.x - this.x) * zoom) / this.zoom;
    this.y = at.y - ((at.y - this.y) * zoom) / this.zoom;
    this.zoom = zoom;
    this.apply();
  }

  /** Moves as little as needed for a box to be seen. */
  reveal({ x, y, w, h }) {
    const { w: width, h: height } = this.window;
    const shift = (start, end, room) => (start < MARGIN ? MARGIN - start : end > room - MARGIN ? Math.max(room - MARGIN - end, MARGIN - start) : 0);
    const dx = shift(this.x + x * this.zoom, this.x + (x + w) * this.zoom, width);
    const dy = shift(this.y + y * this.zoom, this.y + (y + h) * this.zoom, height);
    if (dx || dy) this.pan(dx, dy);
  }

  /** Answers a key; whether it was one of the stage's. */
  key(event) {
    const moves = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
    if (event.shiftKey && moves[event.key]) this.pan(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoomBy(ZOOM);
    else if (event.key === "-") this.zoomBy(1 / ZOOM);
    else if (event.key === "0") this.fitAll();
    else return false;
    return true;
  }

  grab(event) {
    if (event.button !== 0) return;
    let last = { x: event.clientX, y: event.clientY };
    let moved = 0;
    const move = (now) => {
      moved += Math.abs(now.clientX - last.x) + Math.abs(now.clientY - last.y);
      if (moved > 4) {
        this.element.classList.add("k-dragged");
        this.pan(now.clientX - last.x, now.clientY - last.y);
      }
      last = { x: now.clientX, y: now.clientY };
    };
    const end = () => {
      removeEventListener("pointermove", move);
      // The click that ends a drag is not meant for the box under it.
      setTimeout(() => this.element.classList.remove("k-dragged"));
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end, { once: true });
    addEventListener("pointercancel", end, { once: true });
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    const box = this.element.getBoundingClientRect();
    this.zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1, { x: event.clientX - box.left, y: event.clientY - box.top });
  }

  get dragged() {
    return this.element.classList.contains("k-dragged");
  }
}

/** The frame of a picture: a toolbar, the stage, and the table that says the same. */
class Frame {
  constructor(view, stage) {
    this.view = view;
    this.stage = stage;
    this.twinShown = false;
    this.title = html("div", { class: "k-title" });
    this.toggle = button({ label: "Show as a table", shown: "Table", icon: "table", press: () => this.flip(), attributes: { "aria-pressed": "false" } });
    this.zooming = html("span", { class: "k-group", role: "group", "aria-label": "Zoom" },
      button({ label: "Zoom out", icon: "minus", key: "-", press: () => stage.zoomBy(1 / ZOOM) }),
      button({ label: "Zoom in", icon: "plus", key: "+", press: () => stage.zoomBy(ZOOM) }),
      button({ label: "Show everything", icon: "fit", key: "0", press: () => stage.fitAll() }));
    this.extra = html("span", { class: "k-group" });
    this.bar = html("div", { class: "k-bar" }, this.title, this.extra, this.zooming, this.toggle);
    this.twin = html("div", { class: "k-twin", role: "region", tabindex: "0", hidden: "" });
    view.body.append(this.bar, stage.element, this.twin);
    view.fallback = () => this.toggle;
    view.endings.push(() => stage.resizing.disconnect());
  }

  draw() {
    const { title, width } = this.view.state;
    write(this.title, title || "Picture");
    put(this.stage.svg, "aria-label", `${title || "Picture"}, as a drawing`);
    put(this.twin, "aria-label", `${title || "Picture"}, as a table`);
    const shown = this.twinShown || !width; // what could not be drawn is still a table
    this.stage.element.hidden = shown;
    this.zooming.hidden = shown;
    this.twin.hidden = !shown;
    put(this.toggle, "aria-pressed", String(shown));
    if (shown) this.fill();
  }

  flip() {
    this.twinShown = !this.twinShown;
    this.draw();
    if (!this.twinShown) this.stage.settle();
  }

  fill() {
    const { columns = [], rows = [] } = this.view.state;
    if (this.filled === rows && this.twin.firstChild) return;
    this.filled = rows;
    const head = html("tr", {}, ...columns.map((name) => html("th", { scope: "col" }, name)));
    const lines = rows.map(({ cells }) => html("tr", {}, ...cells.map((cell) => html("td", {}, cell))));
    this.twin.replaceChildren(html("table", { class: "k-table" }, html("thead", {}, head), html("tbody", {}, ...lines)));
  }
}

/** A text of a drawing. */
function words(x, y, text, attributes = {}) {
  return svg("text", { x, y, ...attributes }, text);
}
