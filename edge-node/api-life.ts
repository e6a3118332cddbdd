// The vehicle's own API, on loopback unless the configuration says otherwise (promise S10). Loaded only where one is configured: a vehicle without it pays nothing.
//
// A1. A vehicle does not stand still for want of its API's tokens (promise S6): where they cannot be read, the API lets nobody in, and log and /health/ready say so.

import type { SignalSource } from "../protocols/uplink/index.ts";
import { type Address, DroverError, lifeOf, type System, type TreeNode, untilAborted, droverVersion } from "../runtime/index.ts";
import type { Clock, Log, MetricsSource, Random } from "../runtime/ports/index.ts";

export interface ApiLifeOptions {
  readonly http: { readonly port: number; readonly host?: string };
  readonly data: string;
  readonly node: string;
  readonly vehicle: Address;
  readonly system: System;
  readonly signals: SignalSource;
  readonly describe: () => TreeNode;
  /** What the store does not take now: while there is any the node is not ready. */
  readonly troubles: () => readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: readonly MetricsSource[];
  /** @param firstToken its first admin's, where it was made by this start */
  readonly listening: (url: string, firstToken: string | undefined) => void;
}

export function apiLife(options: ApiLifeOptions): ReturnType<typeof lifeOf> {
  const { http, data, node, vehicle, system, signals, describe, troubles, clock, random, log, metrics, listening } = options;
  return lifeOf(async ({ ready }, signal) => {
    const { listenHttp, loadTokens, noTokens } = await import("../protocols/http/index.ts");
    const closed: string[] = [];
    // A1.
    const tokens = await loadTokens(data, { clock }).catch((cause: unknown) => {
      if (!(cause instanceof DroverError)) throw cause;
      log.error({ err: cause }, "the vehicle's API lets nobody in: its tokens cannot be used; mend or delete the named file and start the node again");
      closed.push(`the API lets nobody in: ${cause.message}`);
      return noTokens(cause);
    });
    const runs = (): boolean => system.read(vehicle) !== undefined;
    const server = await listenHttp({
      ...(http.host === undefined ? {} : { host: http.host }),
      port: http.port,
      facade: {
        system,
        clock,
        random,
        log,
        tokens,
        trees: () => [{ node, at: clock.now(), tree: describe() }],
        nodes: () => [{ node, kind: "edge", vehicle, state: "up", since: describe().since }],
        signals,
        version: droverVersion(),
        metrics,
        started: runs,
        ready: () => {
          const reasons = [...closed, ...(runs() ? [] : ["the vehicle's actors do not run yet"]), ...troubles()];
          return { ok: reasons.length === 0, reasons };
        },
      },
    });
    listening(server.url, "firstToken" in tokens ? tokens.firstToken : undefined);
    ready();
    await untilAborted(signal);
    await server.close();
  });
}
