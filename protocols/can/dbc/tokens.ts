// DBC text → tokens. Token based because strings span lines and may hold `;` or `BO_`. Linear time: a string without an end is closed at the end of its line, and from then on no
// string crosses a line (otherwise a file full of quotes would be scanned again for each of them).
//
// T1. A missing closing quote makes a string swallow statements up to the next opening quote. A string with a statement's keyword at the start of one of its lines is suspect; it is closed at
//     the end of its first line where the quote that ends it stands right before something, as opening quotes do. Texts may quote such lines: what ends properly is kept whole.

export type TokenKind = "word" | "string" | "sign" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** The word, the string's content, or one character of punctuation. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** First on its line. */
  readonly opensLine: boolean;
  /** A string whose closing quote is missing. */
  readonly unterminated: boolean;
  /** A string with what looks like a statement in it (T1). */
  readonly suspect?: boolean;
}

/** What opens a line in a string that lost its closing quote. */
const STATEMENT =
  /[ \t]*(?:BO_[ \t]+[0-9]|SG_[ \t]+\w|BU_[ \t]*:|CM_[ \t]+(?:"|[BSE][UOGV]_)|BA_(?:DEF_(?:DEF_)?)?[ \t]+(?:"|[BSE][UOGV]_)|VAL_(?:TABLE_)?[ \t]+\w|(?:SIG_VALTYPE_|SG_MUL_VAL_|SIG_GROUP_|BO_TX_BU_)[ \t]+[0-9])/y;
/** What may follow a closing quote directly. */
const BEHIND_STRING = /[\s;,]|$/y;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LF = 0x0a;
const CR = 0x0d;
const SLASH = 0x2f;

/** Letters, digits, underscore, dot (numbers) and everything beyond ASCII. */
function isWordCode(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f || code === 0x2e || (code >= 0xa1 && code !== 0xfeff);
}

/** NUL and other control characters count as white space: they occur in broken files. */
function isBlankCode(code: number): boolean {
  return code <= 0x20 || (code >= 0x7f && code <= 0xa0) || code === 0xfeff;
}

/** Yields tokens one by one; the last has kind `end` and is repeated. */
export class DbcTokens {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #opensLine = true;
  #multilineStrings = true;

  constructor(text: string) {
    this.#text = text;
  }

  next(): Token {
    this.#skipBlanks();
    const text = this.#text;
    const start = this.#at;
    const opensLine = this.#opensLine;
    const line = this.#line;
    const column = start - this.#lineStart + 1;
    this.#opensLine = false;
    if (start >= text.length) return { kind: "end", text: "end of file", line, column, opensLine: true, unterminated: false };
    const code = text.charCodeAt(start);
    if (code === QUOTE) return this.#string(line, column, opensLine);
    if (!isWordCode(code)) {
      this.#at = start + 1;
      return { kind: "sign", text: text.charAt(start), line, column, opensLine, unterminated: false };
    }
    let end = start + 1;
    while (end < text.length && (isWordCode(text.charCodeAt(end)) || this.#isExponentSign(start, end))) end++;
    this.#at = end;
    return { kind: "word", text: text.slice(start, end), line, column, opensLine, unterminated: false };
  }

  /** The sign in `1E-05`; `1+` (size, then sign of the value type) and `x1e-` (a name) are not. */
  #isExponentSign(start: number, at: number): boolean {
    const sign = this.#text.charCodeAt(at);
    if (sign !== 0x2b && sign !== 0x2d) return false;
    const next = this.#text.charCodeAt(at + 1);
    return next >= 0x30 && next <= 0x39 && at - start <= 400 && /^(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE]$/.test(this.#text.slice(start, at));
  }

  #string(line: number, column: number, opensLine: boolean): Token {
    const text = this.#text;
    const start = this.#at + 1;
    let end = start;
    let escapes = false;
    let lines = 0;
    let lastLineStart = this.#lineStart;
    let suspect = false;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === QUOTE) break;
      if (code === BACKSLASH && text.charCodeAt(end + 1) === QUOTE) {
        escapes = true;
        end++;
      } else if (code === LF || (code === CR && text.charCodeAt(end + 1) !== LF)) {
        if (!this.#multilineStrings) break;
        lines++;
        lastLineStart = end + 1;
        suspect ||= isMatch(STATEMENT, text, end + 1);
      }
    }
    const isClosed = end < text.length && text.charCodeAt(end) === QUOTE;
    // With escaped quotes in it the lines would be scanned again from each of them.
    if (isClosed && suspect && !escapes && !isMatch(BEHIND_STRING, text, end + 1)) {
      this.#at = this.#lineEnd(start);
      return { kind: "string", text: text.slice(start, this.#at), line, column, opensLine, unterminated: true, suspect };
    }
    if (isClosed) {
      this.#at = end + 1;
      this.#line += lines;
      this.#lineStart = lastLineStart;
      return { kind: "string", text: unescape(text.slice(start, end), escapes), line, column, opensLine, unterminated: false, suspect };
    }
    this.#multilineStrings = false;
    const lineEnd = this.#lineEnd(start);
    this.#at = lineEnd;
    return { kind: "string", text: text.slice(start, lineEnd), line, column, opensLine, unterminated: true };
  }

  #lineEnd(from: number): number {
    const end = /[\r\n]/g;
    end.lastIndex = from;
    return end.exec(this.#text)?.index ?? this.#text.length;
  }

  #skipBlanks(): void {
    const text = this.#text;
    for (; this.#at < text.length; this.#at++) {
      const code = text.charCodeAt(this.#at);
      if (code === LF || (code === CR && text.charCodeAt(this.#at + 1) !== LF)) {
        this.#line++;
        this.#lineStart = this.#at + 1;
        this.#opensLine = true;
      } else if (code === SLASH && text.charCodeAt(this.#at + 1) === SLASH) {
        // Not in the format, but written by hand in real files: a comment up to the end of the line.
        this.#at = this.#lineEnd(this.#at) - 1;
      } else if (!isBlankCode(code)) return;
    }
  }
}

function isMatch(sticky: RegExp, text: string, at: number): boolean {
  sticky.lastIndex = at;
  return sticky.test(text);
}

function unescape(text: string, escapes: boolean): string {
  return escapes ? text.replaceAll('\\"', '"') : text;
}
