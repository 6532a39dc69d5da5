// The page: which views are in sight, what is known about the cluster, and whether it is still there.

import { Line, Model, token } from "./line.js";

const MODULES = {
  controls: "controls", view: "graph", timeline: "timeline", ownership: "graph", why: "why", objects: "objects",
};
const RUNTIMES = {
  simulated: ["simulated containers", "No real container runs: programs of k8slab play them."],
  docker: ["Docker containers", "Real containers, run by the Docker Engine of this machine."],
};
const MODES = {
  stepped: ["virtual time", "Nothing moves unless you say so."],
  live: ["real time", "The cluster runs by the clock of this machine."],
};
const LOST = "The cluster does not answer. It may have been stopped; this page tries again by itself.";
const REFUSED = "This address is not valid any more. Run “k8slab dashboard” in a terminal, or cluster.dashboard() in a notebook, for the one that is.";
const DISCONNECTED = "jupyter-widgets-disconnected"; // what the widgets know it by

class Page {
  constructor() {
    this.hosts = new Map([...document.querySelectorAll("[data-view]")].map((host) => [host.dataset.view, host]));
    this.tabs = [...document.querySelectorAll("[role=tab]")];
    this.line = new Line(token(), {
      about: (facts) => this.about(facts),
      state: (name) => this.state(name),
      heard: (said) => this.models.get(said.from)?.heard(said),
    });
    this.models = new Map([...this.hosts.keys()].map((name) => [name, new Model(name, this.line)]));
    this.facts = new Map();
    this.connected = false;
  }

  start() {
    for (const name of this.hosts.keys()) this.models.get(name).on("change:state", () => this.render(name));
    for (const event of ["change:state", "msg:custom"]) this.models.get("controls").on(event, () => setTimeout(() => this.clock()));
    for (const tab of this.tabs) tab.addEventListener("click", () => this.turnTo(tab));
    document.getElementById("tabs").addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("visibilitychange", () => this.look());
    this.turnTo(this.tabs[0]);
    this.line.connect();
  }

  // The cluster.

  about({ name, mode, runtime, nodes }) {
    document.title = `${name} · k8slab`;
    document.getElementById("name").textContent = name;
    this.fact("Runtime", ...(RUNTIMES[runtime] ?? [runtime]));
    this.fact("Mode", ...(MODES[mode] ?? [mode]));
    this.fact("Nodes", String(nodes));
  }

  /** Time and revision, as the controls have them. */
  clock() {
    const { time = "", revision = "" } = this.models.get("controls").state ?? {};
    this.fact("Time", time);
    this.fact("Revision", String(revision));
  }

  fact(term, text, title = "") {
    let value = this.facts.get(term);
    if (!value) {
      const [group, heading] = [document.createElement("div"), document.createElement("dt")];
      value = document.createElement("dd");
      group.dataset.fact = term.toLowerCase();
      heading.textContent = term;
      group.append(heading, value);
      document.getElementById("facts").append(group);
      this.facts.set(term, value);
    }
    if (value.textContent !== text) value.textContent = text;
    if (title) value.title = title;
  }

  // The line.

  state(name) {
    this.connected = name === "open";
    const notice = document.getElementById("notice");
    notice.hidden = this.connected;
    const text = { open: "", lost: LOST, refused: REFUSED }[name];
    if (notice.textContent !== text) notice.textContent = text;
    for (const host of this.hosts.values()) host.classList.toggle(DISCONNECTED, !this.connected);
    document.body.dataset.line = name;
    if (this.connected) this.look();
  }

  // The views.

  /** Whether somebody can see a view. */
  seen(name) {
    return !document.hidden && !this.hosts.get(name).hidden;
  }

  /** Says which views are in sight: the others rest. */
  look() {
    for (const [name, model] of this.models) model.look(this.seen(name));
  }

  /** Draws a view when its first state is there. */
  async render(name) {
    const host = this.hosts.get(name);
    if (host.dataset.rendered) return;
    host.dataset.rendered = "true";
    const module = await import(`/widgets/${MODULES[name]}.js`);
    module.default.render({ model: this.models.get(name), el: host });
  }

  turnTo(chosen) {
    for (const tab of this.tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
    this.look();
  }

  key(event) {
    const place = this.tabs.indexOf(event.target);
    const to = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: this.tabs.length - 1 }[event.key];
    if (place < 0 || to === undefined) return;
    event.preventDefault();
    const tab = this.tabs.at(to % this.tabs.length);
    this.turnTo(tab);
    tab.focus();
  }
}

new Page().start();
