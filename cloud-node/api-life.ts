// What a cloud node answers over HTTP: its system's actors, and what only a cloud has, images and rollouts.

import { join } from "node:path";
import { kindOf, lifeOf, type Replicas, type System, type Tree, type TreeNode, untilAborted, type WatchedStore, droverVersion } from "../runtime/index.ts";
import type { SignalMirror } from "../protocols/uplink/index.ts";
import type { MetricsSource } from "../runtime/ports/index.ts";
import type { BusLink } from "./bus-link.ts";
import type { CloudConfig } from "./config.ts";
import { imageRoutes } from "./images/index.ts";
import type { IngestLife } from "./ingest-life.ts";
import type { CloudPorts } from "./ports.ts";
import type { Presences } from "./presences.ts";
import { createRollouts, rolloutRoutes } from "./rollouts/index.ts";
import type { VehicleLinks } from "./vehicle-links.ts";

const HTTP_PORT = 8080;
const IMAGE_BYTES = 33_554_432;
const ALL_IMAGES_BYTES = 4_294_967_296;

export interface ApiLifeOptions {
  readonly config: CloudConfig;
  readonly node: string;
  readonly ports: CloudPorts;
  readonly system: System;
  readonly store: WatchedStore;
  readonly replicas: Replicas;
  readonly links: VehicleLinks;
  readonly mirror: SignalMirror;
  readonly presences: Pick<Presences, "of">;
  readonly bus: Pick<BusLink, "isReady" | "onChange" | "metrics">;
  readonly ingest: Pick<IngestLife, "trees" | "metrics">;
  readonly tree: () => Pick<Tree, "describe">;
  readonly describe: () => TreeNode;
  /** @param firstToken its first admin's, where it was made by this start */
  readonly listening: (url: string, firstToken: string | undefined) => void;
}

export function apiLife(options: ApiLifeOptions): ReturnType<typeof lifeOf> {
  const { config, node, ports, system, store, replicas, links, mirror, presences, bus, ingest } = options;
  const { clock, random, log } = ports;
  const limits = { maxBytes: config.images?.max_bytes ?? IMAGE_BYTES, maxTotalBytes: config.images?.max_total_bytes ?? ALL_IMAGES_BYTES };
  const images = ports.images?.(config.data, limits, ports);
  const rollouts = createRollouts({ system, replicas, store, images, links, clock, log });
  const metrics: readonly MetricsSource[] = [bus.metrics, ingest.metrics, store.metrics];

  return lifeOf(async ({ ready }, signal) => {
    await images?.open();
    await rollouts.open();
    let isHearing: boolean | undefined;
    const tellHearing = (): void => {
      if (bus.isReady === isHearing) return;
      isHearing = bus.isReady;
      rollouts.hearing(isHearing);
    };
    const stopTelling = bus.onChange(tellHearing);
    tellHearing();
    const vehicleOf = ports.vehicleOf?.(join(config.data, "credentials"));
    const server = await ports.api({
      host: config.http?.host,
      port: config.http?.port ?? HTTP_PORT,
      data: config.data,
      facade: {
        system,
        clock,
        random,
        log,
        trees: () => [{ node, at: clock.now(), tree: options.describe(), entities: system.describeEntities() }, ...ingest.trees()],
        nodes: () => [
          { node, kind: "cloud", state: "up", since: options.tree().describe().since },
          ...links
            .all()
            .map(([vehicle, { live, up, since }]) => ({ node: live.node, kind: "edge", vehicle, state: up ? "up" : "down", since, epoch: live.epoch, version: live.version })),
        ],
        signals: mirror,
        version: droverVersion(),
        decorate: (view) => (view.address === view.entity && kindOf(view.address) === "vehicle" ? { presence: presences.of(view.entity) } : {}),
        ready: () => {
          const reasons = [...(bus.isReady ? [] : ["the bus is not connected"]), ...(store.trouble === undefined ? [] : [store.trouble])];
          return { ok: reasons.length === 0, reasons };
        },
        metrics,
        ...(vehicleOf === undefined ? {} : { vehicleOf }),
        routes: (app, tools) => {
          const { book } = rollouts;
          if (images !== undefined)
            imageRoutes(app, {
              images,
              maxBytes: limits.maxBytes,
              usersOf: (sha256) => book.usersOf(sha256),
              isOffered: (vehicle, sha256) => book.isOffered(vehicle, sha256),
              clock,
              log,
            });
          rolloutRoutes(app, tools, { rollouts, clock, random });
        },
      },
    });
    options.listening(server.url, server.firstToken);
    ready();
    await untilAborted(signal);
    stopTelling();
    await server.close();
  });
}
