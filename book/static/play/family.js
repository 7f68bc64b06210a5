// A family of networks: contents of units by number and as text, and the networks made of them.
// A network is a list of units, each a list of layers, each a number from 0 to 8: which of the allowed layers it is.
(function () {
  "use strict";
  const families = {};

  // Takes what the script of a family brings.
  play.receive = (data) => { families[data.name] = new play.Family(data); };
  play.families = families;

  play.FamilyError = class extends Error {};

  play.Family = class {
    constructor(data) {
      Object.assign(this, {name: data.name, title: data.title, globals: data.globals, depths: data.depths,
        groups: data.groups, places: data.places, choices: data.layers, kind: data.table.kind});
      this.units = data.depths.length;
      this.surrogate = new play.Surrogate(this, data.surrogate);
      this.hosts = this.networks(play.shorts(data.hosts));
      this.contents = play.shorts(data.table.contents);
      this.rows = data.table.rows;
      this.predictors = data.predictors.map((predictor) => new play.Predictor(this, predictor));
      this.points = this.surrogate.columns(data.table.labels);
    }

    size(depth) {
      return this.choices.length ** depth;
    }

    // The place of a content among all contents of its unit: shorter ones first, and later layers vary fastest.
    number(unit, layers) {
      const shorter = this.depths[unit].filter((depth) => depth < layers.length);
      return shorter.reduce((sum, depth) => sum + this.size(depth), layers.reduce((sum, layer) => sum * this.choices.length + layer, 0));
    }

    content(unit, number) {
      let left = number, depth = this.depths[unit].find((d) => left < this.size(d) || ((left -= this.size(d)), false));
      const layers = [];
      for (; depth > 0; depth--) {
        layers.unshift(left % this.choices.length);
        left = Math.floor(left / this.choices.length);
      }
      return layers;
    }

    // Networks of the numbers of their units' contents, one after another.
    networks(numbers) {
      return Array.from({length: numbers.length / this.units}, (_, row) => this.network(numbers, row));
    }

    network(numbers, row) {
      return this.depths.map((_, unit) => this.content(unit, numbers[row * this.units + unit]));
    }

    // Labels of the smallest and of the largest network, between which all others stand.
    corners() {
      const network = (end, choice) => this.depths.map((depths) => Array(depths.at(end)).fill(choice));
      const ends = [network(0, 0), network(-1, this.choices.length - 1)];
      return (this.ends ||= ends.map((one) => this.surrogate.predict(one)));
    }

    layersOf(network) {
      return network.flatMap((layers, unit) => layers.map((choice, index) => ({unit, index, choice})));
    }

    // Which combination of depths a network has.
    combination(network) {
      return network.reduce((place, layers, unit) => place * this.depths[unit].length + layers.length - this.depths[unit][0], 0);
    }

    unitText(layers) {
      return layers.map((layer) => this.choices[layer]).join(",");
    }

    // As the library prints an architecture.
    text(network) {
      return [this.globals, ...network.map((layers) => this.unitText(layers))].join("|");
    }

    parse(text) {
      const parts = text.split("|"), units = parts[0] === this.globals ? parts.slice(1) : parts;
      if (units.length !== this.units) {
        throw new play.FamilyError(`the network has ${units.length} units; ${this.title} has ${this.units}`);
      }
      return units.map((unit, place) => this.parseUnit(unit, place));
    }

    parseUnit(text, unit) {
      const names = text.split(","), depths = this.depths[unit];
      const layers = names.map((name) => this.choices.indexOf(name)), wrong = layers.indexOf(-1);
      if (wrong >= 0) {
        const shown = JSON.stringify(names[wrong].slice(0, 20));
        throw new play.FamilyError(`unit ${unit + 1}, layer ${wrong + 1}: ${shown}; allowed: ${this.choices.join(", ")}`);
      }
      if (!depths.includes(layers.length)) {
        throw new play.FamilyError(`unit ${unit + 1} has ${layers.length} layers; allowed: ${depths.join(", ")}`);
      }
      return layers;
    }
  };
})();
