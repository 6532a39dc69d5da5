// The line to the server, and the models at its end: what anywidget's views take for Jupyter's.
//
// The token comes with the address, behind the #. It is kept for this tab alone, and taken out of the address bar at once.

const PROTOCOL = "k8slab.dashboard.v1";
const BEARER = "k8slab.bearer.";
const KEPT = "k8slab.token";
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;

/** The token of the address, or the one that this tab had before it was loaded again; empty if there is none. */
export function token() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(KEPT, given);
    history.replaceState(null, "", location.pathname);
  }
  return given ?? sessionStorage.getItem(KEPT) ?? "";
}

/** One view's state and messages, with the methods that a view calls. */
export class Model {
  constructor(name, line) {
    this.name = name;
    this.line = line;
    this.state = null;
    this.listeners = new Map();
  }

  get(key) {
    return key === "state" ? this.state : undefined;
  }

  on(event, callback) {
    if (!this.listeners.has(event)) this.listeners.set(event, new Set());
    this.listeners.get(event).add(callback);
  }

  off(event, callback) {
    this.listeners.get(event)?.delete(callback);
  }

  /** Sends a message to the widget. */
  send(message) {
    this.line.tell({ to: this.name, message });
  }

  /** Says whether the view is in sight. */
  look(seen) {
    this.line.tell({ to: this.name, seen });
  }

  emit(event, ...given) {
    for (const callback of [...(this.listeners.get(event) ?? [])]) callback(...given);
  }

  /** Takes in what came from the server. */
  heard({ state, message }) {
    if (state !== undefined) {
      this.state = state;
      this.emit("change:state");
    }
    if (message !== undefined) this.emit("msg:custom", message);
  }
}

/** A WebSocket that comes back when it breaks. `on.state` is told `open`, `lost` or `refused`. */
export class Line {
  /** @param {string} secret @param {{about: (facts) => void, state: (name: string) => void, heard: (said) => void}} on */
  constructor(secret, on) {
    this.secret = secret;
    this.on = on;
    this.wait = FIRST_WAIT_MS;
    this.socket = null;
  }

  /** Connects, and goes on trying until the token is refused. */
  async connect() {
    const answer = await this.ask();
    if (answer?.status === 401) return this.on.state("refused");
    if (!answer?.ok) return this.again();
    this.on.about(await answer.json());
    return this.open();
  }

  async ask() {
    try {
      return await fetch("/about", { headers: { Authorization: `Bearer ${this.secret}` } });
    } catch {
      return null; // nobody listens
    }
  }

  open() {
    this.socket = new WebSocket(`ws://${location.host}/line`, [PROTOCOL, BEARER + this.secret]);
    this.socket.addEventListener("open", () => { this.wait = FIRST_WAIT_MS; this.on.state("open"); });
    this.socket.addEventListener("message", ({ data }) => this.on.heard(JSON.parse(data)));
    this.socket.addEventListener("close", () => this.again());
  }

  again() {
    this.on.state("lost");
    setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT_MS);
  }

  tell(said) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(said));
  }
}
