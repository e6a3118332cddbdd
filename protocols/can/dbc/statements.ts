// Text → statements. Never throws for what a file holds: a statement that cannot be read is left out with a diagnostic (cursor.ts). Each round of the main loop consumes at least one
// token, so it ends.

import type { AttributeType, AttributeValue, MuxRange } from "../model/index.ts";
import { DbcCursor } from "./cursor.ts";
import { type DiagnosticLog, quote } from "./diagnostics.ts";
import { KEYWORDS, NEW_SYMBOLS } from "./keywords.ts";
import type { DbcSyntax, LostSignal, MessageSyntax, SignalSyntax, Target } from "./syntax.ts";
import type { Token } from "./tokens.ts";

const MUX_MARK = /^(?:M|m([0-9]*)(M?))$/;

const MAX_SWITCH_VALUE = 2 ** 64;

/** Reads all statements of `text`; whatever is wrong goes to `log`. */
export function readStatements(text: string, log: DiagnosticLog): DbcSyntax {
  return new StatementReader(text, log).read();
}

class StatementReader {
  readonly #cursor: DbcCursor;
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
  /** The message that SG_ lines belong to; "lost" while they belong to one that could not be read. */
  #message: MessageSyntax | "none" | "lost" = "none";
  /** The last statement that was one is a message or a signal: what cannot be told here may have been a signal. */
  #isAmongSignals = false;

  constructor(text: string, log: DiagnosticLog) {
    this.#cursor = new DbcCursor(text, KEYWORDS, log);
    this.#log = log;
  }

  read(): DbcSyntax {
    while (this.#cursor.token.kind !== "end") {
      this.#cursor.begin();
      const keyword = this.#cursor.advance();
      if (keyword.kind === "word" && KEYWORDS.has(keyword.text)) {
        this.#out.statements++;
        this.#isAmongSignals = keyword.text === "BO_" || keyword.text === "SG_";
      }
      this.#statement(keyword);
      if (!this.#cursor.ok()) this.#cursor.skipStatement();
    }
    this.#log.about = undefined;
    this.#out.end = this.#cursor.token;
    return this.#out;
  }

  #statement(keyword: Token): void {
    const message = this.#isAmongSignals && keyword.text !== "BO_" ? this.#message : "none";
    this.#log.about = typeof message === "string" ? undefined : message.at;
    if (keyword.kind === "sign" && keyword.text === ";") return;
    switch (keyword.kind === "word" ? keyword.text : "") {
      case "VERSION":
        this.#out.version = this.#cursor.string("the version in quotes");
        return;
      case "NS_":
        return this.#newSymbols();
      case "BS_":
        return this.#cursor.skipToKeyword();
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
        if (keyword.kind === "word" && KEYWORDS.has(keyword.text)) return this.#cursor.skipStatement();
        this.#log.add("error", "unknown-statement", `expected a statement such as BO_ or CM_, found ${quote(keyword.text)}`, keyword);
        if (this.#isAmongSignals) this.#lose({ at: keyword, name: "", isSwitch: undefined });
        this.#cursor.giveUp();
    }
  }

  #newSymbols(): void {
    this.#cursor.sign(":");
    while (this.#cursor.ok() && this.#cursor.token.kind === "word" && NEW_SYMBOLS.has(this.#cursor.token.text)) {
      const symbol = this.#cursor.token;
      // An entry of the list stands alone on its line; a statement with the same keyword goes on behind it.
      const next = this.#cursor.peekAfter();
      if (!next.opensLine && !NEW_SYMBOLS.has(next.text)) {
        this.#cursor.pushBack(symbol);
        return;
      }
    }
  }

  #nodes(): void {
    this.#cursor.sign(":");
    while (this.#cursor.ok() && this.#cursor.token.kind === "word" && !(this.#cursor.token.opensLine && KEYWORDS.has(this.#cursor.token.text))) {
      this.#out.nodes.push(this.#cursor.advance().text);
      this.#cursor.optional(",");
    }
    this.#cursor.optional(";");
  }

  #messageHead(keyword: Token): void {
    this.#message = "lost";
    const fileId = this.#cursor.integer("the message's id");
    const name = this.#cursor.name("the message's name");
    this.#cursor.sign(":");
    const length = this.#cursor.integer("the message's length in bytes");
    const sender = this.#cursor.token.kind === "word" && !this.#cursor.token.opensLine ? this.#cursor.advance().text : "Vector__XXX";
    if (!this.#cursor.ok()) return;
    this.#message = { at: keyword, fileId, name, length, sender, signals: [], lost: [] };
    this.#out.messages.push(this.#message);
  }

  #signal(keyword: Token): void {
    const name = this.#cursor.name("the signal's name");
    const muxMark = this.#muxMark();
    this.#cursor.sign(":");
    const isMarkRead = this.#cursor.ok();
    const start = this.#cursor.integer("the start bit");
    this.#cursor.sign("|");
    const size = this.#cursor.integer("the size in bits");
    this.#cursor.sign("@");
    const order = this.#cursor.integer("the byte order, 0 or 1");
    const signed = this.#cursor.eitherSign("+", "-") === "-";
    this.#cursor.sign("(");
    const factor = this.#cursor.wholeOrNumber("the factor");
    this.#cursor.sign(",");
    const offset = this.#cursor.wholeOrNumber("the offset");
    this.#cursor.sign(")");
    this.#cursor.sign("[");
    const min = this.#cursor.wholeOrNumber("the minimum", "any");
    this.#cursor.sign("|");
    const max = this.#cursor.wholeOrNumber("the maximum", "any");
    this.#cursor.sign("]");
    const unit = this.#cursor.string("the unit in quotes");
    const receivers = this.#cursor.ok() ? this.#receivers() : [];
    if (!this.#cursor.ok()) return this.#lose({ at: keyword, name, isSwitch: muxMark.isSwitch || (isMarkRead ? false : undefined) });
    if (order > 1) this.#log.add("error", "byte-order", `byte order ${String(order)} of signal ${quote(name)} is neither 0 nor 1; read as 1 (Intel)`, keyword);
    const signal: SignalSyntax = { at: keyword, name, muxMark, start, size, motorola: order === 0, signed, factor, offset, min, max, unit, receivers };
    if (this.#message === "none") this.#log.add("error", "signal-without-message", `signal ${quote(name)} stands before any message`, keyword);
    else if (this.#message !== "lost") this.#message.signals.push(signal);
  }

  #lose(signal: LostSignal): void {
    if (this.#message !== "none" && this.#message !== "lost") this.#message.lost.push(signal);
  }

  #muxMark(): SignalSyntax["muxMark"] {
    const none = { isSwitch: false, isChild: false, value: undefined };
    if (!this.#cursor.ok() || this.#cursor.token.kind !== "word") return none;
    const token = this.#cursor.advance();
    const match = MUX_MARK.exec(token.text);
    if (match === null) {
      this.#cursor.fail("`:` or a multiplexer mark (M, m1, m1M)", token);
      return none;
    }
    if (token.text === "M") return { isSwitch: true, isChild: false, value: undefined };
    const digits = match[1] ?? "";
    if (Number(digits) > MAX_SWITCH_VALUE) this.#cursor.fail("a switch value in at most 64 bits", token);
    return { isSwitch: match[2] === "M", isChild: true, value: digits === "" ? undefined : Number(digits) };
  }

  #receivers(): string[] {
    const names: string[] = [];
    let more = true;
    while (this.#cursor.token.kind === "word" && (more || !this.#cursor.token.opensLine) && !KEYWORDS.has(this.#cursor.token.text)) {
      if (this.#cursor.token.opensLine && names.length === 0) break;
      names.push(this.#cursor.advance().text);
      more = this.#cursor.optional(",");
    }
    return names;
  }

  #senders(keyword: Token): void {
    const fileId = this.#cursor.integer("the message's id");
    this.#cursor.optional(":");
    const names: string[] = [];
    while (this.#cursor.ok() && this.#cursor.token.kind === "word" && !this.#cursor.atKeyword()) {
      names.push(this.#cursor.advance().text);
      this.#cursor.optional(",");
    }
    if (!this.#cursor.ok()) return;
    this.#out.senders.push({ at: keyword, fileId, names });
    this.#cursor.end("BO_TX_BU_");
  }

  #valueTable(): void {
    const name = this.#cursor.name("the table's name");
    if (!this.#cursor.ok()) return;
    this.#out.valueTables.set(name, this.#entries());
    if (this.#cursor.ok()) this.#cursor.end("VAL_TABLE_");
  }

  #labels(keyword: Token): void {
    const target = this.#labelsTarget();
    if (!this.#cursor.ok()) return;
    const labels = this.#cursor.atName() ? this.#cursor.advance().text : this.#entries();
    if (!this.#cursor.ok()) return;
    this.#out.labels.push({ at: keyword, target, labels });
    this.#cursor.end("VAL_");
  }

  #labelsTarget(): Target {
    if (this.#cursor.atInteger()) {
      const fileId = this.#cursor.integer("the message's id");
      return { kind: "signal", fileId, signal: this.#cursor.name("the signal's name") };
    }
    return { kind: "environment", name: this.#cursor.name("a message's id or an environment variable") };
  }

  #entries(): ReadonlyMap<number | bigint, string> {
    const entries = new Map<number | bigint, string>();
    while (this.#cursor.ok() && !this.#cursor.at(";") && !this.#cursor.atKeyword() && this.#cursor.token.kind !== "end") {
      const raw = this.#cursor.wholeOrNumber("a raw value");
      const text = this.#cursor.string("a label in quotes");
      if (this.#cursor.ok()) entries.set(raw, text);
    }
    return entries;
  }

  #comment(keyword: Token): void {
    const target = this.#commentTarget(keyword);
    const text = this.#cursor.string("the comment in quotes");
    if (!this.#cursor.ok()) return;
    this.#out.comments.push({ at: keyword, target, text });
    this.#cursor.end("CM_");
  }

  #commentTarget(keyword: Token): Target {
    if (this.#cursor.atInteger()) {
      this.#log.add("warning", "comment-target", "a comment's id without BO_ is read as a message's", keyword);
      return { kind: "message", fileId: this.#cursor.integer("the message's id") };
    }
    return this.#target("string");
  }

  /** BU_ node, BO_ id, SG_ id name, EV_ name, or nothing for the network. `before` is the kind of token that follows. */
  #target(before: "string" | "value"): Target {
    if (this.#cursor.token.kind !== "word") return { kind: "network" };
    switch (this.#cursor.token.text) {
      case "BU_":
        this.#cursor.advance();
        return { kind: "node", name: this.#cursor.name("a node's name") };
      case "EV_":
        this.#cursor.advance();
        return { kind: "environment", name: this.#cursor.name("an environment variable's name") };
      case "BO_":
        this.#cursor.advance();
        return { kind: "message", fileId: this.#cursor.integer("the message's id") };
      case "SG_": {
        const at = this.#cursor.advance();
        const fileId = this.#cursor.integer("the message's id");
        if (before === "string" && this.#cursor.atString()) {
          this.#log.add("warning", "comment-target", "a comment on a signal that it does not name is read as the message's", at);
          return { kind: "message", fileId };
        }
        return { kind: "signal", fileId, signal: this.#cursor.name("the signal's name") };
      }
      default:
        return { kind: "network" };
    }
  }

  #attributeType(): void {
    const owners = { BU_: "node", BO_: "message", SG_: "signal", EV_: "environment" } as const;
    const word = this.#cursor.token.kind === "word" ? this.#cursor.token.text : "";
    const owner = word === "BU_" || word === "BO_" || word === "SG_" || word === "EV_" ? owners[word] : "network";
    if (owner !== "network") this.#cursor.advance();
    const name = this.#cursor.string("the attribute's name in quotes");
    const kind = this.#cursor.name("INT, HEX, FLOAT, STRING or ENUM");
    if (!this.#cursor.ok()) return;
    this.#out.attributeTypes.set(name, { owner, type: this.#typeCalled(kind, name) });
    this.#cursor.skipStatement();
  }

  #typeCalled(kind: string, attribute: string): AttributeType {
    switch (kind) {
      case "STRING":
        return { kind: "string" };
      case "ENUM":
        return { kind: "enum", labels: this.#enumLabels() };
      case "INT":
        return { kind: "integer", ...this.#range() };
      case "HEX":
        return { kind: "hex", ...this.#range() };
      case "FLOAT":
        return { kind: "float", ...this.#range() };
      default:
        this.#log.add("error", "attribute-type", `attribute ${quote(attribute)} is of unknown type ${quote(kind)}; read as FLOAT`, this.#cursor.token);
        return { kind: "float", ...this.#range() };
    }
  }

  /** It stands where numbers can be; without one there is none. */
  #range(): { readonly min: number | undefined; readonly max: number | undefined } {
    const end = (): number | undefined => (this.#cursor.atNumber() ? this.#cursor.number("the end of a range", "any") : undefined);
    const min = end();
    return { min, max: end() };
  }

  #enumLabels(): string[] {
    const labels: string[] = [];
    while (this.#cursor.token.kind === "string" && !this.#cursor.token.unterminated) {
      labels.push(this.#cursor.advance().text);
      this.#cursor.optional(",");
    }
    return labels;
  }

  #attributeDefault(): void {
    const name = this.#cursor.string("the attribute's name in quotes");
    const value = this.#attributeValue();
    if (!this.#cursor.ok()) return;
    this.#out.attributeDefaults.set(name, value);
    this.#cursor.end("BA_DEF_DEF_");
  }

  #attribute(keyword: Token): void {
    const name = this.#cursor.string("the attribute's name in quotes");
    const target = this.#cursor.ok() ? this.#target("value") : { kind: "network" as const };
    const value = this.#attributeValue();
    if (!this.#cursor.ok()) return;
    this.#out.attributes.push({ at: keyword, name, target, value });
    this.#cursor.end("BA_");
  }

  #attributeValue(): AttributeValue {
    return this.#cursor.token.kind === "string" ? this.#cursor.string("a value") : this.#cursor.number("a number or a text in quotes");
  }

  #valueType(keyword: Token): void {
    const fileId = this.#cursor.integer("the message's id");
    const signal = this.#cursor.name("the signal's name");
    this.#cursor.optional(":");
    const type = this.#cursor.integer("1 (32-bit float) or 2 (64-bit float)");
    if (!this.#cursor.ok()) return;
    this.#out.valueTypes.push({ at: keyword, fileId, signal, type });
    this.#cursor.end("SIG_VALTYPE_");
  }

  #muxRanges(keyword: Token): void {
    const fileId = this.#cursor.integer("the message's id");
    const signal = this.#cursor.name("the signal's name");
    const switchName = this.#cursor.name("the name of its switch");
    const ranges: MuxRange[] = [];
    while (this.#cursor.ok() && this.#cursor.atInteger()) {
      const low = this.#cursor.integer("the lower end of a range");
      this.#cursor.sign("-");
      const high = this.#cursor.integer("the upper end of a range");
      if (this.#cursor.ok()) ranges.push({ low: Math.min(low, high), high: Math.max(low, high) });
      this.#cursor.optional(",");
    }
    if (!this.#cursor.ok()) return;
    this.#out.muxRanges.push({ at: keyword, fileId, signal, switchName, ranges });
    this.#cursor.end("SG_MUL_VAL_");
  }
}
