// One vehicle's software says every wrong thing in every place: the cloud takes or refuses it, everybody's API goes on answering, and the other vehicles are shown as before.
//
// The bus is in memory, so that thousands of messages take seconds; store and HTTP are real. Each wrong message is said under a vehicle of its own: what was taken of one
// does not hide what was taken of the next.

import { test } from "tap";
import { form } from "../forms.ts";
import { createCloudNode, type CloudNode, realPorts } from "../../cloud-node/index.ts";
import { memoryNetwork, type MemoryNetwork } from "../../runtime/simulation/memory-transport.ts";
import { decodeEnvelope, droverVersion, encodeEnvelope, systemClock, systemRandom, vehicleNames } from "../../runtime/index.ts";
import type { Log, Transport } from "../../runtime/ports/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { type ApiWatch, apiWatch } from "./api-watch.ts";
import { evilBytes, evilEnvelope, mutationsByPlace } from "./bad-values.ts";
import { type Ending, scratchFolder } from "./fleet.ts";
import { until } from "./until.ts";

const TENANT = "demo";
const GOOD = "good";
/** Places of a sample. What was taken stays, so a later look sees it too. */
const LOOK_EVERY = form(120, 12);
/** In the short form each place meets two of three wrong values, or of an answer every second one, and each value as many places. The documents of every fifth vehicle are read. */
const [LEAVE_OUT, ANSWER_EVERY, READ_EVERY] = form([3, 2, 5], [Number.POSITIVE_INFINITY, 1, 1]);
/** In samples: takes the name of whoever says it. */
const ANY = "vehicle-x";
const AT = 1_700_000_000_000;

const addressOf = (vehicle: string): string => `${TENANT}/vehicle/${vehicle}`;
const namesOf = (vehicle: string): ReturnType<typeof vehicleNames> => vehicleNames(TENANT, vehicle);

// What a vehicle says, by kind.

const tree = (): object => ({
  id: "edge",
  kind: "supervisor",
  strategy: "rest-for-one",
  state: "running",
  restarts: 0,
  since: AT,
  children: [
    {
      id: "uplink",
      kind: "worker",
      state: "running",
      restarts: 2,
      since: AT,
      pid: 7,
      isolation: "process",
      lastExit: { reason: "failed", error: "e", stack: "s", at: AT, cause: { kind: "exit" } },
      children: [],
    },
  ],
});
const info = (): object => ({
  signals: [
    { name: "Vehicle.Speed", unit: "km/h", labels: [[1, "one"]] },
    { name: "Engine.Speed", unit: "1/min", labels: [] },
  ],
  simulated: false,
  staleAfterMs: 60_000,
});
const sample = (): object => ({ at: AT, values: { "Vehicle.Speed": 50, "Engine.Speed": null } });
const stamp = (): object => ({ now: AT, elapsed: 5, seed: 7 });
const cell = (vehicle: string): object => ({
  address: addressOf(vehicle),
  incarnation: 1,
  type: "vehicle",
  version: 1,
  status: "active",
  value: { motion: "moving", health: "ok" },
  context: { muted: { can0: true }, list: [1] },
  accepts: ["bus.mute"],
  inner: { id: "v", life: "active" },
});
const state = (vehicle: string): object => ({
  v: 1,
  entity: addressOf(vehicle),
  type: "vehicle",
  incarnation: "i1",
  revision: 5,
  stamp: stamp(),
  labels: { fleet: "north" },
  cells: [cell(vehicle)],
  rest: null,
});
const record = (vehicle: string): object => ({
  v: 1,
  entity: addressOf(vehicle),
  incarnation: "i1",
  revision: 6,
  stamp: stamp(),
  versions: { vehicle: 1 },
  inputs: [
    { kind: "message", to: addressOf(vehicle), event: { type: "bus.mute", bus: "can0" }, sender: { kind: "outside", id: "k", author: "ann", expiresAt: AT }, wantsReply: false },
    { kind: "start", input: null, labels: { fleet: "north" } },
  ],
  results: [{ kind: "accepted" }, { kind: "accepted" }],
  outcome: { cells: [], ended: [`${addressOf(vehicle)}/module/m`], emitted: [{ cell: addressOf(vehicle), event: { type: "e", n: 1 } }], rest: null },
});
const batch = (vehicle: string, more: object = {}): object => ({ entity: addressOf(vehicle), type: "vehicle", incarnation: "i1", after: 5, records: [], ...more });
const opened = (vehicle: string): object => batch(vehicle, { opening: evilBytes(state(vehicle)) });
const alarm = (): object => ({ type: "alarm.raise", title: "hot", severity: "critical", about: "x", cause: "y" });

interface World {
  readonly evil: Transport;
  readonly network: MemoryNetwork;
  readonly watch: ApiWatch;
  readonly warnings: () => number;
  stop(): Promise<void>;
  start(): Promise<void>;
  say(vehicle: string, path: readonly string[], bytes: Uint8Array): Promise<void>;
  ask(vehicle: string, path: readonly string[], bytes: Uint8Array): Promise<unknown>;
}

async function world(t: Ending): Promise<World> {
  const data = scratchFolder(t);
  const network = memoryNetwork({ clock: systemClock, random: systemRandom });
  const evil = network.transport("evil");
  await evil.start();
  let warnings = 0;
  const log: Log = {
    ...silentLog,
    warn: () => {
      warnings++;
    },
  };
  let cloud: CloudNode | undefined;
  const start = async (): Promise<void> => {
    cloud = createCloudNode({ data, http: { port: 0 }, broker: { url: "mqtt://in-memory" } }, { ...realPorts, log, transport: () => network.transport("cloud") });
    await cloud.start();
  };
  const stop = async (): Promise<void> => {
    await cloud?.stop();
    cloud = undefined;
  };
  t.teardown(async () => {
    await stop();
    await evil.stop();
  });
  await start();
  return {
    evil,
    network,
    watch: apiWatch(data, () => cloud?.urls.http ?? ""),
    warnings: () => warnings,
    stop,
    start,
    say: async (vehicle, path, bytes) => {
      const names = namesOf(vehicle);
      await (path[0] === "signals" ? evil.publish(names.up("signals"), bytes, { qos: "reliable" }) : evil.setLast(path[0] === "live" ? names.live : names.up(...path), bytes));
    },
    ask: async (vehicle, path, bytes) => {
      const outcome = await evil.ask(namesOf(vehicle).up(...path), bytes, { withinMs: 5_000 });
      const decoded = outcome.kind === "replied" ? decodeEnvelope(outcome.payload) : undefined;
      return decoded?.ok === true ? decoded.envelope.body : outcome;
    },
  };
}

const sender = (vehicle: string): Readonly<Record<string, unknown>> => ({ id: "m", node: `edge-${vehicle}`, session: "s", epoch: 1 });
const enveloped = (vehicle: string, kind: Parameters<typeof evilEnvelope>[0], body: unknown, more: object = {}): Uint8Array =>
  evilEnvelope(kind, { ...sender(vehicle), ...more, body });

/** All that a healthy vehicle says. */
async function introduce(made: World, vehicle: string): Promise<void> {
  await made.say(vehicle, ["live"], encodeEnvelope({ kind: "live", id: "l", sender: { node: `edge-${vehicle}`, session: "s", epoch: 1 }, body: { version: droverVersion() } }));
  await made.say(vehicle, ["tree"], enveloped(vehicle, "tree", tree()));
  await made.say(vehicle, ["signal-info"], enveloped(vehicle, "signals", info()));
  const taken = await made.ask(vehicle, ["stream"], enveloped(vehicle, "stream", opened(vehicle)));
  if ((taken as { readonly refused?: unknown }).refused !== null) throw new Error(`the sample is not taken: ${JSON.stringify(taken)}`);
  const next = await made.ask(vehicle, ["stream"], enveloped(vehicle, "stream", batch(vehicle, { records: [evilBytes(record(vehicle))] })));
  if ((next as { readonly refused?: unknown }).refused !== null) throw new Error(`the sample of a record is not taken: ${JSON.stringify(next)}`);
  await made.say(vehicle, ["signals"], enveloped(vehicle, "signals", sample()));
}

/** What people see of the healthy vehicle, without what time changes. */
async function shown({ watch }: World): Promise<unknown> {
  const address = encodeURIComponent(addressOf(GOOD));
  // A signal's time is told by two clocks, whose whole milliseconds may turn one after the other.
  const tens = (_: string, ms: string): string => `"time":${String(Math.round(Number(ms) / 10) * 10)}`;
  const still = (text: string): unknown => JSON.parse(text.replaceAll(/"(staleMs|ageMs|at)":[0-9.]+/g, '"$1":0').replaceAll(/"time":([0-9]+)/g, tens));
  const listed = async (path: string, isIts: (item: never) => boolean): Promise<unknown> =>
    still(JSON.stringify(((await watch.json(path)) as { items: never[] }).items.filter(isIts)));
  return {
    actor: still(JSON.stringify(await watch.json(`/v1/actors/${address}`))),
    history: await watch.json(`/v1/actors/${address}/history`),
    item: await listed(`/v1/actors?q=${GOOD}&kind=vehicle&limit=1000`, ({ address: its }: { address: string }) => its === addressOf(GOOD)),
    node: await listed("/v1/nodes", ({ node }: { node: string }) => node === `edge-${GOOD}`),
    tree: await listed("/v1/tree", ({ node }: { node: string }) => node === `edge-${GOOD}`),
    signals: still(JSON.stringify(await watch.json(`/v1/vehicles/${address}/signals`))),
  };
}

/** Says every mutation of `make(vehicle)`, those of one place at once; looks at all lists again and again. Gives the vehicles that were used. */
async function sayAll(
  wrong: string[],
  made: World,
  kind: string,
  make: (vehicle: string) => unknown,
  say: (vehicle: string, value: unknown) => Promise<unknown>,
): Promise<readonly string[]> {
  const used: string[] = [];
  const places = mutationsByPlace(make(ANY));
  let place = 0;
  for (const [path, list] of places) {
    const here = await Promise.all(
      list
        .filter((_, at) => (at + place) % LEAVE_OUT !== LEAVE_OUT - 1)
        .map(async ({ value }, at) => {
          const vehicle = `${kind}-${String(place)}-${String(at)}`;
          let own: unknown;
          try {
            own = renamed(value, vehicle);
            await say(vehicle, own);
          } catch (cause) {
            if (!(cause instanceof Error && cause.message.includes("cannot be packed"))) throw cause;
          }
          return vehicle;
        }),
    );
    place++;
    used.push(...here);
    if (place % LOOK_EVERY !== 0 && place < places.size) continue;
    const bad = await made.watch.bad();
    if (bad.length > 0) wrong.push(`${kind}, up to ${path}: ${bad.join("; ")}`);
  }
  return used;
}

/** The sample as that of `vehicle`. */
function renamed(value: unknown, vehicle: string): unknown {
  if (typeof value === "string") return value.replaceAll(ANY, vehicle);
  if (Array.isArray(value)) return value.length > 1_000 ? value : value.map((item) => renamed(item, vehicle));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype || Object.hasOwn(value, "__proto__")) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, renamed(item, vehicle)]));
}

test("S10, S5. Whatever a vehicle says, every list, document and stream of the API answers, and the other vehicles are shown as before, also after a restart", {
  timeout: 120_000,
}, async (t) => {
  const made = await world(t);
  await introduce(made, GOOD);
  const before = await until("the healthy vehicle is shown", 10_000, async () => {
    const now = (await shown(made)) as {
      readonly actor: { readonly presence: string };
      readonly node: readonly unknown[];
      readonly tree: readonly unknown[];
      readonly signals: { readonly items?: readonly unknown[] };
      readonly item: readonly { readonly presence: string }[];
    };
    return now.node.length === 1 && now.tree.length === 1 && now.signals.items?.length === 2 && now.item[0]?.presence === "online" && now.actor.presence === "online" && now;
  });
  const streams = ["stream", "signals/stream"].map((which) =>
    made.watch.stream(which === "stream" ? `/v1/actors/${encodeURIComponent(addressOf(GOOD))}/stream` : `/v1/vehicles/${encodeURIComponent(addressOf(GOOD))}/signals/stream`),
  );
  const wrong: string[] = [];
  const used = [
    ...(await sayAll(wrong, made, "tree", tree, (vehicle, body) => made.say(vehicle, ["tree"], enveloped(vehicle, "tree", body)))),
    ...(await sayAll(wrong, made, "info", info, (vehicle, body) => made.say(vehicle, ["signal-info"], enveloped(vehicle, "signals", body)))),
    ...(await sayAll(wrong, made, "sample", sample, (vehicle, body) => made.say(vehicle, ["signals"], enveloped(vehicle, "signals", body)))),
    ...(await sayAll(
      wrong,
      made,
      "items",
      () => ({ incarnation: "i", items: [{ kind: "entry", seq: 1, bytes: evilBytes(sample()) }] }),
      (vehicle, body) => made.ask(vehicle, ["telemetry"], enveloped(vehicle, "telemetry", body)),
    )),
    ...(await sayAll(
      wrong,
      made,
      "gap",
      () => ({ kind: "gap", from: 1, to: 2, count: 2 }),
      (vehicle, item) => made.ask(vehicle, ["telemetry"], enveloped(vehicle, "telemetry", { incarnation: "i", items: [item] })),
    )),
    ...(await sayAll(wrong, made, "entry", sample, (vehicle, value) =>
      made.ask(vehicle, ["telemetry"], enveloped(vehicle, "telemetry", { incarnation: "i", items: [{ kind: "entry", seq: 1, bytes: evilBytes(value) }] })),
    )),
    ...(await sayAll(
      wrong,
      made,
      "live",
      () => ({ ...sender(ANY), body: { version: "1" } }),
      (vehicle, fields) => made.say(vehicle, ["live"], evilEnvelope("live", fields)),
    )),
    ...(await sayAll(wrong, made, "batch", opened, (vehicle, body) => made.ask(vehicle, ["stream"], enveloped(vehicle, "stream", body)))),
    ...(await sayAll(wrong, made, "state", state, (vehicle, value) => made.ask(vehicle, ["stream"], enveloped(vehicle, "stream", batch(vehicle, { opening: evilBytes(value) }))))),
    ...(await sayAll(wrong, made, "record", record, async (vehicle, value) => {
      await made.ask(vehicle, ["stream"], enveloped(vehicle, "stream", opened(vehicle)));
      await made.ask(vehicle, ["stream"], enveloped(vehicle, "stream", batch(vehicle, { records: [evilBytes(value)] })));
    })),
    ...(await sayAll(wrong, made, "alarm", alarm, (vehicle, body) =>
      made.ask(vehicle, ["in"], enveloped(vehicle, "tell", body, { to: `${TENANT}/alarm/${vehicle}.a`, remainingMs: 2_000, expiresInMs: 60_000 })),
    )),
    ...(await sayAll(
      wrong,
      made,
      "message",
      () => ({
        ...sender(ANY),
        entity: addressOf(ANY),
        incarnation: "i",
        seq: 1,
        oldest: 1,
        to: `${TENANT}/presence/${ANY}`,
        remainingMs: 2_000,
        expiresInMs: 60_000,
        correlation: "c",
        replyKey: "r",
        answers: "a",
        trace: "t",
        author: "ann",
        against: 1,
        body: { type: "decline", refusal: { kind: "refused", accepts: [] } },
      }),
      (vehicle, fields) => made.ask(vehicle, ["in"], evilEnvelope("tell", fields)),
    )),
  ];
  t.same(wrong, []);
  t.ok(used.length > 4_000, `${String(used.length)} wrong messages`);
  t.same(await shown(made), before);
  const documents = async (from: number): Promise<readonly string[]> => {
    const { items } = (await made.watch.json("/v1/actors?kind=vehicle&limit=1000")) as { readonly items: readonly { readonly address: string }[] };
    t.ok(items.length > 50, `${String(items.length)} of them were taken`);
    return made.watch.bad(...items.filter((_, at) => at % READ_EVERY === from % READ_EVERY).map(({ address }) => address));
  };
  t.same(await documents(0), []);
  for (const stream of streams) t.ok(stream.isOpen());
  await made.say(GOOD, ["signals"], enveloped(GOOD, "signals", { at: AT + 1, values: { "Vehicle.Speed": 51 } }));
  await until("the live signals go on", 5_000, () => streams[1]?.text().includes('"value":51') === true);
  await made.say(GOOD, ["signals"], enveloped(GOOD, "signals", { at: AT + 2, values: { "Vehicle.Speed": 50 } }));
  for (const stream of streams) stream.end();
  t.ok(made.warnings() > 0 && made.warnings() < 200, `${String(made.warnings())} warnings: few, and not none`);

  await made.stop();
  await made.start();
  await made.say(GOOD, ["signal-info"], enveloped(GOOD, "signals", info()));
  await made.say(GOOD, ["signals"], enveloped(GOOD, "signals", { at: AT + 2, values: { "Vehicle.Speed": 50, "Engine.Speed": null } }));
  t.same(await documents(1), []);
  const after = (await shown(made)) as Record<string, unknown>;
  t.same([after["history"], after["tree"]], [before["history" as never], before["tree" as never]]);
});

test("S3, S10. Whatever a vehicle answers to a command, the sender gets an answer of the API, and never a 500", { timeout: 120_000 }, async (t) => {
  const made = await world(t);
  let answer: Uint8Array = new Uint8Array();
  const ask = (vehicle: string): ReturnType<ApiWatch["ask"]> => made.watch.ask(addressOf(vehicle), { type: "bus.mute", bus: "can0" });
  const guard = { condition: "parked", open: false, reads: [{ signal: "Vehicle.Speed", value: 3.5, ageMs: 12 }] };
  const samples: readonly object[] = [
    { kind: "accepted", durable: "local", revision: 3 },
    { kind: "replied", value: { outcome: "confirmed", output: "o", value: 1 } },
    { kind: "refused", accepts: ["a"], reason: "r", guard },
    { kind: "invalid", problems: [{ path: "/x", message: "m" }], accepts: ["a"] },
    { kind: "full", retryAfterMs: 5 },
    { kind: "owner-away", asOf: AT, reason: "r" },
    { kind: "not-stored", reason: "r" },
    { kind: "unknown", reason: "r" },
  ];
  const wrong: string[] = [];
  let asked = 0;
  // Each sample has a vehicle of its own: what is kept of a vehicle's unanswered commands is written with each of them.
  for (const [at, one] of samples.entries()) {
    const vehicle = `answers-${String(at)}`;
    await introduce(made, vehicle);
    await made.evil.serve(namesOf(vehicle).down("in"), () => Promise.resolve(answer));
    await until(`${vehicle} is online`, 10_000, async () => (await ask(vehicle)).status !== 503);
    const answers = [...mutationsByPlace(one).values()].flatMap((list, place) => list.filter((_, at) => (at + place) % ANSWER_EVERY === 0));
    for (const { path, name, value } of answers) {
      answer = enveloped(vehicle, "answer", value, { correlation: "c" });
      const { status, text } = await ask(vehicle);
      asked++;
      if (status === 500 || status === 0) wrong.push(`${JSON.stringify(one)} ${path} ${name}: ${String(status)} ${text.slice(0, 200)}`);
    }
    wrong.push(...(await made.watch.bad(addressOf(vehicle))));
  }
  t.same(wrong, []);
  t.ok(asked > 500, String(asked));
});
