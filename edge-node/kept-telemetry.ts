// What goes into the store-and-forward log, and what becomes of it while the disk takes nothing, full or failing (S5).
//
// D1. Nothing waits for room: what cannot be written is lost at once. It is counted here, and by the log in a gap.
// D2. While nothing can be written that is tried once a second, at the cost of no entry; the gap is what is written first.
// D3. The log of the node is told when it begins, when it ends, and every ten minutes: it has the same disk.

import type { SampleRecord } from "../protocols/uplink/index.ts";
import type { AppendLog, Clock, Log, LogClass, LogEntry, MetricsSource } from "../runtime/ports/index.ts";

const TRY_EVERY_MS = 1_000;
const SAY_EVERY_MS = 600_000;
/** A disk that has room on and off. */
const SAY_AGAIN_AFTER_MS = 60_000;

export interface TelemetryTrouble {
  /** Wall ms. */
  readonly since: number;
  readonly reason: string;
  /** Entries lost in it. */
  readonly lost: number;
}

export interface KeptTelemetry {
  /** False: it could not be written (D1). Never rejects. @param sample what the entry holds, where the cloud may be shown it at once */
  keep(entry: LogEntry, sample?: SampleRecord): Promise<boolean>;
  /** There as long as nothing can be written. */
  readonly trouble: TelemetryTrouble | undefined;
  beat(nowMs: number): void;
  readonly metrics: MetricsSource;
}

export interface KeptTelemetryOptions {
  readonly telemetry: Pick<AppendLog, "append" | "tellLosses">;
  readonly clock: Clock;
  readonly log: Log;
  readonly appended: (seq: number, sample: SampleRecord | undefined) => void;
}

export function keptTelemetry({ telemetry, clock, log, appended }: KeptTelemetryOptions): KeptTelemetry {
  const unwritten: Record<LogClass, number> = { A: 0, B: 0, C: 0 };
  let trouble: TelemetryTrouble | undefined;
  let isTrying = false;
  let tryMs = Number.NEGATIVE_INFINITY;
  let sayMs = Number.NEGATIVE_INFINITY;
  /** Whether the log was told that it began. */
  let isSaid = false;

  function failed(error: unknown, lost: number): void {
    const nowMs = clock.monotonic();
    if (trouble === undefined) tryMs = nowMs + TRY_EVERY_MS;
    trouble = { since: trouble?.since ?? clock.now(), reason: error instanceof Error ? error.message : String(error), lost: (trouble?.lost ?? 0) + lost };
    if (nowMs < sayMs) return;
    sayMs = nowMs + SAY_EVERY_MS;
    isSaid = true;
    log.error({ err: error, since: new Date(trouble.since).toISOString(), lost: trouble.lost }, "telemetry cannot be kept; what is lost is counted");
  }

  function recovered(): void {
    if (trouble === undefined) return;
    if (isSaid) log.info({ since: new Date(trouble.since).toISOString(), lost: trouble.lost }, "telemetry is kept again; a gap says what was lost");
    trouble = undefined;
    isSaid = false;
    sayMs = Math.min(sayMs, clock.monotonic() + SAY_AGAIN_AFTER_MS);
  }

  async function tryAgain(): Promise<void> {
    try {
      const seq = await telemetry.tellLosses();
      // Nothing to tell: an append that is under way has it along, and shows whether there is room.
      if (seq === undefined) return;
      recovered();
      appended(seq, undefined);
    } catch (error) {
      failed(error, 0);
    }
  }

  return {
    keep: async (entry, sample) => {
      try {
        const [seq] = await telemetry.append([entry]);
        recovered();
        if (seq !== undefined) appended(seq, sample);
        return true;
      } catch (error) {
        unwritten[entry.class]++;
        failed(error, 1);
        return false;
      }
    },
    get trouble() {
      return trouble;
    },
    beat: (nowMs) => {
      if (trouble === undefined || isTrying || nowMs < tryMs) return;
      tryMs = nowMs + TRY_EVERY_MS;
      isTrying = true;
      void tryAgain().finally(() => {
        isTrying = false;
      });
    },
    metrics: () => [
      { name: "drover_telemetry_failing", help: "1 while nothing can be written into the telemetry log.", kind: "gauge", value: trouble === undefined ? 0 : 1 },
      ...(["A", "B", "C"] as const).map((logClass) => ({
        name: "drover_telemetry_unwritten_total",
        help: "Telemetry that could not be written since the start: alarms and sent frames (A), samples (B), bulk (C).",
        kind: "counter" as const,
        value: unwritten[logClass],
        labels: { class: logClass },
      })),
    ],
  };
}
