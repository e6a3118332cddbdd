// The trace of a turn as lines for people: what came, which guards said what, where it led, what would leave.

import { oneLine } from "../terminal/index.ts";
import { stateText } from "./actor-item.ts";

/** An entry as the API gives it; what this command does not know is passed over. */
export interface TraceItem {
  readonly kind: string;
  readonly cell?: string;
  readonly input?: {
    readonly kind?: string;
    readonly to?: string;
    readonly event?: { readonly type?: string };
    readonly sender?: { readonly author?: string; readonly entity?: string };
  };
  readonly guard?: string;
  readonly params?: unknown;
  readonly passed?: boolean | null;
  readonly event?: { readonly type?: string };
  readonly transitions?: readonly { readonly source: string; readonly targets: readonly string[]; readonly actions: readonly string[] }[];
  readonly state?: unknown;
  readonly context?: unknown;
  readonly result?: { readonly kind?: string; readonly error?: string; readonly reason?: string };
  readonly effect?: {
    readonly kind?: string;
    readonly name?: string;
    readonly params?: unknown;
    readonly row?: { readonly to?: string; readonly event?: { readonly type?: string } };
  };
}

/** One entry of the list for each entry of the trace, so that a debugger can go through them one by one. */
export function traceLines(trace: readonly TraceItem[]): readonly string[] {
  const contexts = new Map<string, unknown>();
  return trace.map((item) => oneLine(lineOf(item, contexts)));
}

function lineOf(item: TraceItem, contexts: Map<string, unknown>): string {
  const { cell = "" } = item;
  switch (item.kind) {
    case "input": {
      const { kind = "", to, event, sender } = item.input ?? {};
      const from = sender?.author ?? sender?.entity;
      return `> ${event?.type ?? `(${kind})`}${to === undefined ? "" : ` to ${to}`}${from === undefined ? "" : ` from ${from}`}`;
    }
    case "guard":
      return `    guard ${item.guard ?? ""}${given(item.params)}: ${item.passed === null ? "threw" : item.passed === true ? "yes" : "no"}`;
    case "transition": {
      const ways = (item.transitions ?? []).map(({ source, targets, actions }) => {
        const where = targets.length === 0 ? `${source} stays` : `${source} -> ${targets.join(", ")}`;
        return actions.length === 0 ? where : `${where} (${actions.join(", ")})`;
      });
      return `  ${cell}: ${item.event?.type ?? ""}: ${ways.join("; ")}; now ${stateText(item.state)}${changes(cell, item.context, contexts)}`;
    }
    case "step":
      return `  ${cell}: ${item.event?.type ?? ""}${changes(cell, item.context, contexts)}`;
    case "result": {
      const { kind = "", error, reason } = item.result ?? {};
      return `= ${kind}${error === undefined && reason === undefined ? "" : `: ${error ?? reason ?? ""}`}`;
    }
    case "effect": {
      const { kind = "", name, params, row } = item.effect ?? {};
      return `  would leave: ${name ?? kind}${row === undefined ? "" : ` ${row.event?.type ?? ""} to ${row.to ?? ""}`}${given(params)}`;
    }
    default:
      return item.kind;
  }
}

function given(params: unknown): string {
  return params === undefined || params === null ? "" : ` ${JSON.stringify(params)}`;
}

/** The fields of the context that this step has changed; at its first step all of them are shown. */
function changes(cell: string, context: unknown, contexts: Map<string, unknown>): string {
  const before = contexts.get(cell);
  contexts.set(cell, context);
  if (typeof context !== "object" || context === null) return "";
  const old = (typeof before === "object" && before !== null ? before : {}) as Readonly<Record<string, unknown>>;
  const changed = Object.entries(context).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(old[key]));
  return changed.length === 0 ? "" : `; ${changed.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(" ")}`;
}
