// DBC text → tokens. Token based because strings span lines and may hold `;` or `BO_`. Linear time: a string without an end is closed at the end of its line, and from then on no
// string crosses a line (otherwise a file full of quotes would be scanned again for each of them).

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
}

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
      }
    }
    if (end < text.length && text.charCodeAt(end) === QUOTE) {
      this.#at = end + 1;
      this.#line += lines;
      this.#lineStart = lastLineStart;
      return { kind: "string", text: unescape(text.slice(start, end), escapes), line, column, opensLine, unterminated: false };
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

function unescape(text: string, escapes: boolean): string {
  return escapes ? text.replaceAll('\\"', '"') : text;
}
