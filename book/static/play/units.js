// The network's units as buttons: how many layers, which layers, and what each unit's modules score.
(function () {
  "use strict";

  function element(tag, properties = {}, ...children) {
    const {dataset, attributes = {}, ...others} = properties, made = Object.assign(document.createElement(tag), others);
    Object.assign(made.dataset, dataset);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  const spoken = (name) => name.replace("e", "expansion ").replace("_k", ", kernel ");
  const number = (value) => value.toLocaleString("en-US");
  const short = (value) => play.python.general(value, 4).replace(/^-/, "−");

  Object.assign(play, {element, short, spoken});

  // hears: depth(unit, depth), open(unit, layer), choose(choice), best(group, score), compare()
  play.Units = class {
    constructor(place, family, hears) {
      Object.assign(this, {place, family, hears});
      this.rows = family.depths.map((depths, unit) => this.row(depths, unit));
      this.editor = this.makeEditor();
      place.replaceChildren(...this.rows.map((row) => row.box));
    }

    row(depths, unit) {
      const name = `Unit ${unit + 1}`, chips = Array.from({length: depths.at(-1)}, (_, layer) => this.chip(unit, layer));
      const radios = depths.length > 1 ? depths.map((depth) => this.depth(unit, depth)) : [];
      const depth = radios.length ? element("fieldset", {className: "play-depth", attributes: {"aria-label": `Layers of unit ${unit + 1}`}},
        element("span", {textContent: "layers"}), ...radios.map((radio) => radio.label)) : "";
      const group = this.family.groups.findIndex((units) => units.at(-1) === unit);
      const scores = element("div", {className: "play-scores"}), buttons = group < 0 ? [] : this.bestButtons(group);
      const box = element("section", {className: "play-unit", attributes: {"aria-label": name}},
        element("div", {className: "play-unit-head"}, element("strong", {textContent: name}), depth),
        element("div", {className: "play-chips"}, ...chips), scores, element("div", {className: "play-buttons"}, ...buttons));
      return {box, chips, radios, scores, group};
    }

    depth(unit, depth) {
      const input = element("input", {type: "radio", name: `play-depth-${unit}`, value: String(depth)});
      input.addEventListener("change", () => this.hears.depth(unit, depth));
      return {depth, input, label: element("label", {}, input, ` ${depth}`)};
    }

    chip(unit, layer) {
      const chip = element("button", {type: "button", className: "play-chip"});
      chip.addEventListener("click", () => this.hears.open(unit, layer));
      return chip;
    }

    bestButtons(group) {
      const units = this.family.groups[group].map((unit) => unit + 1).join(" and ");
      return Object.keys(play.state.SCORES).map((score) => {
        const button = element("button", {type: "button", textContent: `best by ${score}`,
          attributes: {"aria-label": `best by ${score}: take it for unit ${units}`}});
        button.addEventListener("click", () => this.hears.best(group, score));
        return button;
      });
    }

    makeEditor() {
      const cells = this.family.choices.map((name, choice) => {
        const input = element("input", {type: "radio", name: "play-choice", value: String(choice)});
        input.addEventListener("change", () => this.hears.choose(choice));
        const changes = element("small");
        const label = element("label", {className: "play-choice"}, input, ` ${name.replace("_", " ")}`, changes);
        return {input, label, changes};
      });
      const legend = element("legend"), compare = element("button", {type: "button", textContent: "What would each choice do?"});
      compare.addEventListener("click", () => this.hears.compare());
      const box = element("fieldset", {className: "play-editor"}, legend,
        element("div", {className: "play-grid"}, ...cells.map((cell) => cell.label)), compare);
      return {box, legend, cells, compare};
    }

    show(state, scores, changes) {
      this.rows.forEach((row, unit) => {
        row.radios.forEach((radio) => { radio.input.checked = radio.depth === state.network[unit].length; });
        row.chips.forEach((chip, layer) => this.showChip(chip, state, unit, layer));
        if (row.group >= 0) this.showScores(row, scores[row.group]);
      });
      this.showEditor(state, changes);
    }

    showChip(chip, {network, unit, layer}, ofUnit, ofLayer) {
      const choice = network[ofUnit][ofLayer], isOpen = unit === ofUnit && layer === ofLayer;
      chip.hidden = choice === undefined;
      if (chip.hidden) return;
      const name = this.family.choices[choice];
      chip.textContent = name.replace("_", " ");
      chip.dataset.expansion = name[1];
      chip.setAttribute("aria-label", `${chip.textContent}, unit ${ofUnit + 1}, layer ${ofLayer + 1}`);
      chip.setAttribute("aria-pressed", String(isOpen));
    }

    showScores(row, {norm, normRank, effect, effectRank, of}) {
      const units = this.family.groups[row.group].map((unit) => unit + 1), together = units.length > 1 ? ` (units ${units.join(" and ")} together)` : "";
      const about = effectRank.exact ? "" : "about ";
      row.scores.textContent = `norm ${short(norm)}, rank ${number(normRank)} · effect ${short(effect)}, rank ${about}` +
        `${number(effectRank.rank)} of ${number(of)}${together}`;
    }

    showEditor({network, unit, layer, compares}, changes) {
      const {box, legend, cells, compare} = this.editor, name = `Unit ${unit + 1}, layer ${layer + 1}`;
      if (box.previousElementSibling !== this.rows[unit].box) this.rows[unit].box.after(box);
      legend.textContent = `${name}: expansion e and kernel k`;
      compare.setAttribute("aria-pressed", String(compares));
      cells.forEach((cell, choice) => {
        cell.input.checked = network[unit][layer] === choice;
        cell.changes.textContent = changes ? changes[choice] : "";
      });
    }
  };
})();
