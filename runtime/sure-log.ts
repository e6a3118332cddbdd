// A log that does not throw, for what is told of failures of an author's code: what was thrown may throw again when it is written down (a revoked proxy, a getter), and a log of the host's own
// may fail of its own accord. Neither takes down what it is told of (promise S4).

import { messageOf } from "./message-of.ts";
import type { Log } from "./ports/index.ts";

type Level = "debug" | "info" | "warn" | "error";

export function sureLog(log: Log): Log {
  return log instanceof SureLog ? log : new SureLog(log);
}

/** A class, since each entity has a child. */
class SureLog implements Log {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  debug(fields: object, message: string): void {
    this.#tell("debug", fields, message);
  }

  info(fields: object, message: string): void {
    this.#tell("info", fields, message);
  }

  warn(fields: object, message: string): void {
    this.#tell("warn", fields, message);
  }

  error(fields: object, message: string): void {
    this.#tell("error", fields, message);
  }

  child(fields: object): Log {
    return new SureLog(this.#log.child(fields));
  }

  #tell(level: Level, fields: object, message: string): void {
    try {
      this.#log[level](fields, message);
    } catch {
      this.#tellLess(level, fields, message);
    }
  }

  #tellLess(level: Level, fields: object, message: string): void {
    try {
      this.#log[level](Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, lessOf(value)])), message);
    } catch {
      // Nobody can be told.
    }
  }
}

/** Of whatever is more than a word what it says. */
function lessOf(value: unknown): unknown {
  if (typeof value !== "object" && typeof value !== "function") return value;
  return messageOf(value);
}
