// Texts as Python writes them, so that errors on the page read like those of the library.
window.play = window.play || {};
(function () {
  "use strict";
  const ODD = /[\p{C}\p{Z}]/u; // what Python does not print as it is, but for a space
  const ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"};

  function escaped(character, quote) {
    if (character === quote) return "\\" + quote;
    if (ESCAPES[character]) return ESCAPES[character];
    if (character === " " || !ODD.test(character)) return character;
    const code = character.codePointAt(0), digits = code < 256 ? 2 : code < 65536 ? 4 : 8;
    return "\\" + {2: "x", 4: "u", 8: "U"}[digits] + code.toString(16).padStart(digits, "0");
  }

  function repr(text) {
    const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
    return quote + Array.from(text, (character) => escaped(character, quote)).join("") + quote;
  }

  const exponent = (power) => (power < 0 ? "-" : "+") + String(Math.abs(power)).padStart(2, "0");

  // The shortest digits that read back as the same number.
  function float(number) {
    const [digits, power] = number.toExponential().split("e");
    if (power >= -4 && power < 16) {
      const text = Math.abs(number) >= 1e-6 || number === 0 ? String(number) : number.toFixed(20).replace(/0+$/, "");
      return /[.e]/.test(text) ? text : text + ".0";
    }
    return digits + "e" + exponent(Number(power));
  }

  // "%.*g": so many significant digits, without zeros at the end.
  function general(number, precision = 6) {
    if (Number.isNaN(number)) return "nan";
    if (!Number.isFinite(number)) return number < 0 ? "-inf" : "inf";
    const [digits, power] = number.toExponential(precision - 1).split("e");
    const short = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
    if (power < -4 || power >= precision) return short(digits) + "e" + exponent(Number(power));
    const zero = Object.is(number, -0) ? "-" : "";
    return zero + short(number.toFixed(precision - 1 - power));
  }

  const KEYWORDS = new Set(
    ("False None True and as assert async await break class continue def del elif else except finally for from global if " +
      "import in is lambda nonlocal not or pass raise return try while with yield").split(" "));

  play.python = {repr, float, general, KEYWORDS, isPrintable: (text) => !ODD.test(text.replaceAll(" ", ""))};
})();
