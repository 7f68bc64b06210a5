// Draws the explorer: clouds of networks, one label against another, and over them the clusters that were built.
(function () {
  "use strict";
  const data = window.explorerData, plot = document.getElementById("explorer-plot");
  if (!data.clouds.length) return plot.parentElement.remove(); // the page says why there are none
  const byId = (name) => document.getElementById("explorer-" + name), choices = byId("choices");
  const colours = ["#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#949494"];
  const symbols = ["diamond", "square", "triangle-up", "cross", "star", "x"];
  const regions = Object.keys(data.equations), clouds = {};
  let cloud;

  window.explorerReceive = (name, content) => { clouds[name] = content; };

  function load(file) {
    return new Promise((done, fail) => {
      const script = document.createElement("script");
      Object.assign(script, {src: "../_static/" + file, onload: done, onerror: () => fail(new Error(file + " is missing"))});
      document.head.append(script);
    });
  }

  // ------------------------------------------------------------------ choices

  function choose(name, label) {
    const text = document.createElement("label"), select = document.createElement("select");
    select.id = "explorer-" + name;
    text.append(label + " ", select);
    choices.append(text);
    select.addEventListener("change", name === "cloud" ? show : draw);
    return select;
  }

  const fill = (select, options, chosen) => {
    const before = chosen || select.value;
    select.replaceChildren(...options.map(([value, shown]) => new Option(shown, value)));
    if (options.some(([value]) => value === before)) select.value = before;
    select.parentElement.hidden = options.length < 2;
  };

  function tick(region) {
    const text = document.createElement("label"), box = document.createElement("input");
    box.type = "checkbox";
    box.id = "explorer-cluster-" + region;
    text.append(box, " cluster “" + region + "”");
    choices.append(text);
    box.addEventListener("change", draw);
    return box;
  }

  const networks = choose("cloud", "Networks"), across = choose("x", "Across"), up = choose("y", "Up");
  const colour = choose("colour", "Colour"), kind = choose("kind", "Clusters by");
  for (const group of new Set(data.clouds.map((one) => one.group))) {
    const part = document.createElement("optgroup");
    part.label = group;
    part.append(...data.clouds.filter((one) => one.group === group).map((one) => new Option(one.title, one.name)));
    networks.append(part);
  }
  const boxes = Object.fromEntries(regions.map((region) => [region, tick(region)]));
  if (regions.length) boxes[regions[0]].checked = true;

  async function show() {
    const {file, name} = data.clouds.find((one) => one.name === networks.value);
    if (!clouds[name]) await load(file);
    if (name !== networks.value) return; // another was chosen meanwhile
    cloud = clouds[name];
    const labels = Object.entries(cloud.labels).map(([label, {title}]) => [label, title]);
    fill(across, labels.filter(([label]) => !cloud.clusters || label !== cloud.y), cloud.x);
    fill(up, cloud.clusters ? [[cloud.y, cloud.labels[cloud.y].title]] : labels, cloud.y);
    fill(kind, cloud.clusters ? Object.entries(data.kinds) : []);
    for (const region of regions) boxes[region].parentElement.hidden = !cloud.clusters;
    byId("rests").textContent = `${cloud.title}. Kind of data: ${cloud.rests}.`;
    draw();
  }

  // ------------------------------------------------------------------ points

  const device = () => across.value.replace("latency_", "");
  const lines = (architectures) => architectures.map((text) => text.replaceAll("|", "<br>"));
  const hover = () => `${cloud.labels[up.value].title}: %{y:.4g}<br>${cloud.labels[across.value].title}: %{x:.4g}<br>%{text}<extra>%{fullData.name}</extra>`;

  // What a network is coloured by: scores for an equation of this device, or any other label.
  function colourings() {
    const scores = regions.filter((region) => cloud.scores[`${device()} ${region}`])
      .map((region) => [region, `module scores for “${region}”`]);
    const labels = Object.keys(cloud.labels).filter((label) => !cloud.clusters && ![across.value, up.value].includes(label));
    return [...scores, ...labels.map((label) => ["label " + label, cloud.labels[label].title]), ["none", "none"]];
  }

  function traces() {
    const label = cloud.labels[colour.value.replace("label ", "")];
    const shade = colour.value.startsWith("label ") ? label.values : cloud.scores[`${device()} ${colour.value}`];
    const points = {
      type: "scatter", mode: "markers", name: cloud.clusters ? "training" : cloud.title, text: lines(cloud.architectures),
      x: cloud.labels[across.value].values, y: cloud.labels[up.value].values, hovertemplate: hover(),
      marker: {size: 5, color: shade || "#707173", colorscale: "Cividis", showscale: Boolean(shade),
        colorbar: {orientation: "h", y: -0.34, thickness: 12, title: {side: "bottom",
          text: colour.selectedOptions[0].textContent}}},
    };
    const front = cloud.frontiers && cloud.frontiers[device()];
    const border = front && {type: "scatter", mode: "lines", name: "training frontier", x: front.latency, y: front.acc,
      line: {shape: "hv", width: 1.5, color: ink()}, hoverinfo: "skip"};
    return [points, border, ...regions.map((region, number) => cluster(region, number))].filter(Boolean);
  }

  function cluster(region, number) {
    const own = cloud.clusters && cloud.clusters[`${device()} ${region} ${kind.value}`];
    return own && boxes[region].checked && {
      type: "scatter", mode: "markers", name: "cluster “" + region + "”", x: own.latency, y: own.acc,
      text: lines(own.architectures), hovertemplate: hover(),
      marker: {size: 7, symbol: symbols[number % 6], color: colours[number % 7], line: {width: 0.5, color: ink()}},
    };
  }

  const dark = () => document.documentElement.dataset.theme === "dark";
  const ink = () => (dark() ? "#ced6dd" : "#222832");

  function draw() {
    if (!cloud) return;
    fill(colour, colourings());
    const grid = dark() ? "#48566b" : "#d1d5da";
    const axis = (label) => ({title: {text: cloud.labels[label].title}, gridcolor: grid, zeroline: false, automargin: true});
    Plotly.react(plot, traces(), {
      xaxis: axis(across.value), yaxis: axis(up.value), hovermode: "closest",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: {color: ink(), size: 13},
      margin: {l: 55, r: 10, t: 10, b: 130}, height: 620, legend: {orientation: "h", y: 1.02, yanchor: "bottom"},
    }, {responsive: true, displayModeBar: false});
    const equation = data.equations[colour.value] && cloud.scores[`${device()} ${colour.value}`] ? data.equations[colour.value] : "";
    byId("equation").hidden = !equation;
    byId("equation-text").textContent = equation.replaceAll("{latency}", across.value);
  }

  byId("start").addEventListener("click", async (event) => {
    event.target.disabled = true;
    await load("plotly.min.js");
    event.target.parentElement.remove();
    byId("shown").hidden = false;
    await show();
    new ResizeObserver(() => plot.data && Plotly.Plots.resize(plot)).observe(choices);
    new MutationObserver(draw).observe(document.documentElement, {attributes: true, attributeFilter: ["data-theme"]});
  });
})();
