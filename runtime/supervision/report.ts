// What a supervisor tells when something happens below it: always supervisor, context, reason, offender, restarts (OTP's report, in our words).

import type { Clock, Log } from "../ports/index.ts";
import { attempt } from "../when-rejected.ts";
import { endCauseOf, type EndCause } from "../workers/index.ts";

export type ReportContext =
  | "child_started"
  | "child_restarted"
  /** It ended without being asked to. */
  | "child_terminated"
  | "start_error"
  /** It did not end in order when it was asked to. */
  | "shutdown_error"
  | "degraded"
  | "gave_up"
  /** Its end, as a significant child, ends the supervisor. */
  | "auto_shutdown";

export interface SupervisorReport {
  /** Path of the supervisor in its tree, ids joined by `/`. */
  readonly supervisor: string;
  readonly context: ReportContext;
  readonly reason: string;
  /** Id of the child. */
  readonly offender: string;
  /** Restarts of that child so far. */
  readonly restarts: number;
  /** Wall ms. */
  readonly at: number;
  readonly error?: Error;
  /** The cause as data, where it is known. */
  readonly cause?: EndCause;
}

export type ReportListener = (report: SupervisorReport) => void;

const LEVELS = {
  child_started: "debug",
  child_restarted: "info",
  child_terminated: "warn",
  start_error: "warn",
  shutdown_error: "warn",
  degraded: "error",
  gave_up: "error",
  auto_shutdown: "info",
} as const;

const MESSAGES = {
  child_started: "child started",
  child_restarted: "child restarted",
  child_terminated: "child ended",
  start_error: "child could not start",
  shutdown_error: "child did not end in order",
  degraded: "supervisor degraded",
  gave_up: "supervisor gave up",
  auto_shutdown: "supervisor ends with its significant children",
} as const;

/** Where the reports of one tree go. A listener that throws is logged and stays. */
export class Reports {
  readonly #listeners = new Set<ReportListener>();
  readonly #log: Log;
  readonly #clock: Clock;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  listen(listener: ReportListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(facts: Omit<SupervisorReport, "at" | "cause">): void {
    const cause = endCauseOf(facts.error);
    const report: SupervisorReport = { ...facts, at: this.#clock.now(), ...(cause === undefined ? {} : { cause }) };
    const { error, ...fields } = report;
    this.#log[LEVELS[report.context]](error === undefined ? fields : { ...fields, err: error }, MESSAGES[report.context]);
    const failed = (thrown: unknown): void => {
      this.#log.error({ err: thrown }, "a listener of supervision reports threw");
    };
    for (const listener of this.#listeners) attempt(() => listener(report), failed);
  }
}
