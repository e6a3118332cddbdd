// Tokens → statements. Never throws for what a file holds: a statement that cannot be read is left out with a diagnostic, and reading goes on behind its `;` or at the next line that
// opens with a keyword, whichever comes first. Each round of the main loop consumes at least one token, so it ends.

import type { AttributeValue, MuxRange } from "./database.ts";
import { type DiagnosticLog, quote } from "./dbc-diagnostics.ts";
import type { AttributeType, DbcSyntax, MessageSyntax, SignalSyntax, Target } from "./dbc-syntax.ts";
import { DbcTokens, type Token } from "./dbc-tokens.ts";

const DECIMAL = /^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const INTEGER = /^[0-9]+$/;
const NAME = /^[0-9A-Za-z_]+$/;
const MUX_MARK = /^(?:M|m([0-9]*)(M?))$/;

/** Keywords that may stand in the list behind NS_. */
const NEW_SYMBOLS = new Set(
  (
    "NS_DESC_ CM_ BA_DEF_ BA_ VAL_ CAT_DEF_ CAT_ FILTER BA_DEF_DEF_ EV_DATA_ ENVVAR_DATA_ SGTYPE_ SGTYPE_VAL_ BA_DEF_SGTYPE_ BA_SGTYPE_ SIG_TYPE_REF_ VAL_TABLE_ SIG_GROUP_ " +
    "SIG_VALTYPE_ SIGTYPE_VALTYPE_ BO_TX_BU_ BA_DEF_REL_ BA_REL_ BA_DEF_DEF_REL_ BA_SGTYPE_REL_ BU_SG_REL_ BU_EV_REL_ BU_BO_REL_ SG_MUL_VAL_"
  ).split(" "),
);
const KEYWORDS = new Set([...NEW_SYMBOLS, "VERSION", "NS_", "BS_", "BU_", "BO_", "SG_", "EV_"]);

/** Reads all statements of `text`; whatever is wrong goes to `log`. */
export function readStatements(text: string, log: DiagnosticLog): DbcSyntax {
  return new StatementReader(text, log).read();
}

class StatementReader {
  readonly #tokens: DbcTokens;
  readonly #log: DiagnosticLog;
  readonly #out: DbcSyntax = {
    statements: 0,
    version: "",
    nodes: [],
    messages: [],
    valueTables: new Map(),
    labels: [],
    comments: [],
    attributeTypes: new Map(),
    attributeDefaults: new Map(),
    attributes: [],
    senders: [],
    valueTypes: [],
    muxRanges: [],
    end: { line: 1, column: 1 },
  };
  #token: Token;
  /** Comes after `#token` where a token was put back. */
  #pushed: Token | undefined;
  /** Set by the first unmet expectation of a statement; from then on nothing is consumed until recovery. */
  #failed = false;
  /** The message that SG_ lines belong to; "lost" while they belong to one that could not be read. */
  #message: MessageSyntax | "none" | "lost" = "none";

  constructor(text: string, log: DiagnosticLog) {
    this.#tokens = new DbcTokens(text);
    this.#log = log;
    this.#token = this.#tokens.next();
  }

  read(): DbcSyntax {
    while (this.#token.kind !== "end") {
      this.#failed = false;
      const keyword = this.#advance();
      if (keyword.kind === "word" && KEYWORDS.has(keyword.text)) this.#out.statements++;
      this.#statement(keyword);
      if (!this.#ok()) this.#skipStatement();
    }
    this.#out.end = this.#token;
    return this.#out;
  }

  #statement(keyword: Token): void {
    if (keyword.kind === "sign" && keyword.text === ";") return;
    switch (keyword.kind === "word" ? keyword.text : "") {
      case "VERSION":
        this.#out.version = this.#string("the version in quotes");
        return;
      case "NS_":
        return this.#newSymbols();
      case "BS_":
        return this.#skipToKeyword();
      case "BU_":
        return this.#nodes();
      case "BO_":
        return this.#messageHead(keyword);
      case "SG_":
        return this.#signal(keyword);
      case "BO_TX_BU_":
        return this.#senders(keyword);
      case "VAL_TABLE_":
        return this.#valueTable();
      case "VAL_":
        return this.#labels(keyword);
      case "CM_":
        return this.#comment(keyword);
      case "BA_DEF_":
        return this.#attributeType();
      case "BA_DEF_DEF_":
        return this.#attributeDefault();
      case "BA_":
        return this.#attribute(keyword);
      case "SIG_VALTYPE_":
        return this.#valueType(keyword);
      case "SG_MUL_VAL_":
        return this.#muxRanges(keyword);
      default:
        if (keyword.kind === "word" && KEYWORDS.has(keyword.text)) return this.#skipStatement();
        this.#log.add("error", `expected a statement such as BO_ or CM_, found ${quote(keyword.text)}`, keyword);
        this.#failed = true;
    }
  }

  #newSymbols(): void {
    this.#sign(":");
    while (!this.#failed && this.#token.kind === "word" && NEW_SYMBOLS.has(this.#token.text)) {
      const symbol = this.#token;
      // An entry of the list stands alone on its line; a statement with the same keyword goes on behind it.
      const next = this.#peekAfter();
      if (!next.opensLine && !NEW_SYMBOLS.has(next.text)) {
        this.#pushBack(symbol);
        return;
      }
    }
  }

  #nodes(): void {
    this.#sign(":");
    while (!this.#failed && this.#token.kind === "word" && !(this.#token.opensLine && KEYWORDS.has(this.#token.text))) {
      this.#out.nodes.push(this.#advance().text);
      this.#optional(",");
    }
    this.#optional(";");
  }

  #messageHead(keyword: Token): void {
    this.#message = "lost";
    const fileId = this.#integer("the message's id");
    const name = this.#name("the message's name");
    this.#sign(":");
    const length = this.#integer("the message's length in bytes");
    const sender = this.#token.kind === "word" && !this.#token.opensLine ? this.#advance().text : "Vector__XXX";
    if (this.#failed) return;
    this.#message = { at: keyword, fileId, name, length, sender, signals: [] };
    this.#out.messages.push(this.#message);
  }

  #signal(keyword: Token): void {
    const name = this.#name("the signal's name");
    const muxMark = this.#muxMark();
    this.#sign(":");
    const start = this.#integer("the start bit");
    this.#sign("|");
    const size = this.#integer("the size in bits");
    this.#sign("@");
    const order = this.#integer("the byte order, 0 or 1");
    const signed = this.#eitherSign("+", "-") === "-";
    this.#sign("(");
    const factor = this.#number("the factor");
    this.#sign(",");
    const offset = this.#number("the offset");
    this.#sign(")");
    this.#sign("[");
    const min = this.#number("the minimum", "any");
    this.#sign("|");
    const max = this.#number("the maximum", "any");
    this.#sign("]");
    const unit = this.#string("the unit in quotes");
    const receivers = this.#failed ? [] : this.#receivers();
    if (this.#failed) return;
    if (order > 1) this.#log.add("error", `byte order ${String(order)} of signal ${quote(name)} is neither 0 nor 1; read as 1 (Intel)`, keyword);
    const signal: SignalSyntax = { at: keyword, name, muxMark, start, size, motorola: order === 0, signed, factor, offset, min, max, unit, receivers };
    if (this.#message === "none") this.#log.add("error", `signal ${quote(name)} stands before any message`, keyword);
    else if (this.#message !== "lost") this.#message.signals.push(signal);
  }

  #muxMark(): SignalSyntax["muxMark"] {
    const none = { isSwitch: false, isChild: false, value: undefined };
    if (this.#failed || this.#token.kind !== "word") return none;
    const token = this.#advance();
    const match = MUX_MARK.exec(token.text);
    if (match === null) {
      this.#fail("`:` or a multiplexer mark (M, m1, m1M)", token);
      return none;
    }
    if (token.text === "M") return { isSwitch: true, isChild: false, value: undefined };
    const digits = match[1] ?? "";
    return { isSwitch: match[2] === "M", isChild: true, value: digits === "" ? undefined : Number(digits) };
  }

  #receivers(): string[] {
    const names: string[] = [];
    let more = true;
    while (this.#token.kind === "word" && (more || !this.#token.opensLine) && !KEYWORDS.has(this.#token.text)) {
      if (this.#token.opensLine && names.length === 0) break;
      names.push(this.#advance().text);
      more = this.#optional(",");
    }
    return names;
  }

  #senders(keyword: Token): void {
    const fileId = this.#integer("the message's id");
    this.#optional(":");
    const names: string[] = [];
    while (!this.#failed && this.#token.kind === "word" && !this.#atKeyword()) {
      names.push(this.#advance().text);
      this.#optional(",");
    }
    if (this.#failed) return;
    this.#out.senders.push({ at: keyword, fileId, names });
    this.#end("BO_TX_BU_");
  }

  #valueTable(): void {
    const name = this.#name("the table's name");
    if (this.#failed) return;
    this.#out.valueTables.set(name, this.#entries());
    if (this.#ok()) this.#end("VAL_TABLE_");
  }

  #labels(keyword: Token): void {
    const target = this.#labelsTarget();
    if (this.#failed) return;
    const labels = this.#token.kind === "word" && !DECIMAL.test(this.#token.text) && !this.#atKeyword() ? this.#advance().text : this.#entries();
    if (!this.#ok()) return;
    this.#out.labels.push({ at: keyword, target, labels });
    this.#end("VAL_");
  }

  #labelsTarget(): Target {
    if (this.#token.kind === "word" && INTEGER.test(this.#token.text)) {
      const fileId = this.#integer("the message's id");
      return { kind: "signal", fileId, signal: this.#name("the signal's name") };
    }
    return { kind: "environment", name: this.#name("a message's id or an environment variable") };
  }

  #entries(): ReadonlyMap<number | bigint, string> {
    const entries = new Map<number | bigint, string>();
    while (!this.#failed && !this.#at(";") && !this.#atKeyword() && this.#token.kind !== "end") {
      const raw = this.#wholeOrNumber();
      const text = this.#string("a label in quotes");
      if (this.#ok() && !entries.has(raw)) entries.set(raw, text);
    }
    return entries;
  }

  #comment(keyword: Token): void {
    const target = this.#commentTarget(keyword);
    const text = this.#string("the comment in quotes");
    if (this.#failed) return;
    this.#out.comments.push({ at: keyword, target, text });
    this.#end("CM_");
  }

  #commentTarget(keyword: Token): Target {
    if (this.#token.kind === "word" && INTEGER.test(this.#token.text)) {
      this.#log.add("warning", "a comment's id without BO_ is read as a message's", keyword);
      return { kind: "message", fileId: this.#integer("the message's id") };
    }
    return this.#target("string");
  }

  /** BU_ node, BO_ id, SG_ id name, EV_ name, or nothing for the network. `before` is the kind of token that follows. */
  #target(before: "string" | "value"): Target {
    if (this.#token.kind !== "word") return { kind: "network" };
    switch (this.#token.text) {
      case "BU_":
        this.#advance();
        return { kind: "node", name: this.#name("a node's name") };
      case "EV_":
        this.#advance();
        return { kind: "environment", name: this.#name("an environment variable's name") };
      case "BO_":
        this.#advance();
        return { kind: "message", fileId: this.#integer("the message's id") };
      case "SG_": {
        const at = this.#advance();
        const fileId = this.#integer("the message's id");
        if (before === "string" && this.#atString()) {
          this.#log.add("warning", "a comment on a signal that it does not name is read as the message's", at);
          return { kind: "message", fileId };
        }
        return { kind: "signal", fileId, signal: this.#name("the signal's name") };
      }
      default:
        return { kind: "network" };
    }
  }

  #attributeType(): void {
    const owners = { BU_: "node", BO_: "message", SG_: "signal", EV_: "environment" } as const;
    const word = this.#token.kind === "word" ? this.#token.text : "";
    const owner = word === "BU_" || word === "BO_" || word === "SG_" || word === "EV_" ? owners[word] : "network";
    if (owner !== "network") this.#advance();
    const name = this.#string("the attribute's name in quotes");
    const kind = this.#name("INT, HEX, FLOAT, STRING or ENUM");
    if (this.#failed) return;
    let type: AttributeType = { kind: "number" };
    if (kind === "STRING") type = { kind: "string" };
    else if (kind === "ENUM") type = { kind: "enum", labels: this.#enumLabels() };
    else if (kind !== "INT" && kind !== "HEX" && kind !== "FLOAT") this.#log.add("error", `attribute ${quote(name)} is of unknown type ${quote(kind)}`, this.#token);
    this.#out.attributeTypes.set(name, { owner, type });
    this.#skipStatement();
  }

  #enumLabels(): string[] {
    const labels: string[] = [];
    while (this.#token.kind === "string" && !this.#token.unterminated) {
      labels.push(this.#advance().text);
      this.#optional(",");
    }
    return labels;
  }

  #attributeDefault(): void {
    const name = this.#string("the attribute's name in quotes");
    const value = this.#attributeValue();
    if (this.#failed) return;
    this.#out.attributeDefaults.set(name, value);
    this.#end("BA_DEF_DEF_");
  }

  #attribute(keyword: Token): void {
    const name = this.#string("the attribute's name in quotes");
    const target = this.#failed ? { kind: "network" as const } : this.#target("value");
    const value = this.#attributeValue();
    if (this.#failed) return;
    this.#out.attributes.push({ at: keyword, name, target, value });
    this.#end("BA_");
  }

  #attributeValue(): AttributeValue {
    return this.#token.kind === "string" ? this.#string("a value") : this.#number("a number or a text in quotes");
  }

  #valueType(keyword: Token): void {
    const fileId = this.#integer("the message's id");
    const signal = this.#name("the signal's name");
    this.#optional(":");
    const type = this.#integer("1 (32-bit float) or 2 (64-bit float)");
    if (this.#failed) return;
    this.#out.valueTypes.push({ at: keyword, fileId, signal, type });
    this.#end("SIG_VALTYPE_");
  }

  #muxRanges(keyword: Token): void {
    const fileId = this.#integer("the message's id");
    const signal = this.#name("the signal's name");
    const switchName = this.#name("the name of its switch");
    const ranges: MuxRange[] = [];
    while (!this.#failed && this.#token.kind === "word" && INTEGER.test(this.#token.text)) {
      const low = this.#integer("the lower end of a range");
      this.#sign("-");
      const high = this.#integer("the upper end of a range");
      if (this.#ok()) ranges.push({ low: Math.min(low, high), high: Math.max(low, high) });
      this.#optional(",");
    }
    if (this.#failed) return;
    this.#out.muxRanges.push({ at: keyword, fileId, signal, switchName, ranges });
    this.#end("SG_MUL_VAL_");
  }

  #ok(): boolean {
    return !this.#failed;
  }

  // What a statement is made of. Once one of these has failed, the others do nothing until the next statement.

  #name(expected: string): string {
    if (this.#failed) return "";
    if (this.#token.kind !== "word") return this.#fail(expected, this.#token);
    if (this.#token.text.includes(".")) return this.#fail(expected, this.#token);
    if (!NAME.test(this.#token.text)) this.#log.add("warning", `the name ${quote(this.#token.text)} holds characters beyond letters, digits and underscore`, this.#token);
    return this.#advance().text;
  }

  #integer(expected: string): number {
    if (this.#failed) return 0;
    if (this.#token.kind !== "word" || !INTEGER.test(this.#token.text)) {
      this.#fail(expected, this.#token);
      return 0;
    }
    return Number(this.#advance().text);
  }

  /** A signed decimal. Infinite only where `limit` is "any" (a declared range). */
  #number(expected: string, limit: "finite" | "any" = "finite"): number {
    if (this.#failed) return 0;
    const sign = this.#at("-") || this.#at("+") ? this.#advance().text : "+";
    if (this.#token.kind !== "word" || !DECIMAL.test(this.#token.text)) {
      this.#fail(expected, this.#token);
      return 0;
    }
    const size = Number(this.#token.text);
    if (limit === "finite" && !Number.isFinite(size)) {
      this.#fail(`${expected} within the range of a double`, this.#token);
      return 0;
    }
    this.#advance();
    return sign === "-" ? -size : size;
  }

  /** A raw value: exact beyond 2^53. */
  #wholeOrNumber(): number | bigint {
    const negative = this.#at("-");
    if (negative || this.#at("+")) this.#advance();
    const text = this.#token.text;
    const value = this.#number("a raw value");
    if (this.#failed || Number.isSafeInteger(value) || !INTEGER.test(text) || text.length > 20) return negative ? -value : value;
    return negative ? -BigInt(text) : BigInt(text);
  }

  #string(expected: string): string {
    if (this.#failed) return "";
    if (this.#token.kind !== "string") return this.#fail(expected, this.#token);
    if (this.#token.unterminated) this.#log.add("error", "a text has no closing quote; read up to the end of its line", this.#token);
    return this.#advance().text;
  }

  #sign(sign: string): void {
    if (this.#failed) return;
    if (this.#at(sign)) this.#advance();
    else this.#fail(`\`${sign}\``, this.#token);
  }

  #eitherSign(one: string, other: string): string {
    if (this.#failed) return one;
    if (this.#at(one) || this.#at(other)) return this.#advance().text;
    return this.#fail(`\`${one}\` or \`${other}\``, this.#token);
  }

  #optional(sign: string): boolean {
    const there = !this.#failed && this.#at(sign);
    if (there) this.#advance();
    return there;
  }

  #end(statement: string): void {
    if (!this.#optional(";")) this.#log.add("warning", `missing \`;\` at the end of ${statement}`, this.#token);
  }

  #fail(expected: string, found: Token): "" {
    this.#failed = true;
    this.#log.add("error", `expected ${expected}, found ${found.kind === "end" ? "the end of the file" : quote(found.text)}`, found);
    return "";
  }

  #at(sign: string): boolean {
    return this.#token.kind === "sign" && this.#token.text === sign;
  }

  #atString(): boolean {
    return !this.#failed && this.#token.kind === "string";
  }

  #atKeyword(): boolean {
    return this.#token.kind === "word" && this.#token.opensLine && KEYWORDS.has(this.#token.text);
  }

  #advance(): Token {
    const token = this.#token;
    this.#token = this.#pushed ?? this.#tokens.next();
    this.#pushed = undefined;
    return token;
  }

  /** The token behind the present one, which becomes the present one. */
  #peekAfter(): Token {
    this.#advance();
    return this.#token;
  }

  #pushBack(token: Token): void {
    this.#pushed = this.#token;
    this.#token = token;
  }

  /** Up to and including `;`, or up to a line that opens with a keyword. */
  #skipStatement(): void {
    while (this.#token.kind !== "end" && !this.#atKeyword()) {
      const token = this.#advance();
      if (token.kind === "sign" && token.text === ";") return;
    }
  }

  #skipToKeyword(): void {
    while (this.#token.kind !== "end" && !this.#atKeyword()) this.#advance();
  }
}
