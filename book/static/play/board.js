// What is known of the network that is built: labels, target, head and norms, and the plane among other networks.
(function () {
  "use strict";
  const {element, short} = play;
  const SHOWN = {acc: ["accuracy", "%", 100], latency_gpu: ["GPU latency", "ms", 1], latency_cpu: ["CPU latency", "ms", 1],
    latency_npu: ["NPU latency", "ms", 1]};

  const withUnit = (label, value) => `${(value * SHOWN[label][2]).toFixed(2)} ${SHOWN[label][1]}`;
  const within = (value, [low, high]) => Math.max(0, Math.min(1, (value - low) / (high - low)));
  const ends = (column) => [column.reduce((a, b) => Math.min(a, b)), column.reduce((a, b) => Math.max(a, b))];

  play.withUnit = withUnit;

  play.Board = class {
    constructor(table, canvas, hint, pick) {
      Object.assign(this, {table, hint, pick});
      this.plot = new play.Plot(canvas, (point, isClick) => this.point(point, isClick));
    }

    // seen: family, labels, value, share, target, predictor, likeness, judged, norms
    show(seen) {
      this.seen = seen;
      const rows = seen.family.surrogate.labels.map((label, place) =>
        [SHOWN[label][0], withUnit(label, seen.labels[place]), within(seen.labels[place], this.ends(label))]);
      const target = seen.target && seen.value !== null
        ? [["target", short(seen.value), seen.share]] : [["target", "–", null]];
      const {head, norms} = seen.judged;
      this.table.replaceChildren(
        this.body("Labels, by the surrogates", [...rows, ...target]),
        this.body(`Predictor of ${seen.predictor.target}`, [["prediction of the head", short(head), null],
          ...norms.map((norm, hop) => [`norm at hop ${hop}`, short(norm), null])]));
      this.draw();
    }

    // The least and the largest value of a label in the table.
    ends(label) {
      const {family} = this.seen;
      if (this.family !== family) [this.family, this.known] = [family, {}];
      return (this.known[label] ||= ends(family.points[label]));
    }

    body(title, rows) {
      const head = element("tr", {}, element("th", {textContent: title, colSpan: 3, scope: "rowgroup"}));
      return element("tbody", {}, head, ...rows.map(([name, text, share]) => element("tr", {},
        element("th", {textContent: name, scope: "row"}), element("td", {textContent: text}), this.bar(share))));
    }

    // Where a value stands between the least and the largest of the table; nothing that is not in the numbers.
    bar(share) {
      const cell = element("td", {attributes: {"aria-hidden": "true"}});
      if (share === null) return cell;
      const mark = element("i");
      mark.style.left = `${100 * share}%`;
      cell.append(element("span", {className: "play-bar"}, mark));
      return cell;
    }

    plane(columns) {
      return {x: columns[`latency_${this.seen.device}`], y: columns.acc.map((value) => 100 * value)};
    }

    columns(rows) {
      const {labels} = this.seen.family.surrogate;
      return Object.fromEntries(labels.map((label, place) => [label, Float64Array.from(rows, (row) => row[place])]));
    }

    draw() {
      const {family, predictor, score, labels, device, shares, target} = this.seen;
      const name = play.state.DEVICES[device], network = this.columns([labels]);
      this.plot.draw({
        key: [family.name, target.canonical, predictor.target, score, device].join(" "), shares,
        table: this.plane(family.points), built: this.plane(predictor.built[score]),
        corners: this.plane(this.columns(family.corners())), network: this.plane(network),
        names: {x: `${name} latency by the surrogate (ms)`, y: "accuracy by the surrogate (%)"},
      });
      const place = `accuracy ${withUnit("acc", labels[0])}, ${name} latency ${network[`latency_${device}`][0].toFixed(2)} ms`;
      this.plot.canvas.setAttribute("aria-label", `Plane of accuracy and ${name} latency: ${family.rows} networks of the table, ` +
        `${predictor.built[score].acc.length} of the reduced space, and yours at ${place}`);
    }

    point(point, isClick) {
      const {family, predictor, score, device} = this.seen;
      if (!point) return;
      const columns = point.kind === "table" ? family.points : predictor.built[score];
      const what = point.kind === "table" ? "A network of the table" : "A network of the reduced space";
      this.hint.textContent = `${what}: accuracy ${withUnit("acc", columns.acc[point.row])}, ` +
        `${play.state.DEVICES[device]} latency ${columns[`latency_${device}`][point.row].toFixed(2)} ms. Click to take it.`;
      if (isClick) this.pick(point);
    }
  };
})();
