// The tokens of a DBC file, one statement after the other: what a statement may expect next, and how reading goes on behind one that is broken. Neighbours: tokens.ts, statements.ts.
//
// D1. The first unmet expectation of a statement is a diagnostic; from then on nothing is consumed until `skipStatement`, and what is read meanwhile is empty or 0.
// D2. Recovery ends behind the next `;` or before the next line that opens with a keyword, whichever comes first.

import { type DiagnosticLog, quote } from "./diagnostics.ts";
import { DbcTokens, type Token } from "./tokens.ts";

const DECIMAL = /^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const INTEGER = /^[0-9]+$/;
const MAX_INTEGER = 2 ** 64;
const NAME = /^[0-9A-Za-z_]+$/;

export class DbcCursor {
  readonly #tokens: DbcTokens;
  readonly #log: DiagnosticLog;
  readonly #keywords: ReadonlySet<string>;
  #token: Token;
  /** Comes after `#token` where a token was put back. */
  #pushed: Token | undefined;
  #failed = false;

  /** @param keywords words that open a statement when they open a line */
  constructor(text: string, keywords: ReadonlySet<string>, log: DiagnosticLog) {
    this.#tokens = new DbcTokens(text);
    this.#keywords = keywords;
    this.#log = log;
    this.#token = this.#tokens.next();
  }

  /** The token that comes next. */
  get token(): Token {
    return this.#token;
  }

  /** No expectation of this statement was disappointed. */
  ok(): boolean {
    return !this.#failed;
  }

  /** The next statement has its own chance. */
  begin(): void {
    this.#failed = false;
  }

  /** A word that is a whole number. */
  atInteger(): boolean {
    return this.#token.kind === "word" && INTEGER.test(this.#token.text);
  }

  /** A number, or a sign that only a number may follow. */
  atNumber(): boolean {
    return this.at("-") || this.at("+") || (this.#token.kind === "word" && DECIMAL.test(this.#token.text));
  }

  /** A word that is no number, and opens no statement. */
  atName(): boolean {
    return this.#token.kind === "word" && !DECIMAL.test(this.#token.text) && !this.atKeyword();
  }

  name(expected: string): string {
    if (this.#failed) return "";
    if (this.#token.kind !== "word" || this.atKeyword()) return this.fail(expected, this.#token);
    if (this.#token.text.includes(".")) return this.fail(expected, this.#token);
    if (!NAME.test(this.#token.text))
      this.#log.add("warning", "odd-name", `the name ${quote(this.#token.text)} holds characters beyond letters, digits and underscore`, this.#token);
    return this.advance().text;
  }

  /** At most 64 bits. */
  integer(expected: string): number {
    if (this.#failed) return 0;
    if (this.#token.kind !== "word" || !INTEGER.test(this.#token.text)) {
      this.fail(expected, this.#token);
      return 0;
    }
    const value = Number(this.#token.text);
    if (value > MAX_INTEGER) {
      this.fail(`${expected} in at most 64 bits`, this.#token);
      return 0;
    }
    this.advance();
    return value;
  }

  /** A signed decimal. Infinite only where `limit` is "any" (a declared range). */
  number(expected: string, limit: "finite" | "any" = "finite"): number {
    if (this.#failed) return 0;
    const sign = this.at("-") || this.at("+") ? this.advance().text : "+";
    if (this.#token.kind !== "word" || !DECIMAL.test(this.#token.text)) {
      this.fail(expected, this.#token);
      return 0;
    }
    const size = Number(this.#token.text);
    if (limit === "finite" && !Number.isFinite(size)) {
      this.fail(`${expected} within the range of a double`, this.#token);
      return 0;
    }
    this.advance();
    return sign === "-" ? -size : size;
  }

  /** Exact beyond 2^53 where it is written as a whole number. */
  wholeOrNumber(expected: string, limit: "finite" | "any" = "finite"): number | bigint {
    const negative = this.at("-");
    if (negative || this.at("+")) this.advance();
    const text = this.#token.text;
    const value = this.number(expected, limit);
    if (this.#failed || Number.isSafeInteger(value) || !INTEGER.test(text) || text.length > 20) return negative ? -value : value;
    return negative ? -BigInt(text) : BigInt(text);
  }

  string(expected: string): string {
    if (this.#failed) return "";
    if (this.#token.kind !== "string") return this.fail(expected, this.#token);
    if (this.#token.unterminated) this.#log.add("error", "text-not-closed", "a text has no closing quote; read up to the end of its line", this.#token);
    else if (this.#token.suspect === true)
      this.#log.add("warning", "text-runs-on", "a text runs on over what looks like a statement; does it lack its closing quote?", this.#token);
    return this.advance().text;
  }

  sign(sign: string): void {
    if (this.#failed) return;
    if (this.at(sign)) this.advance();
    else this.fail(`\`${sign}\``, this.#token);
  }

  eitherSign(one: string, other: string): string {
    if (this.#failed) return one;
    if (this.at(one) || this.at(other)) return this.advance().text;
    return this.fail(`\`${one}\` or \`${other}\``, this.#token);
  }

  optional(sign: string): boolean {
    const there = !this.#failed && this.at(sign);
    if (there) this.advance();
    return there;
  }

  end(statement: string): void {
    if (!this.optional(";")) this.#log.add("warning", "semicolon-missing", `missing \`;\` at the end of ${statement}`, this.#token);
  }

  /** As if an expectation had been disappointed; the diagnostic was given by the caller. */
  giveUp(): void {
    this.#failed = true;
  }

  fail(expected: string, found: Token): "" {
    this.#failed = true;
    this.#log.add("error", "syntax", `expected ${expected}, found ${found.kind === "end" ? "the end of the file" : quote(found.text)}`, found);
    return "";
  }

  at(sign: string): boolean {
    return this.#token.kind === "sign" && this.#token.text === sign;
  }

  atString(): boolean {
    return !this.#failed && this.#token.kind === "string";
  }

  atKeyword(): boolean {
    return this.#token.kind === "word" && this.#token.opensLine && this.#keywords.has(this.#token.text);
  }

  advance(): Token {
    const token = this.#token;
    this.#token = this.#pushed ?? this.#tokens.next();
    this.#pushed = undefined;
    return token;
  }

  /** The token behind the present one, which becomes the present one. */
  peekAfter(): Token {
    this.advance();
    return this.#token;
  }

  pushBack(token: Token): void {
    this.#pushed = this.#token;
    this.#token = token;
  }

  /** Up to and including `;`, or up to a line that opens with a keyword. */
  skipStatement(): void {
    while (this.#token.kind !== "end" && !this.atKeyword()) {
      const token = this.advance();
      if (token.kind === "sign" && token.text === ";") return;
    }
  }

  skipToKeyword(): void {
    while (this.#token.kind !== "end" && !this.atKeyword()) this.advance();
  }
}
