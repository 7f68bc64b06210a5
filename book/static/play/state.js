// What is shown, as the part of the address behind #, and back. A link may be old, cut short, or hostile.
(function () {
  "use strict";
  const MOST_CHARACTERS = 3000, KEYS = ["family", "target", "network", "at", "device", "score"];
  const DEVICES = {gpu: "GPU", cpu: "CPU", npu: "NPU"}, SCORES = {norm: "norm", effect: "effect"};
  const FAMILIES = {ofa_mbv3: "OFA-MobileNetV3", ofa_pn: "OFA-ProxylessNAS"};
  const DEFAULTS = {family: "ofa_mbv3", target: "power(acc, 20) / latency_gpu", at: "1.1", device: "gpu", score: "norm"};

  play.StateError = class extends Error {};

  const shown = (text) => JSON.stringify(text.length > 30 ? text.slice(0, 30) + "..." : text);

  function chosen(name, value, options) {
    if (!Object.hasOwn(options, value)) {
      throw new play.StateError(`${name} is ${shown(value)}; allowed: ${Object.keys(options).join(", ")}`);
    }
    return value;
  }

  function decoded(text) {
    try {
      return decodeURIComponent(text.replaceAll("+", " "));
    } catch {
      throw new play.StateError(`${shown(text)} is no text`);
    }
  }

  // The texts that an address holds, defaults for those it does not name.
  function read(hash) {
    const text = hash.replace(/^#/, ""), state = {...DEFAULTS};
    if (text.length > MOST_CHARACTERS) throw new play.StateError(`more than ${MOST_CHARACTERS} characters`);
    for (const part of text ? text.split("&") : []) {
      const [name, ...value] = part.split("=");
      if (!KEYS.includes(name)) throw new play.StateError(`${shown(name)} is unknown; allowed: ${KEYS.join(", ")}`);
      state[name] = decoded(value.join("="));
    }
    chosen("family", state.family, FAMILIES);
    chosen("device", state.device, DEVICES);
    chosen("score", state.score, SCORES);
    if (state.network) state.network = state.network.replaceAll("/", "|");
    return state;
  }

  // Which layer is opened, "unit.layer" from 1, as [unit, layer] from 0.
  function place(text, network) {
    const match = /^(\d)\.(\d)$/.exec(text), [unit, layer] = match ? [match[1] - 1, match[2] - 1] : [-1, -1];
    if (!network[unit] || network[unit][layer] === undefined) {
      throw new play.StateError(`at is ${shown(text)}; allowed: a unit and a layer of the network, such as 1.2`);
    }
    return [unit, layer];
  }

  function write(state) {
    const plain = (text) => encodeURIComponent(text).replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%20", "+");
    return "#" + KEYS.map((name) => `${name}=${plain(state[name].replaceAll("|", "/"))}`).join("&");
  }

  play.state = {read, write, place, DEFAULTS, FAMILIES, DEVICES, SCORES};
})();
