// The plane of accuracy and latency: networks of the table, those of the reduced space, and the one that is built.
(function () {
  "use strict";
  // Of the colour map cividis, which is read without telling red from green.
  const COLOURS = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"];
  const MARGIN = {left: 46, right: 10, top: 8, bottom: 36}, NEAR = 12;

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function range(columns) {
    let low = Infinity, high = -Infinity;
    for (const column of columns) for (const value of column) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const room = 0.04 * (high - low);
    return [low - room, high + room];
  }

  function ticks([low, high]) {
    const raw = (high - low) / 5, unit = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((factor) => factor * unit).find((candidate) => candidate >= raw);
    const digits = Math.max(0, -Math.floor(Math.log10(step)));
    const first = Math.ceil(low / step);
    return Array.from({length: Math.floor(high / step) - first + 1}, (_, i) => ((first + i) * step).toFixed(digits));
  }

  play.Plot = class {
    constructor(canvas, pick) {
      this.canvas = canvas;
      this.dots = []; // where points were drawn: [x, y, kind, row]
      canvas.addEventListener("pointermove", (event) => pick(this.nearest(event), false));
      canvas.addEventListener("click", (event) => pick(this.nearest(event), true));
      new ResizeObserver(() => this.view && this.draw(this.view)).observe(canvas);
    }

    nearest(event) {
      let best = null, distance = NEAR ** 2;
      for (const dot of this.dots) {
        const d = (dot[0] - event.offsetX) ** 2 + (dot[1] - event.offsetY) ** 2;
        if (d <= distance) [best, distance] = [{kind: dot[2], row: dot[3]}, d];
      }
      return best;
    }

    // view: x and y of table, built, corners and network, names of the axes, and a share from 0 to 1 that colours each row.
    // What does not change from click to click is drawn once: `view.key` says what it is.
    draw(view) {
      this.view = view;
      const {clientWidth: width, clientHeight: height} = this.canvas, ratio = window.devicePixelRatio || 1;
      if (!width || !height) return;
      const key = [view.key, width, height, ratio, document.documentElement.dataset.theme].join(" ");
      if (key !== this.key) this.drawOthers(view, width, height, ratio);
      this.key = key;
      Object.assign(this.canvas, {width: width * ratio, height: height * ratio});
      const pen = this.canvas.getContext("2d");
      pen.drawImage(this.others, 0, 0);
      pen.scale(ratio, ratio);
      this.network(pen, view.network);
    }

    drawOthers(view, width, height, ratio) {
      this.others = Object.assign(document.createElement("canvas"), {width: width * ratio, height: height * ratio});
      const pen = this.others.getContext("2d");
      pen.scale(ratio, ratio);
      const [x, y] = ["x", "y"].map((axis) => range([view.table[axis], view.built[axis], view.corners[axis]]));
      this.toX = (value) => MARGIN.left + ((value - x[0]) / (x[1] - x[0])) * (width - MARGIN.left - MARGIN.right);
      this.toY = (value) => height - MARGIN.bottom - ((value - y[0]) / (y[1] - y[0])) * (height - MARGIN.top - MARGIN.bottom);
      this.dots = [];
      this.axes(pen, x, y, width, height);
      this.table(pen, view);
      this.built(pen, view.built);
    }

    axes(pen, x, y, width, height) {
      pen.font = "12px sans-serif";
      pen.fillStyle = style("--pst-color-text-base") || "#222832";
      pen.strokeStyle = style("--pst-color-border") || "#d1d5da";
      pen.textAlign = "center";
      for (const tick of ticks(x)) {
        this.line(pen, this.toX(tick), MARGIN.top, this.toX(tick), height - MARGIN.bottom);
        pen.fillText(tick, this.toX(tick), height - MARGIN.bottom + 14);
      }
      pen.fillText(this.view.names.x, (width + MARGIN.left) / 2, height - 4);
      pen.textAlign = "right";
      for (const tick of ticks(y)) {
        this.line(pen, MARGIN.left, this.toY(tick), width - MARGIN.right, this.toY(tick));
        pen.fillText(tick, MARGIN.left - 4, this.toY(tick) + 4);
      }
      pen.save();
      pen.translate(11, (height - MARGIN.bottom) / 2);
      pen.rotate(-Math.PI / 2);
      pen.textAlign = "center";
      pen.fillText(this.view.names.y, 0, 0);
      pen.restore();
    }

    line(pen, ...[x, y, toX, toY]) {
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(toX, toY);
      pen.stroke();
    }

    table(pen, {table, shares}) {
      const isDark = document.documentElement.dataset.theme === "dark", colours = COLOURS.slice(isDark ? 3 : 0, isDark ? 10 : 9);
      for (let row = 0; row < table.x.length; row++) {
        const x = this.toX(table.x[row]), y = this.toY(table.y[row]);
        pen.fillStyle = colours[Math.min(colours.length - 1, Math.floor(colours.length * shares[row]))];
        pen.fillRect(x - 1.5, y - 1.5, 3, 3);
        this.dots.push([x, y, "table", row]);
      }
    }

    built(pen, points) {
      pen.fillStyle = "#d55e00";
      for (let row = 0; row < points.x.length; row++) {
        const x = this.toX(points.x[row]), y = this.toY(points.y[row]);
        pen.beginPath();
        pen.moveTo(x, y - 4.5);
        pen.lineTo(x + 4, y + 3.5);
        pen.lineTo(x - 4, y + 3.5);
        pen.fill();
        this.dots.push([x, y, "built", row]);
      }
    }

    network(pen, {x, y}) {
      const at = [this.toX(x[0]), this.toY(y[0])];
      for (const [colour, width] of [[style("--pst-color-background") || "#fff", 6], ["#0173b2", 3]]) {
        pen.strokeStyle = colour;
        pen.lineWidth = width;
        pen.beginPath();
        pen.arc(...at, 9, 0, 2 * Math.PI);
        pen.stroke();
      }
      pen.lineWidth = 1;
    }
  };
})();
