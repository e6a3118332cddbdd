// The event of a message, from what was typed: `output=galley level=255`.
//
// E1. A value that reads as JSON is that value (255, true, null, "255", [1], {"a":1}); everything else is a text.
// E2. `type` is the event's own word and never a field.

import type { Readable } from "node:stream";
import { CommandFailure, EXIT } from "../terminal/index.ts";

export interface TypedEvent {
  readonly type: string;
  /** `key=value` each. */
  readonly fields: readonly string[];
}

const MAX_BODY_CHARACTERS = 1_048_576;

/** @param body all fields as a JSON object, or `-` for `input`; single fields win over it. @throws CommandFailure (exit 2) */
export async function eventOf(typed: TypedEvent, body: string | undefined, input: Readable): Promise<{ readonly type: string; readonly [field: string]: unknown }> {
  const whole = body === undefined ? {} : objectIn(body === "-" ? await textOf(input) : body);
  const single = Object.fromEntries(typed.fields.map(fieldOf));
  return { ...whole, ...single, type: typed.type };
}

function fieldOf(text: string): readonly [string, unknown] {
  const equals = text.indexOf("=");
  if (equals < 1) throw usage(`"${text.slice(0, 80)}" is no field`, "Write key=value, e.g. level=255.");
  const key = text.slice(0, equals);
  if (key === "type") throw usage("the type of an event is no field of it", "The type stands before the fields.");
  return [key, valueOf(text.slice(equals + 1))];
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usage(`--body is not JSON: ${(error as Error).message}`, "Write one JSON object, e.g. --body '{\"level\": 255}'.");
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw usage("--body is no JSON object", "Write one JSON object, e.g. --body '{\"level\": 255}'.");
}

async function textOf(input: Readable): Promise<string> {
  let text = "";
  for await (const chunk of input) {
    text += String(chunk);
    if (text.length > MAX_BODY_CHARACTERS) throw usage(`the body has more than ${String(MAX_BODY_CHARACTERS)} characters`, "Send less.");
  }
  return text;
}

function usage(detail: string, advice: string): CommandFailure {
  return new CommandFailure({ code: "usage", title: "The message cannot be read.", detail, advice, exit: EXIT.usage });
}
