// A parser of expression grammars: rules that give a node or nothing, remembered by where they were tried.
(function () {
  "use strict";

  play.Parser = class {
    constructor(text) {
      this.source = new play.Tokens(text);
      this.tokens = [];
      this.begin(false);
    }

    begin(explains) {
      this.mark = 0;
      this.explains = explains; // the second run
      this.memo = new Map();
    }

    peek(ahead = 0) {
      while (this.tokens.length <= this.mark + ahead) this.tokens.push(this.source.next());
      return this.tokens[this.mark + ahead];
    }

    take(type) {
      return this.peek().type === type ? this.tokens[this.mark++] : null;
    }

    node(start, kind, fields) {
      return {kind, start, end: this.tokens[this.mark - 1].end, ...fields};
    }

    // What a rule gives; where it gives nothing, nothing has been read.
    attempt(rule) {
      const mark = this.mark, result = rule();
      if (!result) this.mark = mark;
      return result;
    }

    remember(name, rule) {
      const key = name + this.mark, kept = this.memo.get(key);
      if (kept) {
        this.mark = kept.mark;
        return kept.result;
      }
      const result = this.attempt(rule);
      this.memo.set(key, {result, mark: this.mark});
      return result;
    }

    fail(message, node) {
      throw Object.assign(new play.SyntaxProblem(message, node.start), {isOfGrammar: true});
    }

    separated(rule) {
      const items = [], first = this.attempt(rule);
      for (let item = first; item; item = this.attempt(() => this.take(",") && rule())) items.push(item);
      return items.length ? items : null;
    }
  };
})();
