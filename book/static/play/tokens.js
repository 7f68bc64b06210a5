// Splits an equation into tokens, with Python's words for what is none.
(function () {
  "use strict";
  const MOST_PARENTHESES = 200;
  const isDigit = (c) => c >= "0" && c <= "9", isWord = (c) => /^\w/.test(c || "");
  const BASES = {
    x: ["hexadecimal", /^[0-9a-fA-F]/], o: ["octal", /^[0-7]/], b: ["binary", /^[01]/],
  };

  play.SyntaxProblem = class extends Error {
    constructor(message, column) {
      super(message);
      this.column = column; // of the text, from 0
    }
  };

  const fail = (message, column) => { throw new play.SyntaxProblem(message, column); };

  // Reads one token after another, only when it is asked for.
  play.Tokens = class {
    constructor(text) {
      this.text = text;
      this.at = 0;
      this.open = []; // places of parentheses
    }

    next() {
      while (this.text[this.at] === " ") this.at++;
      const start = this.at, c = this.text[start];
      if (c === undefined) return this.end(start);
      const type = isDigit(c) || (c === "." && isDigit(this.text[start + 1] || "")) ? this.number() : this.other(c);
      return {type, text: this.text.slice(start, this.at), start, end: this.at, level: this.open.length};
    }

    end(start) {
      if (this.open.length) fail("'(' was never closed", this.open.at(-1));
      const type = this.ended ? "end" : "newline";
      this.ended = true;
      return {type, text: "", start: 0, end: start, level: 0}; // what is wrong there, Python sees in column 1
    }

    other(c) {
      if (isWord(c)) {
        while (isWord(this.text[this.at])) this.at++;
        return "name";
      }
      const two = this.text.slice(this.at, this.at + 2), three = this.text.slice(this.at, this.at + 3);
      const operator = three === "..." ? three : two === "**" || two === "//" ? two : c;
      this.at += operator.length;
      if (c === "(" && this.open.length >= MOST_PARENTHESES) fail("too many nested parentheses", this.at - 1);
      if (c === "(") this.open.push(this.at - 1);
      if (c === ")" && this.open.pop() === undefined) fail("unmatched ')'", this.at - 1);
      return operator;
    }

    number() {
      const base = this.text[this.at] === "0" && BASES[(this.text[this.at + 1] || "").toLowerCase()];
      if (base) return this.based(...base);
      const start = this.at;
      if (this.text[start] !== ".") this.digits();
      const whole = this.text.slice(start, this.at).replaceAll("_", ""), after = this.text[this.at] || "";
      if (/^0+[1-9]/.test(whole) && !/[.eEjJ]/.test(after)) {
        fail("leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers", start);
      }
      if (after === ".") {
        this.at++;
        if (isDigit(this.text[this.at] || "")) this.digits();
      }
      if (/[eE]/.test(this.text[this.at] || "") && !this.exponent()) return "number";
      if (/[jJ]/.test(this.text[this.at] || "")) {
        this.at++;
        return this.ends("imaginary");
      }
      return this.ends("decimal");
    }

    digits() {
      for (;;) {
        while (isDigit(this.text[this.at] || "")) this.at++;
        if (this.text[this.at] !== "_") return;
        this.at++;
        if (!isDigit(this.text[this.at] || "")) fail("invalid decimal literal", this.at - 1);
      }
    }

    // False where "e" begins no exponent, but what follows a number.
    exponent() {
      const sign = /[+-]/.test(this.text[this.at + 1] || "") ? 1 : 0, first = this.text[this.at + 1 + sign] || "";
      if (isDigit(first)) {
        this.at += 1 + sign;
        this.digits();
        return true;
      }
      if (sign) fail("invalid decimal literal", this.at + 1);
      this.ends("decimal");
      return false;
    }

    based(kind, allowed) {
      const digit = () => this.text[this.at] || "";
      this.at += 2;
      do {
        if (digit() === "_") this.at++;
        if (!allowed.test(digit())) {
          if (isDigit(digit())) fail(`invalid digit '${digit()}' in ${kind} literal`, this.at);
          fail(`invalid ${kind} literal`, this.at - 1);
        }
        while (allowed.test(digit())) this.at++;
      } while (digit() === "_");
      if (isDigit(digit())) fail(`invalid digit '${digit()}' in ${kind} literal`, this.at);
      return this.ends(kind);
    }

    ends(kind) {
      if (isWord(this.text[this.at])) fail(`invalid ${kind} literal`, this.at - 1);
      return "number";
    }
  };
})();
