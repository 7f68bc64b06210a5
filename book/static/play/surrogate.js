// The four labels of a network: outputs of small networks that imitate published predictors, nothing measured.
(function () {
  "use strict";

  play.Surrogate = class {
    constructor(family, data) {
      this.family = family;
      this.labels = data.labels;
      this.networks = data.numbers.map((text) => new play.Network(data.network, text));
      this.centres = play.doubles(data.centres); // [labels, combinations of depths]
      this.sds = data.sds;
    }

    // The labels of a network, in their order; one that is kept makes those that differ in few layers cheaper.
    predict(network, keeps = false) {
      const layers = this.family.layersOf(network), place = this.family.combination(network);
      const results = this.networks.map((one, label) => one.run(layers, this.near && this.near[label]));
      if (keeps) this.near = results.map((result) => result.near);
      const combinations = this.centres.length / this.labels.length;
      return results.map(({prediction}, label) => prediction * this.sds[label] + this.centres[label * combinations + place]);
    }

    // Columns by label of packed rows [networks, labels].
    columns(text) {
      const rows = play.floats(text), count = this.labels.length;
      return Object.fromEntries(this.labels.map((label, place) =>
        [label, Float64Array.from({length: rows.length / count}, (_, row) => rows[row * count + place])]));
    }
  };
})();
