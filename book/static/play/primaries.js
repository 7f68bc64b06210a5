// Python's names, numbers, calls and parentheses, in the order in which Python tries them.
(function () {
  "use strict";

  play.Primaries = class extends play.Parser {
    primary() {
      return this.remember("primary", () => {
        const start = this.peek().start;
        let result = this.atom();
        for (let more = result; more; result = more || result) {
          const value = result;
          more = this.attempt(() => {
            const name = this.take(".") && this.take("name");
            return name && this.node(start, "attribute", {value, name: name.text});
          }) || this.attempt(() => this.call(start, value));
        }
        return result;
      });
    }

    call(start, called) {
      this.generator();
      if (!this.take("(")) return null;
      const given = this.attempt(() => this.arguments()) || {values: [], keywords: false};
      return this.take(")") && this.node(start, "call", {called, values: given.values, keywords: given.keywords});
    }

    // A generator's parenthesis begins like others; what follows is looked at, too.
    generator() {
      const mark = this.mark;
      if (this.take("(")) {
        if (this.peek().type === "name") this.peek(1);
        if (this.expression()) this.peek();
      }
      this.mark = mark;
      if (this.explains && this.take("(") && this.unpacked()) this.peek();
      this.mark = mark;
    }

    unpacked() {
      const start = this.peek().start;
      return this.attempt(() => this.take("*") && this.expression() && this.node(start, "other"));
    }

    arguments() {
      return this.remember("arguments", () => {
        const result = this.attempt(() => {
          const given = this.values();
          if (given) this.take(",");
          return given && this.peek().type === ")" && given;
        });
        if (!result && this.explains) this.explainArguments();
        return result;
      });
    }

    explainArguments() {
      this.attempt(() => {
        const before = this.values(), star = before && this.take(",") && this.take("*");
        if (star && before.keywords) this.fail("iterable argument unpacking follows keyword argument unpacking", star);
      });
      this.attempt(() => this.expression() && this.peek() && null);
      this.attempt(() => this.values() && this.take(",") && this.expression() && this.peek() && null);
      this.attempt(() => {
        const before = this.values();
        if (before && this.take(",") && this.values()) {
          const of = before.keywords ? " unpacking" : "";
          this.fail("positional argument follows keyword argument" + of, this.tokens.at(-1));
        }
      });
    }

    values() {
      return this.attempt(() => {
        const values = this.separated(() => this.unpacked() || this.value());
        if (!values) return null;
        const more = this.attempt(() => this.take(",") && this.keywords());
        return {values: [...values, ...((more && more.values) || [])], keywords: Boolean(more && more.keywords)};
      }) || this.keywords();
    }

    value() {
      if (this.peek().type === "name") this.peek(1);
      const value = this.expression();
      if (value) this.peek();
      return value;
    }

    keywords() {
      const single = () => this.named() || this.unpacked(), double = () => this.named() || this.unpackedTwice();
      return this.attempt(() => {
        const values = this.separated(single);
        return values && this.take(",") && this.separated(double) && {values, keywords: true};
      }) || this.attempt(() => {
        const values = this.separated(single);
        return values && {values, keywords: false};
      }) || (this.separated(double) && {values: [], keywords: true});
    }

    // What has a name, name=value, holds a character that no equation has; what comes before it is looked at.
    named() {
      if (this.explains) this.attempt(() => this.expression() && this.peek() && null);
      if (this.peek().type === "name") this.peek(1);
      return null;
    }

    unpackedTwice() {
      return this.attempt(() => this.take("**") && this.expression());
    }

    atom() {
      const token = this.peek();
      if (token.type === "(") return this.attempt(() => this.tuple()) || this.attempt(() => this.group()) || this.generator();
      if (token.type === "name") return this.take("name") && this.node(token.start, "name", {id: token.text});
      if (token.type === "number") return this.take("number") && this.node(token.start, "number", {text: token.text});
      return this.take("...") && this.node(token.start, "other");
    }

    tuple() {
      const start = this.take("(").start;
      this.attempt(() => {
        const first = this.item() && this.take(",");
        if (first && this.separated(() => this.item())) this.take(",");
        return first;
      });
      return this.take(")") && this.node(start, "other");
    }

    item() {
      return this.attempt(() => this.take("*") && this.sum()) || this.enclosed();
    }

    // An expression in parentheses; the second run looks whether a name is given to it.
    enclosed() {
      if (this.peek().type === "name") this.peek(1);
      if (this.explains) {
        this.remember("named", () => {
          this.attempt(() => this.expression() && this.peek() && null);
          if (this.peek().type === "name") this.peek(1);
          if (this.peek().type === "(" && this.attempt(() => this.tuple())) return null;
          this.generator();
          return this.sum() && this.peek() && null;
        });
      }
      const value = this.expression();
      if (value) this.peek();
      return value;
    }

    group() {
      const inside = this.attempt(() => {
        this.take("(");
        const value = this.enclosed();
        return value && this.take(")") && value;
      });
      if (!inside && this.explains) this.explainGroup();
      return inside;
    }

    explainGroup() {
      for (const [rule, words] of [[() => this.unpacked(), "starred"], [() => this.unpackedTwice(), "double starred"]]) {
        this.attempt(() => {
          const inside = this.take("(") && this.peek(), isIt = rule() && this.take(")");
          if (isIt) this.fail(`cannot use ${words} expression here`, inside);
        });
      }
    }
  };
})();
