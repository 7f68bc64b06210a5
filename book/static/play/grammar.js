// Python's expressions without keywords, as far as the characters of an equation reach: a parsing expression grammar
// that, as Python's, is run a second time to say what is wrong.
(function () {
  "use strict";
  const SOFT_KEYWORDS = ["_", "case", "match"], LEGACY = ["print", "exec"];

  class Grammar extends play.Primaries {
    whole() {
      const start = this.peek().start, first = this.expression();
      if (!first) return null;
      let isTuple = false;
      while (this.attempt(() => this.take(",") && this.expression())) isTuple = true;
      if (this.take(",")) isTuple = true;
      const result = isTuple ? this.node(start, "other") : first;
      while (this.take("newline"));
      return this.take("end") && result;
    }

    expression() {
      return this.remember("expression", () => {
        if (this.explains) this.attempt(() => this.missingComma());
        if (this.explains) this.attempt(() => this.legacy());
        return this.sum();
      });
    }

    missingComma() {
      if (this.peek().type === "name") this.peek(1);
      if (SOFT_KEYWORDS.some((word) => word.startsWith(this.peek().text || " "))) return; // Python compares beginnings
      const first = this.sum();
      if (!first) return;
      this.explains = false;
      const second = this.attempt(() => this.sum());
      this.explains = true;
      if (!second || (first.kind === "name" && LEGACY.includes(first.id)) || !this.tokens[this.mark - 1].level) return;
      this.fail("invalid syntax. Perhaps you forgot a comma?", first);
    }

    legacy() {
      const name = this.take("name");
      if (!name || this.peek().type === "(" || !this.starred()) return;
      while (this.attempt(() => this.take(",") && this.starred()));
      if (LEGACY.includes(name.text)) this.fail(`Missing parentheses in call to '${name.text}'. Did you mean ${name.text}(...)?`, name);
    }

    starred() {
      return this.attempt(() => this.take("*") && this.sum()) || this.expression();
    }

    chain(operators, rule) {
      const start = this.peek().start;
      let left = rule();
      for (let more = left; more; left = more || left) {
        more = this.attempt(() => {
          const operator = operators.includes(this.peek().type) && this.take(this.peek().type), right = operator && rule();
          return right && this.node(start, "binary", {operator: operator.text, left, right});
        });
      }
      return left;
    }

    sum() {
      return this.remember("sum", () => this.chain(["+", "-"], () => this.chain(["*", "/", "//"], () => this.factor())));
    }

    factor() {
      return this.remember("factor", () => {
        const start = this.peek().start, sign = this.take("+") || this.take("-");
        if (!sign) return this.power();
        const operand = this.factor();
        return operand && this.node(start, "unary", {operator: sign.text, operand});
      });
    }

    power() {
      const start = this.peek().start, left = this.primary();
      const right = left && this.attempt(() => this.take("**") && this.factor());
      return right ? this.node(start, "binary", {operator: "**", left, right}) : left;
    }
  }

  function checkTheRest(source) {
    try {
      while (source.next().type !== "end");
    } catch (problem) {
      if (problem.message === "'(' was never closed") return; // of a text of several lines only
      throw problem;
    }
  }

  // Returns the tree of an expression, or throws a SyntaxProblem.
  play.parse = function (text) {
    const parser = new Grammar(text);
    const result = parser.whole();
    if (result) return result;
    const last = parser.tokens.at(-1);
    let problem = new play.SyntaxProblem("invalid syntax", last.start);
    try {
      parser.begin(true);
      parser.whole();
    } catch (explained) {
      if (!explained.isOfGrammar) throw explained;
      problem = explained;
    }
    checkTheRest(parser.source);
    throw problem;
  };
})();
