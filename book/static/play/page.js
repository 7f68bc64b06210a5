// The page: reads what is chosen, computes, and shows it. Every change goes through `change`.
(function () {
  "use strict";
  const byId = (name) => document.getElementById("play-" + name), root = byId("page");
  const state = {};
  let family, units, target, values;

  // ------------------------------------------------------------------ families and targets

  function load(name) {
    if (play.families[name]) return Promise.resolve();
    return new Promise((done, fail) => {
      const script = document.createElement("script");
      Object.assign(script, {src: `${root.dataset.scripts}play-${name}.js`, onload: done});
      script.onerror = () => fail(new play.StateError(`the file play-${name}.js is missing beside this page`));
      document.head.append(script);
    });
  }

  async function use(name) {
    await load(name);
    family = play.families[name];
    state.family = name;
    units = new play.Units(byId("units"), family, {depth: setDepth, open, choose, best, compare});
    byId("targets").replaceChildren(...family.predictors.map((predictor) => new Option(predictor.target)));
  }

  // Reads the equation; a wrong one is told, and what it was before stays.
  function read(text) {
    const says = byId("target-says"), input = byId("target");
    try {
      const next = new play.Target(text);
      values = next.evaluate(family.points);
      [target, state.target] = [next, text];
      says.textContent = "";
      input.removeAttribute("aria-invalid");
      return true;
    } catch (error) {
      if (!(error instanceof play.TargetError)) throw error;
      says.textContent = error.message;
      input.setAttribute("aria-invalid", "true");
      return false;
    }
  }

  // The predictor of this equation, or of the one that orders the table most like it.
  function nearest() {
    const same = family.predictors.find((predictor) => predictor.target === target.canonical);
    if (same) return {predictor: same, likeness: 1};
    const ranks = play.ranks(values);
    const likeness = family.predictors.map((predictor) => play.correlation(ranks, predictor.remember("ranks", () =>
      play.ranks(new play.Target(predictor.target).evaluate(family.points)))));
    const place = likeness.indexOf(Math.max(...likeness));
    return {predictor: family.predictors[place], likeness: likeness[place]};
  }

  // The target's value for labels: beside the table's, where the equation speaks of ranks.
  function valueOf(labels) {
    const alone = !target.canonical.includes("ranks(");
    const columns = Object.fromEntries(family.surrogate.labels.map((label, place) =>
      [label, Float64Array.of(...(alone ? [] : family.points[label]), labels[place])]));
    try {
      return target.evaluate(columns).at(-1);
    } catch (error) {
      if (error instanceof play.TargetError) return null;
      throw error;
    }
  }

  // ------------------------------------------------------------------ showing

  let chosen, shares;

  function retarget() {
    chosen = nearest();
    const ranks = play.ranks(values);
    shares = ranks.map((rank) => (rank - 1) / (ranks.length - 1));
    const {predictor, likeness} = chosen, other = predictor.target !== target.canonical;
    byId("predictor").textContent = other
      ? `No predictor was trained for this equation. Head, norms and module scores are those for ${predictor.target}, which ` +
        `orders the table like it with a Spearman correlation of ${likeness.toFixed(2)}.`
      : `Head, norms and module scores are those of the predictor that was trained for this equation.`;
  }

  function below(value) {
    let count = 0;
    for (const other of values) if (other < value) count++;
    return count / values.length;
  }

  function show(said) {
    const {predictor} = chosen, labels = family.surrogate.predict(state.network, true), value = valueOf(labels);
    const scores = family.groups.map((_, group) => predictor.scores(group, state.network));
    units.show(state, scores, state.compares ? compared(labels, value) : null);
    const share = value === null ? null : below(value);
    board.show({family, predictor, labels, value, share, target, shares, device: state.device, score: state.score,
      judged: predictor.judge(state.network)});
    byId("text").textContent = family.text(state.network);
    const where = share === null ? "not finite" : `${play.short(value)}, above ${(100 * share).toFixed(0)} % of the table`;
    const latency = play.withUnit(`latency_${state.device}`, labels[family.surrogate.labels.indexOf(`latency_${state.device}`)]);
    byId("status").textContent = `${said ? said + ": a" : "A"}ccuracy ${play.withUnit("acc", labels[0])}, ` +
      `${play.state.DEVICES[state.device]} ${latency}, target ${where}.`;
    const at = `${state.unit + 1}.${state.layer + 1}`;
    const network = state.network.map((layers) => family.unitText(layers)).join("|");
    history.replaceState(null, "", play.state.write({...state, at, network}));
  }

  const signed = (value, digits) => (Number(value.toFixed(digits)) < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);

  // What each choice of the open layer changes: target, accuracy, latency, and which norm rank its module has then.
  function compared(labels, value) {
    const {unit, layer} = state, device = family.surrogate.labels.indexOf(`latency_${state.device}`);
    const group = family.groups.findIndex((members) => members.includes(unit)), {predictor} = chosen;
    const norms = predictor.normScores(group);
    return family.choices.map((_, choice) => {
      if (choice === state.network[unit][layer]) return "as it is";
      const network = changed(unit, state.network[unit].with(layer, choice)), next = family.surrogate.predict(network);
      const after = valueOf(next), percent = after === null || value === null || value === 0 ? null : 100 * (after / value - 1);
      return [
        percent === null ? "target –" : `target ${signed(percent, 1)} %`,
        `accuracy ${signed(100 * (next[0] - labels[0]), 2)}`,
        `${play.state.DEVICES[state.device]} ${signed(next[device] - labels[device], 2)} ms`,
        `norm rank ${predictor.normRank(group, norms[predictor.place(group, network)]).toLocaleString("en-US")}`,
      ].join("\n");
    });
  }

  // ------------------------------------------------------------------ changes

  const changed = (unit, layers) => state.network.with(unit, layers);

  function change(changes, said) {
    Object.assign(state, changes);
    state.layer = Math.min(state.layer, state.network[state.unit].length - 1);
    show(said);
  }

  function setDepth(unit, depth) {
    const layers = state.network[unit], more = Array(Math.max(0, depth - layers.length)).fill(layers.at(-1));
    change({network: changed(unit, [...layers, ...more].slice(0, depth))}, `Unit ${unit + 1} has ${depth} layers`);
  }

  const open = (unit, layer) => change({unit, layer}, `Unit ${unit + 1}, layer ${layer + 1} is open`);
  const compare = () => change({compares: !state.compares}, state.compares ? "Changes hidden" : "Changes shown with each choice");

  function choose(choice) {
    const {unit, layer} = state, said = `Unit ${unit + 1}, layer ${layer + 1}: ${play.spoken(family.choices[choice])}`;
    change({network: changed(unit, state.network[unit].with(layer, choice))}, said);
  }

  // The network with the best content of a group of units.
  function withBest(network, group, score, place = 0) {
    const parts = chosen.predictor.best[score][group][place].split("|"), members = family.groups[group];
    return members.reduce((next, unit, part) => next.with(unit, family.parseUnit(parts[part], unit)), network);
  }

  function best(group, score) {
    const network = withBest(state.network, group, score), unit = family.groups[group][0];
    change({network, unit, layer: 0}, `Unit ${unit + 1} has its best content by ${score} score`);
  }

  function take({kind, row}) {
    if (kind === "table") return change({network: family.network(family.contents, row)}, "A network of the table");
    const count = family.groups.length, places = row.toString(3).padStart(count, "0");
    const network = family.groups.reduce((next, _, group) => withBest(next, group, state.score, Number(places[group])), state.network);
    return change({network}, "A network of the reduced space");
  }

  const largest = (column) => column.indexOf(column.reduce((a, b) => Math.max(a, b)));

  // ------------------------------------------------------------------ the address

  async function restore() {
    const problem = byId("problem");
    problem.textContent = "";
    try {
      await apply(play.state.read(location.hash));
    } catch (error) {
      if (![play.StateError, play.FamilyError, play.TargetError].some((kind) => error instanceof kind)) throw error;
      problem.textContent = `This link cannot be shown: ${error.message}. The page begins anew.`;
      await apply(play.state.read(""));
    }
  }

  async function apply(saved) {
    const isMissing = saved.network === undefined;
    if (state.family !== saved.family) await use(saved.family);
    const equation = new play.Target(saved.target);
    equation.evaluate(family.points);
    const network = isMissing ? family.network(family.contents, 0) : family.parse(saved.network);
    const [unit, layer] = play.state.place(saved.at, network);
    Object.assign(state, {network, unit, layer, device: saved.device, score: saved.score});
    byId("family").value = saved.family;
    byId("device").value = saved.device;
    byId("score").value = saved.score;
    byId("target").value = saved.target;
    read(saved.target);
    retarget();
    show("");
  }

  // ------------------------------------------------------------------ the controls

  const board = new play.Board(byId("labels"), byId("plane"), byId("hint"), take);
  byId("family").addEventListener("change", async (event) => {
    await apply({...play.state.DEFAULTS, target: state.target, device: state.device, score: state.score, family: event.target.value});
  });
  byId("target").addEventListener("input", (event) => {
    if (!read(event.target.value)) return;
    retarget();
    show("");
  });
  byId("device").addEventListener("change", (event) => change({device: event.target.value}, ""));
  byId("score").addEventListener("change", (event) => change({score: event.target.value}, ""));
  byId("take-table").addEventListener("click", () => take({kind: "table", row: largest(values)}));
  byId("take-built").addEventListener("click", () =>
    take({kind: "built", row: largest(target.evaluate(chosen.predictor.built[state.score]))}));
  byId("take-best").addEventListener("click", () => take({kind: "built", row: 0}));
  new MutationObserver(() => family && board.seen && board.draw())
    .observe(document.documentElement, {attributes: true, attributeFilter: ["data-theme"]});
  window.addEventListener("hashchange", restore);
  restore();
})();
