// Waits until a module's upload port takes a connection, by trying (issue 5: never a fixed time).
//
// P1. Ends within `withinMs`, and at once when the signal says so; no try outlasts the wait, and nothing stays armed or listening behind it.
// P2. A try connects and hangs up: it says nothing, so that it cannot be taken for an upload.

import { connect } from "node:net";
import { type Clock, settledWithin } from "../../runtime/ports/index.ts";
import { moduleAddress, oneLookup } from "./module-address.ts";

export interface AwaitPortOptions {
  /** From now, ms. */
  readonly withinMs: number;
  readonly signal?: AbortSignal;
  /** Between the end of a try and the next, ms; default 250. */
  readonly betweenTriesMs?: number;
  /** Of one try, name and connection, ms; default 2000: a host that is not there may not answer at all. */
  readonly tryMs?: number;
}

export type PortOutcome =
  | { readonly kind: "open"; readonly afterMs: number; readonly tries: number }
  /** @param cause what the last try met */
  | { readonly kind: "no-port"; readonly afterMs: number; readonly tries: number; readonly cause: string }
  | { readonly kind: "aborted"; readonly afterMs: number; readonly tries: number };

/** @throws DROVER_CONFIG_INVALID for what is no http URL */
export async function awaitPort(url: string, options: AwaitPortOptions, { clock }: { readonly clock: Clock }): Promise<PortOutcome> {
  const { withinMs, signal, betweenTriesMs = 250, tryMs = 2_000 } = options;
  const { host, port } = moduleAddress(url);
  const find = oneLookup();
  const beganAt = clock.monotonic();
  const over = new AbortController();
  const end = (): void => {
    over.abort();
  };
  const timer = clock.setTimeout(end, withinMs);
  signal?.addEventListener("abort", end);
  if (signal?.aborted === true) end();
  const isOver = (): boolean => over.signal.aborted;
  let tries = 0;
  let cause = "no try was made";
  try {
    while (!isOver()) {
      tries++;
      const missed = await tryOnce(find, host, port, tryMs, over.signal, clock);
      if (missed === undefined) return { kind: "open", afterMs: clock.monotonic() - beganAt, tries };
      // What the end of the wait does to a try is no finding.
      if (!isOver() || tries === 1) cause = missed;
      await settledWithin(new Promise(() => undefined), clock, betweenTriesMs, over.signal);
    }
  } finally {
    clock.clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
  const afterMs = clock.monotonic() - beganAt;
  return signal?.aborted === true ? { kind: "aborted", afterMs, tries } : { kind: "no-port", afterMs, tries, cause };
}

/** Undefined: somebody took the connection. Else what happened. */
async function tryOnce(find: ReturnType<typeof oneLookup>, host: string, port: number, tryMs: number, over: AbortSignal, clock: Clock): Promise<string | undefined> {
  const deadline = clock.monotonic() + tryMs;
  let address: string;
  try {
    const found = await settledWithin(find(host), clock, tryMs, over);
    if (found === undefined) return "its name was not found in time";
    ({ address } = found);
  } catch (error) {
    return codeOf(error);
  }
  const socket = connect({ host: address, port, autoSelectFamily: false });
  const met = new Promise<string | undefined>((resolve) => {
    socket.once("connect", () => {
      resolve(undefined);
    });
    socket.on("error", (error) => {
      resolve(codeOf(error));
    });
  });
  const outcome = await settledWithin(
    met.then((missed) => ({ missed })),
    clock,
    deadline - clock.monotonic(),
    over,
  );
  socket.destroy();
  return outcome === undefined ? "no answer to the connection" : outcome.missed;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
