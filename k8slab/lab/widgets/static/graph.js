// A graph: boxes and arrows. Only what changed is drawn anew, in place, so that the focus stays and a change can be seen.

const CORNER = 6;
const MOVING = 150; // more boxes than this change places at once, not by gliding

class GraphPanel {
  constructor(view) {
    this.view = view;
    this.stage = new Stage(0.6);
    this.frame = new Frame(view, this.stage);
    this.fold = button({ label: "Close all groups", shown: "Close groups", icon: "fold", press: () => view.ask("collapse") });
    this.frame.extra.append(this.fold);
    this.colours = new Colours(this.stage.element);
    this.roving = new Roving();
    this.lines = svg("g", { "aria-hidden": "true" });
    this.boxes = svg("g");
    this.labels = svg("g", { "aria-hidden": "true" });
    this.stage.layer.append(this.lines, this.boxes, this.labels);
    this.nodes = new Map();
    this.edges = new Map();
    this.stage.svg.addEventListener("keydown", (event) => this.key(event));
    view.fallback = () => this.roving.current ?? this.frame.toggle;
  }

  draw() {
    const { nodes = [], edges = [], width = 0, height = 0, palette, opened = [], selected = "" } = this.view.state;
    this.colours.use(palette, this.view.theme);
    this.stage.svg.classList.toggle("k-gliding", nodes.length <= MOVING);
    reconcile(this.nodes, nodes, { add: (node) => this.addNode(node), change: (entry, node) => this.changeNode(entry, node), remove: (entry) => this.removeNode(entry) });
    reconcile(this.edges, edges, { add: (edge) => this.addEdge(edge), change: (entry, edge) => this.changeEdge(entry, edge), remove: removeEdge });
    this.neighbours = null;
    this.fold.hidden = opened.length === 0;
    this.frame.draw();
    this.stage.size(width, height);
    this.choose(selected);
    if (!this.roving.current) this.roving.to(this.nodes.values().next().value?.element);
  }

  /** The box of an object: its own, or the newest of several that tell of it (`Pod/default/web@41`). */
  boxOf(id) {
    const own = this.nodes.get(id);
    if (own || !id) return own;
    const telling = [...this.nodes.entries()].filter(([each]) => each.startsWith(`${id}@`));
    return telling.at(-1)?.[1];
  }

  /** Marks the chosen box, and brings it into view if it was chosen elsewhere. */
  choose(id) {
    if (this.chosen !== id) {
      const before = this.boxOf(this.chosen);
      if (before) put(before.element, "aria-pressed", "false");
    }
    const now = this.boxOf(id);
    if (now) put(now.element, "aria-pressed", "true");
    if (now && this.chosen !== id) {
      this.roving.to(now.element);
      this.stage.reveal(now.thing);
    }
    this.chosen = id;
  }

  addNode(node) {
    const element = svg("g", { class: "k-node", role: "button", tabindex: -1, "aria-pressed": "false", "data-id": node.id });
    element.addEventListener("click", () => { if (!this.stage.dragged) this.press(node.id); });
    element.addEventListener("focus", () => this.focused(node.id));
    this.boxes.append(element);
    const entry = { element };
    this.fillNode(entry, node);
    this.place(element, node);
    return entry;
  }

  changeNode(entry, node) {
    const before = entry.thing;
    if (before.x !== node.x || before.y !== node.y) this.place(entry.element, node);
    // Most changes are changes of words: a box that keeps its shape keeps its elements.
    if (sameShape(before, node)) this.rewrite(entry, node);
    else this.fillNode(entry, node);
  }

  rewrite({ element }, node) {
    rowsOf(node).forEach((row, index) => write(element.words[index], row.text));
    element.classList.toggle("k-lit", Boolean(node.lit));
    put(element, "aria-label", said(node));
  }

  removeNode(entry) {
    entry.element.remove();
    if (this.roving.current === entry.element) this.roving.to(this.nearest(entry.thing)?.element ?? null);
  }

  /** The box that stands nearest to a place where none is any more. */
  nearest(place) {
    let best = null;
    for (const each of this.nodes.values()) {
      const distance = Math.hypot(each.thing?.x - place.x, each.thing?.y - place.y);
      if (each.element.isConnected && (best === null || distance < best.distance)) best = { element: each.element, distance };
    }
    return best;
  }

  place(element, { x, y }) {
    element.style.transform = `translate(${x}px, ${y}px)`;
  }

  fillNode({ element }, node) {
    const paint = (name) => this.colours.of(node.kind, name);
    const sheet = (dx, attributes) => svg("rect", { x: dx, y: dx, width: node.w, height: node.h, rx: CORNER, ...attributes });
    const broken = node.style === "broken";
    const body = { style: `fill: ${paint("fill")}; stroke: ${broken ? this.colours.of("fault", "stroke") : paint("stroke")}` };
    const parts = [svg("rect", { class: "k-ring", x: -4, y: -4, width: node.w + 8, height: node.h + 8, rx: CORNER + 4 })];
    if (node.members) parts.push(sheet(4, body));
    parts.push(sheet(0, body));
    if (node.band) parts.push(...this.band(node, paint));
    if (broken) parts.push(...this.cross(node));
    element.words = rowsOf(node).map((row) => this.row(row, paint));
    element.replaceChildren(...parts, ...element.words);
    element.classList.toggle("k-lit", Boolean(node.lit));
    element.classList.toggle("k-dashed", broken || node.style === "absent");
    put(element, "aria-label", said(node));
  }

  /** A cross at the corner of a box: something is wrong with it, and not by colour alone. */
  cross({ w }) {
    const of = (name) => this.colours.of("fault", name);
    const place = `translate(${w - 2} 2)`;
    return [
      svg("circle", { r: 8, transform: place, style: `fill: var(--p-background); stroke: ${of("stroke")}` }),
      svg("path", { d: this.colours.glyph("fault"), transform: place, style: `fill: ${of("stroke")}; stroke: none` }),
    ];
  }

  band(node, paint) {
    const { w, band } = node;
    const whole = node.h <= band;
    const path = `M0 ${band}V${CORNER}A${CORNER} ${CORNER} 0 0 1 ${CORNER} 0H${w - CORNER}A${CORNER} ${CORNER} 0 0 1 ${w} ${CORNER}V${band}Z`;
    const style = `fill: ${paint("band")}; stroke: ${paint("stroke")}`;
    return [
      whole ? svg("rect", { width: w, height: node.h, rx: CORNER, style }) : svg("path", { d: path, style }),
      svg("path", { d: this.colours.glyph(node.kind), transform: `translate(15 ${band / 2})`, style: `fill: ${paint("on_band")}; stroke: none` }),
    ];
  }

  row(row, paint) {
    const fill = { tag: paint("on_band"), state: "var(--p-muted)" }[row.role] ?? paint("text");
    return words(row.x, row.y, row.text, { class: `k-row-${row.role}`, style: `fill: ${fill}` });
  }

  addEdge(edge) {
    const element = svg("g", { class: "k-edge" }, svg("path"), svg("polygon"));
    this.lines.append(element);
    const entry = { element, label: null };
    this.changeEdge(entry, edge);
    return entry;
  }

  changeEdge(entry, edge) {
    const [line, head] = entry.element.children;
    put(line, "d", edge.path);
    put(head, "points", edge.arrow ?? "");
    entry.element.classList.toggle("k-dashed", edge.kind === "dashed");
    entry.label?.remove();
    entry.label = edge.label && edge.label_at ? this.label(edge) : null;
  }

  label({ label, label_at: [x, y], label_width: width }) {
    const element = svg("g", { class: "k-label" },
      svg("rect", { x: x - width / 2, y: y - 8, width, height: 16, rx: 3 }),
      words(x, y + 4, label, { "text-anchor": "middle" }));
    this.labels.append(element);
    return element;
  }

  press(id) {
    if (id.startsWith("group:")) this.view.ask("expand", { id });
    else this.view.select(id.split("@")[0]);
  }

  focused(id) {
    const entry = this.nodes.get(id);
    this.roving.to(entry.element);
    this.stage.reveal(entry.thing);
  }

  key(event) {
    const id = event.target.closest?.(".k-node")?.dataset.id;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") event.target.blur();
    else if (this.stage.key(event)) event.preventDefault();
    else if (id !== undefined && this.keyOnNode(event.key, id)) event.preventDefault();
  }

  keyOnNode(key, id) {
    const all = [...this.nodes.values()];
    if (key === "Enter" || key === " ") this.press(id);
    else if (key === "Home") this.roving.focus(all[0].element);
    else if (key === "End") this.roving.focus(all.at(-1).element);
    else if (key.startsWith("Arrow")) this.roving.focus(this.towards(id, key.slice(5))?.element);
    else return false;
    return true;
  }

  /** The box that an arrow key leads to: along the arrows of the graph where they run that way, else the nearest. */
  towards(id, direction) {
    const from = this.nodes.get(id);
    const linked = this.links(id, direction);
    const others = [...this.nodes.values()].filter((each) => each !== from);
    return closest(from.thing, linked, direction, 0.1) ?? closest(from.thing, others, direction, 3);
  }

  /** The boxes that a box is joined with, if its arrows run in that direction on the whole. */
  links(id, direction) {
    this.neighbours ??= neighboursOf(this.view.state.edges ?? [], this.nodes);
    const across = direction === "Left" || direction === "Right";
    if (across !== this.neighbours.across) return [];
    return (this.neighbours.of.get(id) ?? []).map((each) => this.nodes.get(each)).filter(Boolean);
  }
}

function removeEdge(entry) {
  entry.element.remove();
  entry.label?.remove();
}

/** How a box is said: `Pod web-abc, Running`. */
function said(node) {
  const [name = node.id, ...more] = node.lines ?? [];
  const heading = node.kind && name.toLowerCase() !== node.kind.toLowerCase() ? `${node.kind} ${name}` : name;
  return spoken(heading, ...more, node.state, node.lit ? "this is what the picture is about" : "", node.members ? "press to open" : "");
}

/** The rows of a box with their places; made from its lines where the source gave none. */
function rowsOf(node) {
  if (node.rows) return node.rows;
  const lines = [...(node.lines ?? []), node.state].filter(Boolean);
  return lines.map((text, index) => ({ text, role: index ? "line" : "heading", x: 10, y: 20 + 16 * index }));
}

/** Whether two boxes differ in their words and their place alone. */
function sameShape(one, other) {
  const [rows, others] = [rowsOf(one), rowsOf(other)];
  const same = ["w", "h", "band", "kind", "members", "style"].every((part) => one[part] === other[part]);
  return same && rows.length === others.length && rows.every(({ role, x, y }, index) => role === others[index].role && x === others[index].x && y === others[index].y);
}

/** Who is joined with whom, and whether the arrows run across rather than down. */
function neighboursOf(edges, nodes) {
  const of = new Map();
  let [across, down] = [0, 0];
  for (const { source, target } of edges) {
    const [one, other] = [nodes.get(source)?.thing, nodes.get(target)?.thing];
    if (!one || !other) continue;
    across += Math.abs(middle(one).x - middle(other).x);
    down += Math.abs(middle(one).y - middle(other).y);
    of.set(source, [...(of.get(source) ?? []), target]);
    of.set(target, [...(of.get(target) ?? []), source]);
  }
  return { of, across: across >= down };
}

function middle({ x, y, w, h }) {
  return { x: x + w / 2, y: y + h / 2 };
}

/** The entry in a direction that is least far; what lies `aside` counts so many times as much. */
function closest(from, entries, direction, aside) {
  const [ux, uy] = { Left: [-1, 0], Right: [1, 0], Up: [0, -1], Down: [0, 1] }[direction];
  const start = middle(from);
  let best = null;
  for (const entry of entries) {
    const { x, y } = middle(entry.thing);
    const along = (x - start.x) * ux + (y - start.y) * uy;
    const side = Math.abs((x - start.x) * uy) + Math.abs((y - start.y) * ux);
    const far = along + aside * side;
    if (along > 1 && (best === null || far < best.far)) best = { entry, far };
  }
  return best?.entry;
}

function renderGraph(given) {
  const view = new View(given, "graph");
  const panel = new GraphPanel(view);
  return view.open(() => panel.draw());
}
