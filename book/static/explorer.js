// Draws the explorer: accuracy against latency of training architectures and of built clusters.
(function () {
  "use strict";
  const data = window.explorerData, plot = document.getElementById("explorer-plot");
  if (!data) return plot.parentElement.remove(); // the page says why there are none
  const choices = document.getElementById("explorer-choices");
  const colours = ["#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#949494"];
  const symbols = ["diamond", "square", "triangle-up", "cross", "star", "x"];
  const regions = Object.keys(data.equations);

  function choose(name, label, options) {
    const text = document.createElement("label"), select = document.createElement("select");
    select.id = "explorer-" + name;
    for (const [value, shown] of options) select.add(new Option(shown, value));
    text.append(label + " ", select);
    choices.append(text);
    select.addEventListener("change", draw);
    return select;
  }

  function tick(region) {
    const text = document.createElement("label"), box = document.createElement("input");
    box.type = "checkbox";
    box.id = "explorer-cluster-" + region;
    text.append(box, " cluster “" + region + "”");
    choices.append(text);
    box.addEventListener("change", draw);
    return box;
  }

  const family = choose("family", "Family", Object.keys(data.families).map((name) => [name, name]));
  const devices = Object.keys(Object.values(data.families)[0].latency);
  const device = choose("device", "Latency on", devices.map((name) => [name, name.toUpperCase()]));
  const equation = choose("equation", "Colour: module scores for", regions.map((name) => [name, name]));
  const kind = choose("kind", "Clusters by", Object.entries(data.kinds));
  const boxes = Object.fromEntries(regions.map((region) => [region, tick(region)]));
  if (regions.length) boxes[regions[0]].checked = true;

  const lines = (architectures) => architectures.map((text) => text.replaceAll("|", "<br>"));
  const by = () => (data.families[family.value].surrogate ? " by the surrogate" : "");
  const hover = () => `accuracy${by()} %{y:.2f} %<br>latency${by()} %{x:.2f} ms<br>%{text}<extra>%{fullData.name}</extra>`;

  function traces() {
    const own = data.families[family.value], place = family.value + " " + device.value;
    const scores = own.scores[device.value + " " + equation.value];
    const points = {
      type: "scatter", mode: "markers", name: "training", x: own.latency[device.value], y: own.acc,
      text: lines(own.architectures), hovertemplate: hover().replace("<extra>", scores ? "<br>score %{marker.color:.4g}<extra>" : "<extra>"),
      marker: {size: 5, color: scores, colorscale: "Cividis", showscale: Boolean(scores),
        colorbar: {orientation: "h", y: -0.34, thickness: 12, title: {text: "sum of module scores", side: "bottom"}}},
    };
    const front = data.frontiers[place];
    const border = front && {type: "scatter", mode: "lines", name: "training frontier", x: front.latency, y: front.acc,
      line: {shape: "hv", width: 1.5, color: ink()}, hoverinfo: "skip"};
    return [points, border, ...regions.map((region, number) => cluster(place, region, number))].filter(Boolean);
  }

  function cluster(place, region, number) {
    const own = data.clusters[place + " " + region + " " + kind.value];
    return own && boxes[region].checked && {
      type: "scatter", mode: "markers", name: "cluster “" + region + "”", x: own.latency, y: own.acc,
      text: lines(own.architectures), hovertemplate: hover(),
      marker: {size: 7, symbol: symbols[number % 6], color: colours[number % 7], line: {width: 0.5, color: ink()}},
    };
  }

  const dark = () => document.documentElement.dataset.theme === "dark";
  const ink = () => (dark() ? "#ced6dd" : "#222832");

  function draw() {
    const grid = dark() ? "#48566b" : "#d1d5da";
    const axis = (title) => ({title: {text: title}, gridcolor: grid, zeroline: false, automargin: true});
    Plotly.react(plot, traces(), {
      xaxis: axis(`latency${by()} (ms)`), yaxis: axis(`accuracy${by()} (%)`), hovermode: "closest",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: {color: ink(), size: 13},
      margin: {l: 55, r: 10, t: 10, b: 130}, height: 620, legend: {orientation: "h", y: 1.02, yanchor: "bottom"},
    }, {responsive: true, displayModeBar: false});
    document.getElementById("explorer-equation-text").textContent =
      data.equations[equation.value].replaceAll("{latency}", "latency_" + device.value);
  }

  new ResizeObserver(() => plot.data && window.Plotly.Plots.resize(plot)).observe(choices);
  new MutationObserver(draw).observe(document.documentElement, {attributes: true, attributeFilter: ["data-theme"]});
  draw();
})();
