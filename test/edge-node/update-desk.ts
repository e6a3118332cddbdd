// Updates of modules at a node on its desk: the demo's trailer with the rig's modules and their slots, a stand-in for the cloud's group, images and upload ports that do what they are told.

import type { Test } from "tap";
import type { CampaignShown, ModuleContext, UpdateShown, VehicleContext } from "../../actors/index.ts";
import type { SimulatedRig } from "../../cli/rig/index.ts";
import type { EdgeConfig } from "../../edge-node/index.ts";
import type { KeepOutcome } from "../../protocols/image-store/index.ts";
import type { PortOutcome, UploadOptions, UploadOutcome } from "../../protocols/module-upload/index.ts";
import { type EventData, parseAddress } from "../../runtime/index.ts";
import { type Desk, desk, rigOn, running, type Trailer, trailer, VEHICLES } from "./desk.ts";

export const NEW = "2.4.0";
export const SHA = "ab".repeat(32);
export const BYTES = 1_000_000;
/** As the trailer's file has torrent-0. */
export const MADE_FOR = { type: "trailcurrent/torrent", hardware: "esp32", address: 0 };
const GROUP = "demo/group/g";
const ROLLOUT = "torrent-2";
const MODULE = "torrent-0";

/** What stands outside of the node, and what it was asked. */
export interface Outside {
  keep: () => KeepOutcome | Promise<KeepOutcome>;
  /** So often its image is not there when it is to be uploaded. */
  missing: number;
  port: () => PortOutcome | Promise<PortOutcome>;
  upload: (options: UploadOptions) => Promise<UploadOutcome>;
  readonly kept: string[];
  readonly awaited: string[];
  readonly uploads: string[];
}

export interface UpdateDesk {
  readonly at: Desk;
  readonly rig: SimulatedRig;
  readonly outside: Outside;
  car(): Trailer;
  campaign(): CampaignShown | null | undefined;
  update(module?: string): UpdateShown | undefined;
  module(name?: string): ModuleContext;
  say(event: EventData): Promise<void>;
  offer(modules?: readonly string[], more?: object): Promise<void>;
  /** The word to begin, for the newest ask. */
  go(): Promise<void>;
  until(what: string, holds: () => boolean, withinMs?: number): Promise<void>;
  /** Data of the triggers on the wire. */
  triggers(): readonly string[];
  restart(): Promise<void>;
}

export const CONFIG: NonNullable<EdgeConfig["updates"]> = { images: { url: "http://cloud/v1/images" }, upload_urls: { [MODULE]: "http://torrent-0/ota" } };

export interface UpdateDeskOptions {
  /** Default CONFIG. */
  readonly updates?: EdgeConfig["updates"] | "none";
  /** Of the model's text. */
  readonly model?: (text: string) => string;
  readonly vehicle?: (text: string) => string;
}

/** Parked for 2 s is parked enough here. */
export async function updateDesk(t: Test, { updates = CONFIG, model = (text): string => text, vehicle = (text): string => text }: UpdateDeskOptions = {}): Promise<UpdateDesk> {
  const at = desk();
  const texts = at.ports().files;
  const textOf = (name: string): string => new TextDecoder().decode(texts.read(`${VEHICLES}${name}`));
  at.files.set(`${VEHICLES}trailcurrent-trailer.yaml`, model(textOf("trailcurrent-trailer.yaml").replace("for 120s and", "for 2s and").replace("12.4 for 60s", "12.4 for 2s")));
  at.files.set(`${VEHICLES}trailer-01.yaml`, vehicle(textOf("trailer-01.yaml")));
  const rig = rigOn(at, ["bearing", MODULE, "torrent-1", "solstice", "aftline"], t.testdir());
  const outside: Outside = {
    keep: () => ({ kind: "kept", path: "kept", bytes: BYTES, downloadedBytes: BYTES }),
    missing: 0,
    port: () => ({ kind: "open", afterMs: 0, tries: 1 }),
    upload: async (options) => {
      for (let sentBytes = 0; sentBytes <= BYTES; sentBytes += BYTES / 25) {
        options.onProgress?.({ sentBytes, bytes: BYTES });
        await waited(200);
      }
      rig.flash(MODULE, { version: [2, 4, 0] });
      return { kind: "taken", status: 200, text: "OK", bytes: BYTES };
    },
    kept: [],
    awaited: [],
    uploads: [],
  };
  at.updates = {
    images: {
      keep: async ({ sha256 }) => {
        outside.kept.push(sha256);
        return outside.keep();
      },
      use: async (_sha256, run) => (outside.missing-- > 0 ? { kind: "missing" } : { kind: "used", value: await run("kept") }),
    },
    fetch: () => () => Promise.reject(new Error("nobody fetches here")),
    awaitPort: async (url) => {
      outside.awaited.push(url);
      return outside.port();
    },
    upload: (options) => {
      outside.uploads.push(options.url);
      return outside.upload(options);
    },
    close: () => Promise.resolve(),
  };
  const more = updates === "none" ? {} : { updates };
  let car = await trailer(at, rig, more);
  let seq = 0;
  const self: UpdateDesk = {
    at,
    rig,
    outside,
    car: () => car,
    campaign: () => (car.vehicle().context as VehicleContext).updates?.campaign,
    update: (module = MODULE) => self.campaign()?.updates.find((each) => each.module === module),
    module: (name = MODULE) => car.module(name).context as ModuleContext,
    say: async (event) => {
      seq++;
      const sender = { kind: "entity", entity: parseAddress(GROUP), incarnation: "g1", seq, epoch: 1, oldest: seq } as const;
      const told = await running(at, car.node.system.receive({ to: car.node.vehicle, event, sender, ask: false, withinMs: 5_000 }));
      if (told.kind !== "accepted") throw new Error(JSON.stringify(told));
      await at.clock.advance(100);
    },
    offer: (modules = [MODULE], terms = {}) =>
      self.say({
        type: "campaign.offer",
        rollout: ROLLOUT,
        target: `${GROUP}/target/0`,
        updates: modules.map((module) => ({ module, version: NEW, sha256: SHA, bytes: BYTES, ...(module === MODULE ? { madeFor: MADE_FOR } : {}) })),
        attempts: 3,
        darkMs: 300_000,
        ...terms,
      }),
    go: () => self.say({ type: "campaign.go", rollout: ROLLOUT, ask: self.campaign()?.ask ?? 0 }),
    until: async (what, holds, withinMs = 30_000) => {
      for (let passed = 0; passed < withinMs; passed += 50) {
        if (holds()) return;
        await at.clock.advance(50);
      }
      throw new Error(`not within ${String(withinMs)} ms: ${what}; ${JSON.stringify(self.campaign())}`);
    },
    triggers: () =>
      rig.frames
        .log()
        .filter(({ id, from }) => id === 0 && from === "client")
        .map(({ data }) => data),
    restart: async () => {
      await car.node.stop();
      car = await trailer(at, rig, more);
    },
  };
  t.teardown(() => {
    rig.stop();
    return car.node.stop();
  });
  return self;

  function waited(ms: number): Promise<void> {
    return new Promise((resolve) => void at.clock.setTimeout(resolve, ms));
  }
}
