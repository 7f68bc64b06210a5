// Target equations over labels: what the library's Target reads, refuses and computes.
(function () {
  "use strict";
  const {repr, float, general, isPrintable, KEYWORDS} = play.python;
  const MOST_CHARACTERS = 1000, MOST_DEPTH = 50;
  const OPERATORS = {
    "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, "**": Math.pow,
  };
  const FUNCTIONS = {
    log: Math.log, log10: Math.log10, log2: Math.log2, exp: Math.exp, sqrt: Math.sqrt, power: Math.pow,
    abs: Math.abs, min: Math.min, max: Math.max, ranks: null,
  };
  const isFunction = (name) => Object.hasOwn(FUNCTIONS, name);
  const ALLOWED = "label names (in backquotes unless they are letters, digits and _), finite numbers, + - * / **, " +
    `parentheses, ${Object.keys(FUNCTIONS).join(", ")} (also as np.log ...)`;
  const WORD = /^[A-Za-z][A-Za-z0-9_]*$/, QUOTED = /`((?:[^`]|``)*)`/gu, BESIDE = /^[\p{L}\p{N}_.`]/u;
  // Also 1if, which Python reads as 1 if.
  const KEYWORD = new RegExp(`\\b(${[...KEYWORDS].join("|")}|\\d[\\w.]*(and|else|for|i[fns]\\w*|not|or))\\b`);
  const first = (text, count) => Array.from(text).slice(0, count).join("");

  function quoted(label) {
    const isPlain = WORD.test(label) && !isFunction(label) && label !== "np" && !KEYWORDS.has(label);
    return isPlain ? label : "`" + label.replaceAll("`", "``") + "`";
  }

  class Reader {
    constructor(expression) {
      this.text = expression.replace(/[\t\r\n]/g, " ").replace(/^ +| +$/g, "");
      this.points = Array.from(this.text);
      this.shift = Array.from(expression).length - Array.from(expression.replace(/^[ \t\r\n]+/, "")).length;
      this.labels = new Set();
      this.hidden = new Map(); // from and to which column a quoted label stands
    }

    refuse(column, reason, allowed = ALLOWED) {
      const shown = this.points.slice(0, 100).join("") + (this.points.length > 100 ? "..." : "");
      throw new play.TargetError(`target ${repr(shown)}, column ${column + this.shift + 1}: ${reason}; allowed: ${allowed}`);
    }

    refuseNode(node, reason) {
      const part = this.points.slice(node.start, node.end).slice(0, 40).join("");
      this.refuse(node.start, `${repr(part)} ${reason}`);
    }

    read() {
      if (!this.text) this.refuse(0, "is empty");
      if (this.points.length > MOST_CHARACTERS) {
        this.refuse(0, `has ${this.points.length} characters`, `at most ${MOST_CHARACTERS}`);
      }
      const plain = Array.from(this.text.replace(QUOTED, (all, label, place) => this.hide(all, label, place)));
      const odd = plain.findIndex((character) => !/^[A-Za-z0-9_ .,()+\-*/]$/.test(character));
      if (odd >= 0) this.refuse(odd, `${repr(plain[odd])} is not a character of an equation`);
      const word = KEYWORD.exec(plain.join(""));
      if (word) {
        this.refuse(word.index, `${first(repr(word[0]), 40)} is or has a keyword; as a label it stands in backquotes`);
      }
      const kept = this.keep(this.parse(plain.join("")), 1);
      if (!this.labels.size) this.refuse(0, "is a constant, an equation needs at least one label");
      return kept;
    }

    parse(plain) {
      try {
        return play.parse(plain);
      } catch (problem) {
        if (problem instanceof play.SyntaxProblem) this.refuse(problem.column, `not an equation (${problem.message})`);
        throw problem;
      }
    }

    hide(all, inside, place) {
      const label = inside.replaceAll("``", "`"), start = Array.from(this.text.slice(0, place)).length;
      const end = start + Array.from(all).length;
      if (!label.trim() || label !== label.trim() || !isPrintable(label)) {
        this.refuse(start, `${first(repr(all), 40)} is not a label name`);
      }
      if (BESIDE.test(this.points[start - 1] || "") || BESIDE.test(this.points[end] || "")) {
        this.refuse(start, `${first(repr(all), 40)} touches what stands beside it`);
      }
      this.hidden.set(`${start} ${end}`, label);
      return "_".repeat(end - start);
    }

    keep(node, depth) {
      if (depth > MOST_DEPTH) this.refuse(node.start, "is too deeply nested", `depth ${MOST_DEPTH}`);
      if (node.kind === "number" && !/[jJ]$/.test(node.text)) return this.keepNumber(node);
      if (node.kind === "name") return this.keepName(node);
      if (node.kind === "unary") return {...node, operand: this.keep(node.operand, depth + 1)};
      if (node.kind === "binary" && Object.hasOwn(OPERATORS, node.operator)) {
        return {...node, left: this.keep(node.left, depth + 1), right: this.keep(node.right, depth + 1)};
      }
      const {called} = node.kind === "call" ? node : {};
      if (called && called.kind === "name") return this.keepCall(node, called.id, depth);
      const ofNumpy = called && called.kind === "attribute" && called.value.kind === "name" && called.value.id === "np";
      if (ofNumpy) return this.keepCall(node, called.name, depth);
      return this.refuseNode(node, "is not allowed");
    }

    keepName(node) {
      const label = this.hidden.get(`${node.start} ${node.end}`);
      if (label === undefined && (isFunction(node.id) || node.id === "np" || node.id.startsWith("_"))) {
        this.refuseNode(node, "is not a label name");
      }
      this.labels.add(label === undefined ? node.id : label);
      return {kind: "label", label: label === undefined ? node.id : label};
    }

    keepNumber(node) {
      const digits = node.text.replaceAll("_", "");
      const value = Number(/^0+\d/.test(digits) ? digits.replace(/^0+/, "0").replace(/^0(?=\d)/, "") : digits);
      if (!Number.isFinite(value)) this.refuseNode(node, "is not a finite number");
      return {kind: "number", value};
    }

    keepCall(node, name, depth) {
      if (!isFunction(name) || node.keywords) this.refuseNode(node, "is not allowed");
      const many = name === "min" || name === "max", count = node.values.length;
      const least = many || name === "power" ? 2 : 1, most = many ? MOST_CHARACTERS : least;
      if (count < least || count > most) {
        this.refuseNode(node, `needs ${many ? "2 or more" : `exactly ${least}`}, not ${count} arguments`);
      }
      return {kind: "call", name, values: node.values.map((value) => this.keep(value, depth + 1))};
    }
  }

  // ------------------------------------------------------------------ the canonical text, as Python writes trees

  const LEVELS = {"+": 1, "-": 1, "*": 2, "/": 2, unary: 3, "**": 4};

  function written(node, level = 0) {
    const enclosed = (own, text) => (level > own ? `(${text})` : text);
    if (node.kind === "label") return quoted(node.label);
    if (node.kind === "number") {
      return Number.isInteger(node.value) && node.value < 1e15 ? String(node.value) : float(node.value);
    }
    if (node.kind === "call") return `${node.name}(${node.values.map((value) => written(value)).join(", ")})`;
    if (node.kind === "unary") return enclosed(LEVELS.unary, node.operator + written(node.operand, LEVELS.unary));
    const own = LEVELS[node.operator], isPower = node.operator === "**";
    const [left, right] = isPower ? [own + 1, own] : [own, own + 1];
    return enclosed(own, `${written(node.left, left)} ${node.operator} ${written(node.right, right)}`);
  }

  // ------------------------------------------------------------------ values

  function evaluated(node, columns, rows) {
    if (node.kind === "number") return new Float64Array(rows).fill(node.value);
    if (node.kind === "label") return columns[node.label];
    if (node.kind === "unary") {
      const values = evaluated(node.operand, columns, rows);
      return node.operator === "-" ? values.map((value) => -value) : values;
    }
    if (node.kind === "call" && node.name === "ranks") return play.normalScores(evaluated(node.values[0], columns, rows));
    const parts = (node.kind === "call" ? node.values : [node.left, node.right]).map((part) => evaluated(part, columns, rows));
    const operator = node.kind === "call" ? FUNCTIONS[node.name] : OPERATORS[node.operator];
    if (parts.length === 1) return parts[0].map((value) => operator(value));
    return parts.reduce((left, right) => left.map((value, row) => operator(value, right[row])));
  }

  play.TargetError = class extends Error {};

  play.Target = class {
    constructor(expression) {
      const reader = new Reader(expression);
      this.tree = reader.read();
      this.labels = [...reader.labels].sort();
      this.canonical = written(this.tree);
      if (Array.from(this.canonical).length > MOST_CHARACTERS) {
        reader.refuse(0, "is too long once written out", `at most ${MOST_CHARACTERS} characters`);
      }
    }

    // Values of all rows, [rows], given the columns of labels by name.
    evaluate(columns) {
      for (const name of this.labels.filter((label) => !Object.hasOwn(columns, label))) {
        const available = Object.keys(columns).map(quoted).join(", ");
        throw new play.TargetError(`target ${this.canonical}: there is no label ${repr(name)}; available labels: ${available}`);
      }
      const used = Object.fromEntries(this.labels.map((label) => [label, columns[label]]));
      const values = evaluated(this.tree, used, used[this.labels[0]].length);
      const bad = Array.from(values.keys()).filter((row) => !Number.isFinite(values[row]));
      if (bad.length) this.complain(used, values, bad);
      return values;
    }

    complain(columns, values, bad) {
      const shown = bad.slice(0, 5).join(", ") + (bad.length > 5 ? ", ..." : ""), row = bad[0];
      const labels = Object.entries(columns).map(([label, column]) => `${quoted(label)} = ${general(column[row])}`).join(", ");
      const why = `row ${row}: ${labels} gives ${general(values[row])}`;
      const text = `target ${this.canonical} is not finite in ${bad.length} of ${values.length} rows: ${shown} (${why})`;
      throw new play.TargetError(text);
    }
  };
})();
