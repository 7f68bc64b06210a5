// A network of a predictor or of a surrogate, on layers in a row: hop 0, message passing, and the head.
(function () {
  "use strict";
  const ATTENTION_SLOPE = 0.2;

  // Rows of x [rows, from] times maps [from, to], plus a bias [to] if there is one; four columns of x at once.
  function multiply(x, from, maps, to, bias) {
    const rows = x.length / from, result = new Float64Array(rows * to), four = from - (from % 4);
    for (let row = 0; row < rows; row++) {
      const end = row * to, start = row * from;
      if (bias) for (let c = 0; c < to; c++) result[end + c] = bias[c];
      for (let i = 0; i < four; i += 4) {
        const a = x[start + i], b = x[start + i + 1], c = x[start + i + 2], d = x[start + i + 3];
        let at = i * to;
        for (let k = end; k < end + to; k++, at++) {
          result[k] += a * maps[at] + b * maps[at + to] + c * maps[at + 2 * to] + d * maps[at + 3 * to];
        }
      }
      for (let i = four; i < from; i++) {
        const value = x[start + i];
        for (let c = 0; c < to; c++) result[end + c] += value * maps[i * to + c];
      }
    }
    return result;
  }

  const leaky = (values, slope) => values.map((value) => (value > 0 ? value : slope * value));

  const same = (one, other) => one.choice === other.choice && one.index === other.index && one.unit === other.unit;

  play.Network = class {
    constructor(shape, text) {
      Object.assign(this, shape); // attends, mean, width, hops, slope, categories
      const numbers = Float64Array.from(play.floats(text)); // in which the browser computes
      let at = 0;
      const take = (count) => numbers.subarray(at, (at += count)), C = this.width;
      this.scores = this.categories.map(([, size]) => take(size));
      this.layers = Array.from({length: this.hops}, (_, hop) => {
        const from = hop ? C : this.categories.length, maps = take(from * 2 * C);
        if (!this.attends) return {from, maps, offset: take(C)};
        return {from, maps, moved: take(C), attention: take(C), scale: take(C), offset: take(C)};
      });
      this.head = [0, 1].map(() => ({maps: take(C * C), bias: take(C)}));
      this.output = {maps: take(C), bias: take(1)};
      if (at !== numbers.length) throw new Error("these numbers are of another network");
    }

    // Hop 0 of layers, each {unit, index, choice}; what does not vary in a family has one value: [layers, categories].
    features(layers) {
      const place = (name, layer) => ({unit: layer.unit, index: layer.index, e: Math.floor(layer.choice / 3), k: layer.choice % 3}[name] || 0);
      const C = this.categories.length, result = new Float64Array(layers.length * C);
      layers.forEach((layer, row) => this.categories.forEach(([name], c) => {
        result[row * C + c] = this.scores[c][place(name, layer)];
      }));
      return result;
    }

    // One round of message passing: row r was row own[r] of the round before, and reads row source[r], if that is not -1.
    pass(hop, before, own, source) {
      const layer = this.layers[hop], C = this.width, mapped = multiply(before, layer.from, layer.maps, 2 * C);
      const result = new Float64Array(own.length * C);
      for (let row = 0; row < own.length; row++) {
        if (this.attends) this.attend(layer, mapped, own[row], source[row], result, row * C);
        else this.convolve(layer, mapped, own[row], source[row], result, row * C);
        for (let c = 0; c < C; c++) {
          const value = result[row * C + c];
          result[row * C + c] = (value > 0 ? value : this.slope * value) + (hop ? before[own[row] * C + c] : 0);
        }
      }
      return result;
    }

    attend({moved, attention, scale, offset}, mapped, own, source, result, to) {
      const C = this.width, mine = own * 2 * C, other = source * 2 * C;
      let logit = 0, logitOther = 0;
      for (let c = 0; c < C; c++) {
        const target = mapped[mine + C + c] + moved[c], t = mapped[mine + c] + target;
        logit += attention[c] * (t > 0 ? t : ATTENTION_SLOPE * t);
        if (source < 0) continue;
        const u = mapped[other + c] + target;
        logitOther += attention[c] * (u > 0 ? u : ATTENTION_SLOPE * u);
      }
      const weight = source < 0 ? 1 : 1 / (1 + Math.exp(logitOther - logit));
      for (let c = 0; c < C; c++) {
        const mixed = weight * mapped[mine + c] + (source < 0 ? 0 : (1 - weight) * mapped[other + c]);
        result[to + c] = mixed * scale[c] + offset[c];
      }
    }

    convolve({offset}, mapped, own, source, result, to) {
      const C = this.width, mine = own * 2 * C, other = source * 2 * C + C;
      for (let c = 0; c < C; c++) result[to + c] = mapped[mine + c] + (source < 0 ? 0 : mapped[other + c]) + offset[c];
    }

    pooled(x, rows) {
      const C = x.length / rows, result = new Float64Array(C);
      for (let i = 0; i < x.length; i++) result[i % C] += x[i];
      return this.mean ? result.map((value) => value / rows) : result;
    }

    // Embeddings of all layers at every hop. Those of a network that differs in some layers, if there is one, stay where
    // nothing has changed: a layer reads itself and the one before it.
    levels(layers, near) {
      const isNear = near && near.layers.length === layers.length, hops = Array.from({length: this.hops}, (_, hop) => hop);
      const differs = layers.map((layer, row) => !isNear || !same(layer, near.layers[row]));
      const first = differs.indexOf(true), last = differs.lastIndexOf(true), levels = [this.features(layers)];
      if (first < 0) return near.levels;
      for (const hop of hops) {
        const C = levels[hop].length / layers.length, from = Math.max(0, first - 1), end = Math.min(layers.length, last + hop + 2);
        const own = Int32Array.from({length: end - first}, (_, row) => row + first - from), source = own.map((row) => row - 1);
        const next = isNear ? near.levels[hop + 1].slice() : new Float64Array(layers.length * this.width);
        next.set(this.pass(hop, levels[hop].subarray(from * C, end * C), own, source), first * this.width);
        levels.push(next);
      }
      return levels;
    }

    // The prediction, standardised, the norms of the network's embedding at every hop, and what `near` takes.
    run(layers, near) {
      const levels = this.levels(layers, near), embeddings = levels.map((level) => this.pooled(level, layers.length));
      const norms = embeddings.map((embedding) => embedding.reduce((sum, value) => sum + Math.abs(value), 0));
      return {prediction: this.predict(embeddings.at(-1)), norms, near: {layers, levels}};
    }

    predict(embedding) {
      const C = this.width, [first, second] = this.head;
      const middle = leaky(multiply(embedding, C, first.maps, C, first.bias), 0);
      const last = leaky(multiply(middle, C, second.maps, C, second.bias), this.slope);
      return multiply(last, C, this.output.maps, 1, this.output.bias)[0];
    }
  };
})();
