// The controls of a cluster. Each is one message; what it leads to comes back as state, so nothing here is ever ahead of it.

const QUIET_MS = 2000;

class ControlsPanel {
  constructor(view) {
    this.view = view;
    this.id = `k-${Math.random().toString(36).slice(2)}`;
    this.shown = new Map();
    this.speed = "1";
    this.aim = null; // the step that the slider was let go at, while an earlier one is still being gone to
    this.build();
    view.root.addEventListener("keydown", (event) => this.key(event));
    view.fallback = () => this.play;
  }

  build() {
    const { view } = this;
    const send = (type) => () => view.ask(type);
    this.back = button({ label: "Back one step", icon: "back", key: "b", press: send("back") });
    this.play = button({ label: "Play", icon: "play", key: "p", press: () => this.playOrPause() });
    this.step = button({ label: "One step", icon: "step", key: "s", press: send("step") });
    this.forward = button({ label: "Forward one step, as it was before", icon: "forward", key: "f", press: send("forward") });
    this.speeds = html("select", { class: "k-input", "aria-label": "Speed", title: "Speed", onchange: () => this.setSpeed(this.speeds.value) });
    this.durations = html("select", { class: "k-input", "aria-label": "How long" , title: "How long" });
    this.run = button({ label: "Let this time pass", shown: "Run for", press: () => view.ask("run_for", { duration: this.durations.value }) });
    this.faultsButton = button({ label: "Faults", shown: "Faults", icon: "fault", press: () => this.fold(),
      attributes: { "aria-expanded": "false", "aria-controls": `${this.id}-faults` } });
    this.buildReadings();
    this.faults = html("fieldset", { class: "k-faults", id: `${this.id}-faults`, hidden: "" }, html("legend", {}, "What can go wrong"));
    view.body.append(
      html("div", { class: "k-bar" },
        html("span", { class: "k-group", role: "group", "aria-label": "Move" }, this.back, this.play, this.step, this.forward),
        this.speeds, html("span", { class: "k-group" }, this.run, this.durations), html("span", { class: "k-grow" }), this.faultsButton),
      html("div", { class: "k-bar k-second" }, this.slider, this.readings, this.heard),
      this.faults);
  }

  buildReadings() {
    this.slider = html("input", { type: "range", class: "k-slider k-grow", "aria-label": "Step", step: 1,
      oninput: () => this.drawStep(Number(this.slider.value)), onchange: () => this.goto(Number(this.slider.value)) });
    this.at = html("span", { class: "k-reading" });
    this.revision = html("span", { class: "k-reading" });
    this.time = html("span", { class: "k-reading" });
    this.readings = html("span", { class: "k-readings" }, this.at, this.revision, this.time);
    this.heard = html("span", { class: "k-heard", role: "status" });
  }

  draw() {
    const { state } = this.view;
    const { playing = false, step = 0, first = 0, last = 0 } = state;
    if (playing) this.speed = state.speed;
    put(this.play, "aria-label", playing ? "Pause" : "Play");
    put(this.play, "title", playing ? "Pause (p)" : "Play (p)");
    if (this.playing !== playing) this.play.replaceChildren(icon(playing ? "pause" : "play"));
    this.playing = playing;
    const can = this.view.connected;
    [this.play, this.run].forEach((each) => able(each, can));
    able(this.step, can && !playing);
    able(this.back, can && !playing && step > first);
    able(this.forward, can && !playing && step < last);
    [this.speeds, this.durations, this.slider].forEach((each) => { each.disabled = !can; });
    this.drawChoices();
    this.drawSlider(first, last, step);
    write(this.revision, `revision ${state.revision ?? 0}`);
    write(this.time, state.time ?? "");
    this.tell();
    this.drawFaults();
  }

  drawChoices() {
    const { speeds = [], durations = [] } = this.view.state;
    if (this.offered !== speeds) {
      this.offered = speeds;
      this.speeds.replaceChildren(html("option", { value: "" }, "paused"), ...speeds.map(({ id, label }) => html("option", { value: id }, label)));
      this.durations.replaceChildren(...durations.map((each) => html("option", { value: each }, each)));
      this.durations.value = durations[1] ?? durations[0];
    }
    this.speeds.value = this.playing ? this.speed : "";
  }

  drawSlider(first, last, step) {
    put(this.slider, "min", first);
    put(this.slider, "max", Math.max(last, first));
    // A hand that holds the slider is not contradicted.
    if (this.aim !== null || this.slider.matches(":active")) return;
    this.slider.value = step;
    this.drawStep(step);
  }

  drawStep(step) {
    const text = `step ${step} of ${this.view.state.last ?? 0}`;
    write(this.at, text);
    put(this.slider, "aria-valuetext", text);
  }

  /** Says where things are to those who listen: when they have come to rest, else every other second at most. */
  tell() {
    const { step, revision, time } = this.view.state;
    const say = () => { this.due = null; write(this.heard, spoken(`step ${this.view.state.step}`, `revision ${this.view.state.revision}`, this.view.state.time)); };
    const key = `${step} ${revision} ${time}`;
    if (this.told === key) return;
    const begun = this.told !== undefined;
    this.told = key;
    if (begun && !this.due) this.due = setTimeout(say, QUIET_MS);
  }

  playOrPause() {
    if (this.playing) this.view.ask("pause");
    else this.view.ask("play", { speed: this.speed });
  }

  setSpeed(speed) {
    if (speed === "") this.view.ask("pause");
    else this.view.ask("play", { speed: (this.speed = speed) });
  }

  /** Goes to a step. While one is being gone to, only the last of the further ones is kept. */
  goto(step) {
    const busy = this.aim !== null;
    this.aim = step;
    if (!busy) this.follow();
  }

  follow() {
    const step = this.aim;
    if (!this.view.connected) { this.aim = null; return; }
    this.view.ask("goto", { step }, () => {
      if (this.aim !== step) return this.follow();
      this.aim = null;
      return this.draw();
    });
  }

  fold() {
    this.faults.hidden = !this.faults.hidden;
    put(this.faultsButton, "aria-expanded", String(!this.faults.hidden));
  }

  drawFaults() {
    const { faults = [] } = this.view.state;
    const active = faults.filter((each) => each.active).length;
    write(this.faultsButton.lastChild, active ? `Faults (${active} active)` : "Faults");
    this.faultsButton.classList.toggle("k-warned", active > 0);
    reconcile(this.shown, faults, { add: (fault) => this.addFault(fault), change: (entry, fault) => this.fillFault(entry, fault) });
    inOrder(this.faults, faults.map((fault) => this.shown.get(fault.id).element), 1); // after the legend
    for (const { box, inputs, now } of this.shown.values()) {
      if (now) able(now, this.view.connected);
      if (box) box.disabled = !this.view.connected;
      inputs.forEach((each) => { each.disabled = !this.view.connected || Boolean(box?.checked); });
    }
  }

  addFault(fault) {
    const entry = { element: html("div", { class: "k-fault" }), inputs: new Map() };
    if (fault.once) {
      entry.now = button({ label: `${fault.label}: now`, shown: "Now", press: () => this.begin(entry) });
      entry.element.append(html("span", { class: "k-check" }, fault.label));
    } else {
      entry.box = html("input", { type: "checkbox", onchange: () => this.turn(entry) });
      entry.element.append(html("label", { class: "k-check" }, entry.box, html("span", {}, fault.label)));
    }
    entry.given = html("span", { class: "k-group" });
    entry.element.append(entry.given);
    this.faults.append(entry.element);
    this.fillFault(entry, fault);
    return entry;
  }

  fillFault(entry, fault) {
    if (entry.box) entry.box.checked = fault.active;
    const key = JSON.stringify(fault.arguments);
    if (entry.key === key) return;
    entry.key = key;
    const before = new Map([...entry.inputs].map(([name, input]) => [name, input.value]));
    entry.inputs = new Map(fault.arguments.map((argument) => [argument.id, this.input(fault, argument, before.get(argument.id))]));
    const named = [...entry.inputs].map(([name, input]) => html("label", { class: "k-argument" }, html("span", {}, name), input));
    entry.given.replaceChildren(...named, ...(entry.now ? [entry.now] : []));
  }

  input(fault, argument, before) {
    const label = `${fault.label}: ${argument.id}`;
    if (!argument.choices.length) return html("input", { type: "text", class: "k-input", "aria-label": label, value: before ?? argument.default });
    const element = html("select", { class: "k-input", "aria-label": label }, ...argument.choices.map((each) => html("option", { value: each }, each)));
    const wanted = before ?? argument.default;
    if (argument.choices.includes(wanted)) element.value = wanted;
    return element;
  }

  turn(entry) {
    if (entry.box.checked) this.begin(entry);
    else this.view.ask("fault_off", { name: entry.thing.id }, () => this.agree(entry));
  }

  begin(entry) {
    const given = Object.fromEntries([...entry.inputs].map(([name, input]) => [name, input.value]).filter(([, value]) => value !== ""));
    this.view.ask("fault_on", { name: entry.thing.id, arguments: given }, () => this.agree(entry));
  }

  /** A box shows what is, not what was asked for: the kernel may have refused. */
  agree(entry) {
    if (entry.box) entry.box.checked = entry.thing.active;
    this.drawFaults();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") this.escape(event);
    else if (!event.target.matches("input, select, textarea")) this.shortcut(event);
  }

  shortcut(event) {
    const wanted = { p: this.play, s: this.step, b: this.back, f: this.forward }[event.key.toLowerCase()];
    if (!wanted) return;
    event.preventDefault();
    wanted.click();
  }

  escape(event) {
    if (this.faults.hidden) return;
    event.stopPropagation();
    this.fold();
    this.faultsButton.focus();
  }
}

function renderControls(given) {
  const view = new View(given, "controls");
  const panel = new ControlsPanel(view);
  return view.open(() => panel.draw());
}
