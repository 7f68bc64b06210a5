// Ranks, their normal scores, and their correlation.
(function () {
  "use strict";
  // Wichura, Algorithm AS 241 (1988): the normal quantile, but for its far tails, which no rank of a table reaches.
  const CENTRE = [
    [3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125, 45921.953931549871457,
      67265.770927008700853, 33430.575583588128105, 2509.0809287301226727],
    [1, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077, 21213.794301586595867, 39307.895800092710610,
      28729.085735721942674, 5226.4952788528545610],
  ];
  const TAIL = [
    [1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504, 1.27045825245236838258,
      0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4],
    [1, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550, 0.148103976427480074590,
      0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9],
  ];
  const ratio = ([over, under], x) => polynomial(over, x) / polynomial(under, x);
  const polynomial = (factors, x) => factors.reduceRight((sum, factor) => sum * x + factor, 0);

  function normalQuantile(p) {
    const q = p - 0.5;
    if (Math.abs(q) <= 0.425) return q * ratio(CENTRE, 0.180625 - q * q);
    return Math.sign(q) * ratio(TAIL, Math.sqrt(-Math.log(Math.min(p, 1 - p))) - 1.6);
  }

  // Ranks from 1, equal values sharing the mean of theirs; any NaN makes all of them NaN.
  play.ranks = function (values) {
    if (values.some(Number.isNaN)) return new Float64Array(values.length).fill(NaN);
    const order = Uint32Array.from(values.keys()).sort((a, b) => values[a] - values[b]);
    const ranks = new Float64Array(values.length);
    for (let start = 0, end; start < order.length; start = end) {
      for (end = start + 1; end < order.length && values[order[end]] === values[order[start]]; end++);
      for (let place = start; place < end; place++) ranks[order[place]] = (start + end + 1) / 2;
    }
    return ranks;
  };

  play.normalScores = (values) => play.ranks(values).map((rank) => normalQuantile((rank - 0.5) / values.length));

  // Pearson's correlation of two rows of ranks.
  play.correlation = function (first, second) {
    const mean = (first.length + 1) / 2;
    let both = 0, one = 0, other = 0;
    for (let row = 0; row < first.length; row++) {
      const x = first[row] - mean, y = second[row] - mean;
      both += x * y;
      one += x * x;
      other += y * y;
    }
    return both / Math.sqrt(one * other);
  };
})();
