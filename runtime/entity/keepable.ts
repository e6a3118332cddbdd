// An input as a durable entity takes it: exactly what its record will hold, so that a replay sees the same (rules R1).

import { isA } from "../is-a.ts";
import { type CodecHost, decodeData, encodeData, encodedSize, encodeTold, NotCarried } from "../xstate/index.ts";
import type { EventData, Input, InputResult, SourceSaid } from "./contract.ts";
import { messageOf } from "../message-of.ts";
import { NotPlain, plainCopy } from "./plain.ts";
import { MAX_INPUT_BYTES } from "./table-limits.ts";

/** The same input with copied data, or why it cannot be taken. */
export function keepable(input: Input, host: CodecHost): Input | { readonly refusal: InputResult } {
  try {
    switch (input.kind) {
      case "message":
        return { ...input, event: plainCopy(input.event) as EventData };
      case "source":
        return { ...input, said: keepableWord(input.said, host) };
      case "performed":
        return keepablePerformed(input, host);
      case "attempt":
        // It holds one that was taken, and must be taken.
        return decodeData(encodeData(input, host), host) as Input;
      default:
        return copied(input, host);
    }
  } catch (error) {
    if (input.kind === "message" || input.kind === "start" || input.kind === "children") {
      const path = isA(error, NotPlain) || isA(error, NotCarried) ? error.path : "";
      return { refusal: { kind: "invalid", problems: [{ path, message: messageOf(error) }], accepts: [] } };
    }
    return { refusal: { kind: "dropped", reason: messageOf(error) } };
  }
}

/** @throws NotCarried, and Error for what is too large for a record */
function copied<V>(value: V, host: CodecHost): V {
  const plain = encodeTold(value, host);
  const bytes = encodedSize();
  if (bytes > MAX_INPUT_BYTES) throw new Error(`about ${String(bytes)} bytes are more than the ${String(MAX_INPUT_BYTES)} that an input may have`);
  return decodeData(plain, host) as V;
}

/** A source that says what cannot be kept has failed. */
function keepableWord(said: SourceSaid, host: CodecHost): SourceSaid {
  try {
    return copied(said, host);
  } catch (error) {
    return decodeData(encodeData({ kind: "error", error: new Error(`what the source said cannot be kept: ${messageOf(error)}`) }, host), host) as SourceSaid;
  }
}

/** Whatever became of the effect: its actor must hear that it is over (rules F2). */
function keepablePerformed(input: Extract<Input, { kind: "performed" }>, host: CodecHost): Input {
  try {
    return copied(input, host);
  } catch (error) {
    return { ...input, outcome: { kind: "unknown", reason: `what the effect said of its end cannot be kept: ${messageOf(error)}` } };
  }
}
