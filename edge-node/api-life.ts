// The vehicle's own API, on loopback unless the configuration says otherwise (promise S10). Loaded only where one is configured: a vehicle without it pays nothing.

import type { SignalSource } from "../protocols/uplink/index.ts";
import { type Address, lifeOf, type System, type TreeNode, untilAborted, droverVersion } from "../runtime/index.ts";
import type { Clock, Log, MetricsSource, Random } from "../runtime/ports/index.ts";

export interface ApiLifeOptions {
  readonly http: { readonly port: number; readonly host?: string };
  readonly data: string;
  readonly node: string;
  readonly vehicle: Address;
  readonly system: System;
  readonly signals: SignalSource;
  readonly describe: () => TreeNode;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: readonly MetricsSource[];
  readonly listening: (url: string) => void;
}

export function apiLife(options: ApiLifeOptions): ReturnType<typeof lifeOf> {
  const { http, data, node, vehicle, system, signals, describe, clock, random, log, metrics, listening } = options;
  return lifeOf(async ({ ready }, signal) => {
    const { listenHttp, loadTokens } = await import("../protocols/http/index.ts");
    const server = await listenHttp({
      ...(http.host === undefined ? {} : { host: http.host }),
      port: http.port,
      facade: {
        system,
        clock,
        random,
        log,
        tokens: await loadTokens(data, { clock }),
        trees: () => [{ node, at: clock.now(), tree: describe() }],
        nodes: () => [{ node, kind: "edge", vehicle, state: "up", since: describe().since }],
        signals,
        version: droverVersion(),
        metrics,
        ready: () => (system.read(vehicle) === undefined ? { ok: false, reasons: ["the vehicle's actors do not run yet"] } : { ok: true, reasons: [] }),
      },
    });
    listening(server.url);
    ready();
    await untilAborted(signal);
    await server.close();
  });
}
