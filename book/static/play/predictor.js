// A predictor of a target: what it says of a network, and the scores of every content of every unit.
(function () {
  "use strict";

  play.Predictor = class {
    constructor(family, data) {
      Object.assign(this, {family, target: data.target, mean: data.mean, sd: data.sd, best: data.best, built: {}});
      this.network = new play.Network(data.network, data.numbers);
      this.hopMoments = data.hopMoments;
      this.unitMoments = new Map(data.unitMoments.map(([group, depth, mean, sd]) => [`${group} ${depth}`, [mean, sd]]));
      this.effects = data.effects.map(play.floats);
      for (const [score, text] of Object.entries(data.built)) this.built[score] = family.surrogate.columns(text);
      this.kept = new Map(); // what has been computed
    }

    remember(key, compute) {
      if (!this.kept.has(key)) this.kept.set(key, compute());
      return this.kept.get(key);
    }

    // The head, in units of the target, and the norms of the network's embedding, hop by hop.
    judge(network) {
      const {prediction, norms} = this.network.run(this.family.layersOf(network));
      return {head: prediction * this.sd + this.mean, norms};
    }

    // Place of a content of a group of units among all of them, and its number of layers.
    place(group, network) {
      return this.family.groups[group].reduce((place, unit) => {
        const sizes = this.family.depths[unit].reduce((sum, depth) => sum + this.family.size(depth), 0);
        return place * sizes + this.family.number(unit, network[unit]);
      }, 0);
    }

    // ------------------------------------------------------------------ norm scores

    normScores(group) {
      return this.remember(`norms ${group}`, () => {
        const units = this.family.groups[group], tails = units.slice(1).map((unit) => this.family.depths[unit][0]);
        const forms = this.family.depths[units[0]].map((depth) => this.formScores(group, [depth, ...tails]));
        return Float64Array.from(forms.flatMap((scores) => Array.from(scores)));
      });
    }

    // Scores of all contents of these depths: the norm of the last layer alone with those before it, on the target's scale.
    formScores(group, depths) {
      const count = depths.reduce((sum, depth) => sum + depth, 0), C = this.network.width;
      const last = this.lastEmbeddings(this.layerPlaces(group, depths));
      const [mean, sd] = this.hopMoments[count - 1], [ofTarget, spread] = this.unitMoments.get(`${group} ${count}`);
      const scores = new Float64Array(last.length / C);
      for (let i = 0; i < last.length; i++) scores[Math.floor(i / C)] += Math.abs(last[i]);
      return scores.map((norm) => ((norm - mean) / sd) * spread + ofTarget);
    }

    layerPlaces(group, depths) {
      const units = this.family.groups[group];
      return depths.flatMap((depth, place) => Array.from({length: depth}, (_, index) => ({unit: units[place], index})));
    }

    // Embeddings of the last of n layers at hop n - 1, for every choice of all of them, later ones varying fastest. A layer
    // at hop j depends on its own choice and on those of the j layers before it, so that rows are shared.
    lastEmbeddings(places) {
      const choices = this.family.choices.length;
      let levels = places.map((place) => this.network.features(this.family.choices.map((_, choice) => ({...place, choice}))));
      for (let hop = 1; hop < places.length; hop++) {
        const rows = choices ** (hop + 1), before = choices ** hop;
        const own = Int32Array.from({length: rows}, (_, row) => before + (row % before));
        const source = Int32Array.from({length: rows}, (_, row) => Math.floor(row / choices));
        levels = levels.map((level, i) => (i < hop ? null : this.network.pass(hop - 1, joined(levels[i - 1], level), own, source)));
      }
      return levels.at(-1);
    }

    // ------------------------------------------------------------------ effect scores

    // How much the prediction of the same random networks changes on average when they get this content.
    effect(group, network) {
      return this.remember(`effect ${group} ${this.place(group, network)}`, () => {
        const units = this.family.groups[group], {hosts} = this.family;
        const changed = hosts.map((host) => host.map((layers, unit) => (units.includes(unit) ? network[unit] : layers)));
        const before = this.remember("hosts", () => hosts.map((host) => this.judge(host).head));
        return changed.reduce((sum, host, place) => sum + this.judge(host).head - before[place], 0) / hosts.length;
      });
    }

    // ------------------------------------------------------------------ ranks, the best is 1

    size(group) {
      return this.normScores(group).length;
    }

    normRank(group, score) {
      return this.normScores(group).reduce((rank, other) => rank + (other > score ? 1 : 0), 1);
    }

    // Exact among the first ones; between places that are known, in proportion.
    effectRank(group, effect) {
      const places = this.family.places[group], effects = this.effects[group], nearly = 1e-6 * (effects[0] - effects.at(-1));
      const next = effects.findIndex((other) => other <= effect + nearly);
      if (next <= 0) return {rank: next < 0 ? places.at(-1) + 1 : 1, exact: next === 0};
      const share = (effects[next - 1] - effect) / (effects[next - 1] - effects[next] || 1);
      const rank = places[next - 1] + Math.min(1, share) * (places[next] - places[next - 1]) + 1;
      return {rank: Math.round(rank), exact: places[next] === next};
    }

    scores(group, network) {
      const norm = this.normScores(group)[this.place(group, network)], effect = this.effect(group, network);
      return {norm, normRank: this.normRank(group, norm), effect, effectRank: this.effectRank(group, effect), of: this.size(group)};
    }
  };

  function joined(first, second) {
    const both = new Float64Array(first.length + second.length);
    both.set(first);
    both.set(second, first.length);
    return both;
  }
})();
