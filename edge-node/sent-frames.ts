// Every frame that was sent, with author and cause (vehicle X1): in the node's log and, as class A, in the telemetry log, which the cloud hears of first.

import { encodeSample } from "../protocols/uplink/index.ts";
import type { CanFrame } from "../protocols/can/index.ts";
import type { Clock, Log } from "../runtime/ports/index.ts";
import type { KeptTelemetry } from "./kept-telemetry.ts";

export interface SentFrame {
  readonly bus: string;
  readonly frame: CanFrame;
  /** Address of the module's actor. */
  readonly actor: string;
  readonly command: string;
  readonly output: string | undefined;
  /** The command's key within its actor. */
  readonly key: string;
  readonly author: string | undefined;
  /** Id of the message that caused it. */
  readonly cause: string | undefined;
  /** `unknown`: no echo came. */
  readonly outcome: "sent" | "unknown";
}

export interface SentFrames {
  record(sent: SentFrame): void;
}

export function sentFrames({ telemetry, clock, log }: { readonly telemetry: Pick<KeptTelemetry, "keep">; readonly clock: Clock; readonly log: Log }): SentFrames {
  return {
    record: ({ bus, frame, ...cause }) => {
      const at = clock.now();
      const sent = { bus, id: frame.id.toString(16).toUpperCase(), data: hex(frame.data), ...cause };
      log.info(sent, "frame sent");
      // A sample without values: whoever reads only values passes over it.
      const bytes = encodeSample({ at, values: {}, ...{ sent } });
      void telemetry.keep({ at, class: "A", bytes });
    },
  };
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join("");
}
