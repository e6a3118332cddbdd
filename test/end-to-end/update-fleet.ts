// Trailers whose modules are updated: cloud and edge nodes as processes with faster time, a rig for each trailer in the test's own process, so that triggers are counted where they arrive.

import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beginTogether } from "../../cli/demo/begin-together.ts";
import { processChild } from "../../cli/demo/process-child.ts";
import { startRig, type StartedRig } from "../../cli/rig/index.ts";
import { TRAILER_MODULES } from "../../cli/rig/modules/index.ts";
import { makeImage } from "../../cli/rig/updates/image.ts";
import type { UpdateWindow } from "../../cli/rig/updates/module-updates.ts";
import { type CloudListening, cloudWorker } from "../../cloud-node/index.ts";
import { edgeWorker } from "../../edge-node/index.ts";
import { nodeCredential } from "../../protocols/mqtt/index.ts";
import { createTree, supervisor, systemClock, systemRandom, type Tree } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { SeededRandom } from "../../runtime/simulation/index.ts";
import { form } from "../forms.ts";
import { lastingPort } from "../lasting-port.ts";
import { type Answered, type Api, api } from "./api-client.ts";
import { type Children, childrenOf } from "./children-of.ts";
import { fastClock, fastEnvironment } from "./fast-clock.ts";
import { demoFile, type Ending, scratchFolder } from "./fleet.ts";
import { until } from "./until.ts";

const TENANT = "demo";
const MODULE = "torrent-0";
const NEW = "2.4.0";
const IMAGE = makeImage({ type: "torrent", hardware: "esp32", address: 0, version: [2, 4, 0] });
const SHA = createHash("sha256").update(IMAGE).digest("hex");
const DBC = "TrailCurrent-tracer-c1bd446.nocomments.dbc";
const STOP_WITHIN_MS = 8_000;
const READY_MS = 60_000;
/** Processes that start at the same time. */
const STARTS_AT_ONCE = 3;
const TRIGGER_ID = 0x00;

const MODEL = `model: small-trailer
version: 1
buses:
  can0: { dbc: ${DBC}, bitrate: 500000, mode: normal, max_tx: 50/s }
modules:
  bearing: { use: trailcurrent/bearing, bus: can0 }
  torrent-0: { use: trailcurrent/torrent, bus: can0, address: 0, hardware: esp32, outputs: { 1: galley } }
  aftline: { bus: can0, presence: { message: TrailerStatus, silent_after: 5s } }
signals:
  Vehicle.Speed: { from: can0.GpsSatSpeedCourseMode.SpeedOverGround, factor: 1.852, unit: km/h }
  Tow.Connected: { from: can0.TrailerStatus.Connected, enum: { 0: unplugged, 1: plugged } }
conditions:
  parked: Vehicle.Speed < 3 for 5s and Tow.Connected = unplugged
commands:
  update.start: { to: torrent-0, guard: parked }
`;

export interface UpdateFleet extends Children {
  readonly api: Api;
  readonly vehicles: readonly string[];
  rig(vehicle: string): StartedRig["rig"];
  /** Windows of the vehicle's module, each with the triggers that were on the wire in it. */
  windows(vehicle: string): readonly UpdateWindow[];
  /** In all. */
  triggers(vehicle: string): number;
  /** Called as the last bit of a trigger is on a vehicle's bus, before its sender is told. */
  onTrigger(call: (vehicle: string) => void): void;
  firmware(vehicle: string): string;
  post(path: string, body: object): Promise<Answered>;
  /** The rollout as it is shown; `undefined` while the cloud does not answer. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are read as they come
  rollout(name?: string): Promise<any>;
  /** A vehicle's target as it is shown. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are read as they come
  target(vehicle: string): Promise<any>;
}

/** Of tests that wait for a module's window, half a minute or more. */
export const longOnly = { skip: form<string | false>("the long form", false), timeout: 300_000 };

const ROLLOUT = "torrent-2.4";

/** What a plan has instead. */
interface PlanChange {
  readonly rollout?: string;
  readonly [key: string]: unknown;
}

/** Of all the trailers: first the canary, then the rest. */
function planFor(more: PlanChange): object {
  return {
    rollout: ROLLOUT,
    images: [{ module: "trailcurrent/torrent", hardware: "esp32", address: 0, version: NEW, sha256: SHA }],
    select: { labels: { fleet: "updates" } },
    groups: [{ name: "canary", count: 1 }, { name: "rest" }],
    soak: "3s",
    dark_after: "2m",
    ...more,
  };
}

export async function updateFleet(t: Ending, count: number, urls: (url: string) => string = (url) => url): Promise<UpdateFleet> {
  const folder = scratchFolder(t);
  const data = join(folder, "data");
  const credentials = join(data, "credentials");
  const files = join(folder, "files");
  mkdirSync(files);
  copyFileSync(demoFile("data", DBC), join(files, DBC));
  writeFileSync(join(files, "small-trailer.yaml"), MODEL);
  const vehicles = Array.from({ length: count }, (_, at) => `t${String(at)}`);
  const rigs = new Map<string, StartedRig>();
  const takenPorts = new Set<number>();
  const calls: ((vehicle: string) => void)[] = [];
  for (const [at, vehicle] of vehicles.entries()) {
    writeFileSync(
      join(files, `${vehicle}.yaml`),
      `vehicle: ${TENANT}/vehicle/${vehicle}\nmodel: small-trailer@1\nlabels: { fleet: updates }\nparts: { torrent-0: "mac:0A1E05" }\n`,
    );
    const rig = await startRig({
      socketDir: join(folder, vehicle),
      clock: fastClock,
      random: new SeededRandom(at + 1),
      modules: TRAILER_MODULES.filter(({ name }) => ["bearing", MODULE, "aftline"].includes(name)),
      firmwareFolder: join(folder, `${vehicle}-firmware`),
      openingSeed: at + 1,
      takenPorts,
      switchedOn: "first-client",
    });
    t.teardown(() => rig.stop());
    rig.rig.bus.attach({
      name: "witness",
      kind: "module",
      queueLimit: 1,
      receive: ({ id }) => {
        if (id === TRIGGER_ID) for (const call of calls) call(vehicle);
      },
      sent: () => undefined,
    });
    rigs.set(vehicle, rig);
  }
  const rigOf = (vehicle: string): StartedRig["rig"] => {
    const found = rigs.get(vehicle);
    if (found === undefined) throw new Error(`no rig of ${vehicle}`);
    return found.rig;
  };

  let where: CloudListening | undefined;
  const [http, broker] = [{ port: await lastingPort() }, { port: await lastingPort() }];
  const options = { log: silentLog, env: fastEnvironment } as const;
  const ports = { clock: systemClock, random: systemRandom, log: silentLog };
  const { add: wrap, end } = beginTogether(ports, STARTS_AT_ONCE);
  const tree: Tree = createTree(
    supervisor("fleet", { strategy: "one-for-one", backoff: { initialMs: 100, maxMs: 400, resetAfterMs: 30_000 } }, [
      processChild("cloud", cloudWorker, () => ({ data, http, broker }), {
        ...options,
        into: (item) => {
          where = item;
        },
      }),
      ...vehicles.map((vehicle) =>
        processChild(
          vehicle,
          edgeWorker,
          () => {
            nodeCredential(credentials, `edge-${vehicle}`, { kind: "vehicle", tenant: TENANT, vehicle });
            return {
              vehicle: join(files, `${vehicle}.yaml`),
              data: join(data, vehicle),
              buses: { can0: `rig:${join(folder, vehicle)}` },
              uplink: { url: where?.broker ?? "", credentials },
              updates: { images: { url: urls(`${where?.http ?? ""}/v1/images`) }, upload_urls: { [MODULE]: rigOf(vehicle).uploadUrls()[MODULE] ?? "" } },
            };
          },
          { ...options, wrap },
        ),
      ),
    ]),
    ports,
  );
  t.teardown(async () => {
    await end();
    await tree.stop(STOP_WITHIN_MS);
  });
  await tree.start();
  const client = api(data, () => where?.http ?? "");

  const updatesOf = (
    vehicle: string,
  ): {
    readonly triggers: number;
    readonly windows: readonly UpdateWindow[];
    readonly running: 0 | 1;
    readonly slots: readonly { readonly identity?: { readonly version: readonly number[] } }[];
  } => rigOf(vehicle).moduleUpdates(MODULE) as never;
  const self: UpdateFleet = {
    api: client,
    vehicles,
    rig: rigOf,
    ...childrenOf(tree),
    windows: (vehicle) => updatesOf(vehicle).windows,
    triggers: (vehicle) => updatesOf(vehicle).triggers,
    onTrigger: (call) => {
      calls.push(call);
    },
    firmware: (vehicle) => {
      const { slots, running } = updatesOf(vehicle);
      return slots[running]?.identity?.version.join(".") ?? "none";
    },
    post: (path, body) => client.post(path, body),
    rollout: async (name = ROLLOUT) => (await client.get(`/v1/rollouts/${name}`)).body,
    target: async (vehicle) =>
      ((await client.get(`/v1/rollouts/${ROLLOUT}/targets`)).body?.items as { readonly vehicle: string }[] | undefined)?.find(
        (each) => each.vehicle === `${TENANT}/vehicle/${vehicle}`,
      ),
  };
  const moduleOf = (vehicle: string): Promise<Answered> => client.actor(`${TENANT}/vehicle/${vehicle}/module/${MODULE}`);
  for (const vehicle of vehicles) await until(`the cloud knows the firmware of ${vehicle}`, READY_MS, async () => (await moduleOf(vehicle)).body?.context?.firmware === "1.4.2");
  return self;
}

/** The image is brought, the rollout planned and approved. */
export async function begun(fleet: UpdateFleet, more: PlanChange = {}): Promise<void> {
  const brought = await fleet.api.bring(`/v1/images?module=trailcurrent/torrent&hardware=esp32&address=0&version=${NEW}&sha256=${SHA}`, IMAGE);
  if (brought.status !== 201) throw new Error(JSON.stringify(brought));
  await approved(fleet, more);
}

/** Of an image that is kept: the rollout is planned and approved. */
export async function approved(fleet: UpdateFleet, more: PlanChange): Promise<void> {
  const planned = await fleet.post("/v1/rollouts", planFor(more));
  if (planned.status !== 201) throw new Error(JSON.stringify(planned));
  const answer = await fleet.post(`/v1/rollouts/${more.rollout ?? ROLLOUT}/approve`, { reason: "tried on the bench" });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer));
}

/** @throws with all that is known of it when that takes longer */
export async function stateIs(fleet: UpdateFleet, state: string, withinMs = 90_000, name = ROLLOUT): Promise<void> {
  try {
    await until(`the rollout is ${state}`, withinMs, async () => (await fleet.rollout(name))?.state === state);
  } catch (error) {
    const { body } = await fleet.api.get(`/v1/rollouts/${name}/targets`);
    throw new Error(`${String(error)}; ${JSON.stringify(await fleet.rollout(name))}; ${JSON.stringify(body)}`, { cause: error });
  }
}

/** At most one trigger per attempt: each window has one, and none was outside of a window. */
export function strayTriggers(fleet: UpdateFleet): readonly string[] {
  return fleet.vehicles.flatMap((vehicle) => {
    const windows = fleet.windows(vehicle);
    const counted = windows.reduce((sum, { triggers }) => sum + triggers, 0);
    const doubled = windows.filter(({ triggers }) => triggers !== 1).map(({ number, triggers }) => `${vehicle}: ${String(triggers)} triggers in window ${String(number)}`);
    return counted === fleet.triggers(vehicle) ? doubled : [...doubled, `${vehicle}: ${String(fleet.triggers(vehicle) - counted)} triggers outside of windows`];
  });
}
