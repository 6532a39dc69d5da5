// What all views have in common: elements, icons, the state and its patches, the line to the kernel, the theme.
//
// Every name of an object, every log and every sentence is hostile input: it reaches the page through textContent and
// setAttribute only. Nothing here makes markup out of data.
//
// A view relies on anywidget's `render({ model, el })` alone, and of the model on `get`, `on`, `off` and `send`.

const SVG = "http://www.w3.org/2000/svg";
const PATIENCE_MS = 2000;
const NOT_CONNECTED = "Not connected: this is the last state that was saved. Run the cell again to go on.";
const WAITING = "Waiting for the kernel, which is busy or gone.";

/** Paths in a square of 16 by 16. */
const ICONS = {
  play: "M4 2.2v11.6L13.5 8z",
  pause: "M3.5 2.5h3.2v11H3.5zM9.3 2.5h3.2v11H9.3z",
  step: "M2.5 2.5v11L9.8 8zM11 2.5h2.5v11H11z",
  back: "M7.8 3v10L1.2 8zM14.8 3v10L8.2 8z",
  forward: "M8.2 3v10l6.6-5zM1.2 3v10l6.6-5z",
  plus: "M7 3h2v4h4v2H9v4H7V9H3V7h4z",
  minus: "M3 7h10v2H3z",
  fit: "M2 6V2h4v1.6H3.6V6zM10 2h4v4h-1.6V3.6H10zM2 10h1.6v2.4H6V14H2zM12.4 10H14v4h-4v-1.6h2.4z",
  table: "M1.5 2.5h13v11h-13zM3 6.3v2.2h3.2V6.3zM7.7 6.3v2.2h5.3V6.3zM3 10v2h3.2v-2zM7.7 10v2h5.3v-2z",
  fault: "M9.8 1L3 9.2h4L6.2 15l6.8-8.2H8.8z",
  fold: "M8 6.8L4.4 3.2l1.1-1.1L8 4.6l2.5-2.5 1.1 1.1zM8 9.2l3.6 3.6-1.1 1.1L8 11.4l-2.5 2.5-1.1-1.1z",
};

/**
 * An element with attributes and children. An attribute that is null or false is left out; `on...` is a listener.
 * Children are nodes or texts, never markup.
 */
function make(namespace, tag, attributes, children) {
  const element = namespace ? document.createElementNS(namespace, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else put(element, name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const html = (tag, attributes = {}, ...children) => make(null, tag, attributes, children);
const svg = (tag, attributes = {}, ...children) => make(SVG, tag, attributes, children);

/** Sets an attribute, or takes it away where the value is null or false; leaves it alone where it is so already. */
function put(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** Sets a text, unless it is so already: a live region is read out whenever it is touched. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function icon(name) {
  return svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true", focusable: "false" },
    svg("path", { d: ICONS[name], "fill-rule": "evenodd" }));
}

/**
 * A button. `label` is what it is called; it is written on it only where `shown` says so.
 * @param {{label: string, icon?: string, shown?: string, key?: string, press: () => void, attributes?: object}} what
 */
function button({ label, icon: picture, shown, key, press, attributes = {} }) {
  const element = html("button", {
    type: "button",
    class: shown ? "k-button" : "k-button k-square",
    title: key ? `${label} (${key})` : label,
    "aria-label": shown ? null : label,
    "aria-keyshortcuts": key ?? null,
    onclick: () => { if (element.getAttribute("aria-disabled") !== "true") press(); },
    ...attributes,
  });
  if (picture) element.append(icon(picture));
  if (shown) element.append(html("span", {}, shown));
  return element;
}

/** Greys a button out but leaves it where the focus is: a focused element that is disabled loses the keyboard. */
function able(element, can) {
  put(element, "aria-disabled", can ? null : "true");
}

/** Changes a state in place to what `patches.py` says; things that did not change stay the same objects. */
function applyPatch(state, patch) {
  for (const part of patch.gone ?? []) delete state[part];
  Object.assign(state, patch.set ?? {});
  for (const [part, change] of Object.entries(patch.lists ?? {})) state[part] = changedList(state[part], change);
  return state;
}

function changedList(before, { drop, put: changed, order }) {
  const things = new Map(before.map((thing) => [thing.id, thing]));
  drop.forEach((id) => things.delete(id));
  changed.forEach((thing) => things.set(thing.id, thing));
  return order ? order.map((id) => things.get(id)) : [...things.values()];
}

/**
 * Makes what is on the page agree with a list of things that have ids: adds, changes in place, removes.
 * @param {Map<string, {thing: object, element: Element}>} shown what is on the page; changed by this
 * @param {object[]} things what should be
 * @param {{add: (thing) => object, change: (entry, thing) => void, remove?: (entry) => void}} how
 */
function reconcile(shown, things, { add, change, remove = (entry) => entry.element.remove() }) {
  const wanted = new Set();
  for (const thing of things) {
    wanted.add(thing.id);
    const entry = shown.get(thing.id);
    if (entry === undefined) shown.set(thing.id, Object.assign(add(thing), { thing }));
    else if (entry.thing !== thing) {
      change(entry, thing);
      entry.thing = thing;
    }
  }
  if (shown.size === wanted.size) return;
  for (const [id, entry] of shown) {
    if (wanted.has(id)) continue;
    remove(entry);
    shown.delete(id);
  }
}

/** Puts elements into an order, after the `first` children; touches only those that are out of it, to keep the focus. */
function inOrder(parent, elements, first = 0) {
  elements.forEach((element, index) => {
    const there = parent.children[first + index] ?? null;
    if (there !== element) parent.insertBefore(element, there);
  });
}

/** One stop for many elements in the order of Tab: the one that was focused last. */
class Roving {
  /** Makes `element` the stop. Null: there is none. */
  to(element) {
    if (this.current === element) return;
    if (this.current) put(this.current, "tabindex", -1);
    this.current = element;
    if (element) put(element, "tabindex", 0);
  }

  focus(element) {
    if (!element) return;
    this.to(element);
    element.focus({ preventScroll: true });
  }
}

/** Whether the background behind an element is dark: what is drawn follows the page, not the system. */
function isDark(element) {
  for (let each = element.parentElement; each; each = each.parentElement) {
    const [red, green, blue, alpha = 1] = (getComputedStyle(each).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
    if (alpha > 0.5 && red !== undefined) return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Calls back with `light` or `dark`, now and whenever the page changes its theme; what comes back ends that. */
function watchTheme(element, callback) {
  let last = "";
  const look = () => {
    const name = isDark(element) ? "dark" : "light";
    if (name !== last) callback((last = name));
  };
  // Stylesheets of a theme come some frames after the attribute that names it.
  const soon = () => { look(); setTimeout(look, 150); setTimeout(look, 600); };
  const observer = new MutationObserver(soon);
  const attributeFilter = ["class", "style", "data-jp-theme-name", "data-jp-theme-light", "data-vscode-theme-kind", "data-theme"];
  [document.documentElement, document.body].forEach((each) => observer.observe(each, { attributes: true, attributeFilter }));
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", soon);
  soon();
  return () => { observer.disconnect(); system.removeEventListener("change", soon); };
}

/** A view of a model: it keeps the state, has it drawn when it has changed, and talks with the kernel. */
class View {
  constructor({ model, el }, sort) {
    this.model = model;
    this.host = el;
    this.state = model.get("state") ?? { rev: 0 };
    this.draw = () => {};
    this.theme = "light";
    this.number = 0;
    this.waiting = new Map();
    this.refused = "";
    this.lost = false;
    this.alert = html("div", { class: "k-alert", role: "alert" });
    this.status = html("div", { class: "k-status", role: "status" });
    this.body = html("div", { class: "k-body" });
    this.root = html("div", { class: `k8slab k-${sort}`, role: "group", "data-widget": sort },
      this.alert, this.status, this.body);
    this.endings = [];
  }

  /** Shows the view; `draw` is called now and after every change. What comes back ends the view. */
  open(draw) {
    this.draw = draw;
    this.keepKeys();
    this.host.append(this.root);
    this.listen("change:state", () => this.replaced());
    this.listen("msg:custom", (message) => this.received(message));
    this.endings.push(watchTheme(this.root, (theme) => { this.theme = theme; this.root.dataset.theme = theme; this.redraw(); }));
    this.watchConnection();
    this.redraw();
    // A patch that was sent before this view listened is lost: say what it has.
    this.tell("hello", { rev: this.state.rev });
    return () => this.endings.forEach((end) => end());
  }

  /** Keeps keys that are pressed in the widget from the notebook, where `d d` deletes a cell. */
  keepKeys() {
    this.root.addEventListener("keydown", (event) => { if (isOwnKey(event)) event.stopPropagation(); });
    // Notebook 7 listens before the widget does; it passes over what bears this mark.
    const mark = (event) => {
      if (this.root.contains(event.target)) event.target.toggleAttribute("data-lm-suppress-shortcuts", isOwnKey(event));
    };
    addEventListener("keydown", mark, true);
    this.endings.push(() => removeEventListener("keydown", mark, true));
  }

  listen(event, callback) {
    this.model.on(event, callback);
    this.endings.push(() => this.model.off(event, callback));
  }

  /** Sends a message. Without a kernel nothing happens: the view says so. */
  tell(type, content = {}) {
    this.model.send({ type, ...content });
  }

  /** Sends a message and waits for what comes of it. `then` is called when it was done or refused. */
  ask(type, content = {}, then = () => {}) {
    if (!this.connected) return;
    const n = ++this.number;
    const timer = setTimeout(() => { this.late = true; this.say(); }, PATIENCE_MS);
    this.waiting.set(n, { timer, then });
    this.tell(type, { n, ...content });
  }

  answered(n) {
    const question = this.waiting.get(n);
    if (!question) return;
    this.waiting.delete(n);
    clearTimeout(question.timer);
    if (this.waiting.size === 0) this.late = false;
    question.then();
  }

  received(message) {
    this.heard();
    if (message.type === "patch") this.patched(message);
    else if (message.type === "done" || message.type === "error") {
      const asked = this.waiting.has(message.n);
      if (asked) this.refused = message.type === "error" ? String(message.say) : "";
      this.answered(message.n);
      this.say();
    }
  }

  patched(patch) {
    const start = performance.now();
    if (patch.from === this.state.rev) {
      applyPatch(this.state, patch);
      this.state.rev = patch.rev;
    } else if (patch.rev !== this.state.rev) {
      this.tell("resync"); // one was missed
      return;
    } // else another view of this model, which shares the state, was first
    this.redraw();
    this.measured(start);
  }

  replaced() {
    const start = performance.now();
    this.heard();
    this.state = this.model.get("state");
    this.redraw();
    this.measured(start);
  }

  /** Keeps how long the last change took, to applied and to painted: tests and the curious read it. */
  measured(start) {
    this.root.dataset.lastUpdateMs = (performance.now() - start).toFixed(1);
    requestAnimationFrame(() => setTimeout(() => {
      this.root.dataset.lastPaintMs = (performance.now() - start).toFixed(1);
      this.root.dataset.rev = this.state.rev;
    }));
  }

  redraw() {
    const focused = this.root.contains(document.activeElement) ? document.activeElement : null;
    put(this.root, "aria-label", this.state.title || "Widget");
    this.draw();
    this.say();
    // Whatever had the focus may be gone or hidden; the keyboard must not fall through to the notebook, where `d d` deletes a cell.
    if (focused && !(focused.isConnected && focused.checkVisibility())) this.fallback?.()?.focus({ preventScroll: true });
  }

  say() {
    write(this.alert, [this.refused, this.state.problem].filter(Boolean).join(" "));
    write(this.status, !this.connected ? NOT_CONNECTED : this.late ? WAITING : this.state.note ?? "");
  }

  /** Chooses an object, here at once and then in all other widgets; the chosen one again: chooses none. */
  select(id) {
    this.state.selected = id === this.state.selected ? "" : id;
    this.redraw();
    this.ask("select", { id: this.state.selected });
  }

  get connected() {
    // Jupyter marks what is restored without a kernel; a page without Jupyter may do the same.
    return !this.lost && this.host.closest(".jupyter-widgets-disconnected") === null;
  }

  watchConnection() {
    const view = this;
    const look = () => this.lookAtConnection();
    // Not told by the mark: that a kernel ended while its widgets were on the page.
    this.listen("comm_live_update", function told() {
      view.lost = this?.model?.comm_live !== true; // anywidget calls back on Jupyter's own view
      look();
    });
    const observer = new MutationObserver(look);
    for (let each = this.host, up = 0; each && up < 3; each = each.parentElement, up += 1)
      observer.observe(each, { attributes: true, attributeFilter: ["class"] });
    this.root.dataset.connected = this.connected;
    this.endings.push(() => observer.disconnect());
  }

  lookAtConnection() {
    if (this.root.dataset.connected === String(this.connected)) return;
    this.root.dataset.connected = this.connected;
    this.redraw();
  }

  /** Whatever comes from the kernel shows that there is one. */
  heard() {
    if (!this.lost) return;
    this.lost = false;
    this.lookAtConnection();
  }
}

/** Whether a key is the widget's own, not one that leads out of it or belongs to the browser. */
function isOwnKey(event) {
  return event.key !== "Tab" && event.key !== "Escape" && !event.ctrlKey && !event.metaKey;
}

/** Calls back `wait` ms after the last call. */
function debounced(callback, wait) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => callback(...given), wait);
  };
}

/** Several things as one sentence, those that are empty left out: `Pod web-abc, Running`. */
function spoken(...parts) {
  return parts.filter(Boolean).join(", ");
}
