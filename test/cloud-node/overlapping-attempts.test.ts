// Attempts at random under few ids: overlapping, hasty, for other commands, through slow and full stores, vehicles that are away, mute or full, and kills of the cloud.
// Whatever the order, nobody who may have moved something is told that nothing was sent, no id acts for two commands, an id of which nothing ever left is free again, and what was
// accepted to wait acts, or ends unsent when its time is over, in the order in which it was accepted.

import { test } from "tap";
import { requestsEntity, requestsType, type RequestsContext } from "../../actors/index.ts";
import { forwarding } from "../../cloud-node/forwarding.ts";
import { leftCommands } from "../../cloud-node/left-commands.ts";
import { rememberingSent } from "../../cloud-node/sent-commands.ts";
import { VehicleLinks } from "../../cloud-node/vehicle-links.ts";
import { waitingRemote } from "../../cloud-node/waiting-commands.ts";
import { type Address, type Answer, createSystem, parseAddress, type RemoteMessage, type System, type Told } from "../../runtime/index.ts";
import { type CommitOutcome, silentLog } from "../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, memoryStore, SeededRandom } from "../../runtime/simulation/index.ts";
import { form } from "../forms.ts";

const VEHICLE = parseAddress("acme/vehicle/v1");
const REQUESTS = parseAddress("acme/requests/v1");
const TTL_MS = 600_000;
const NOT_SENT = ["owner-away", "full", "deadline", "not-stored"];
const STEPS = 60;

interface What {
  readonly to: Address;
  readonly event: (value: number) => { readonly type: string; readonly [field: string]: string | number };
}

const LIGHT: What = {
  to: parseAddress("acme/vehicle/v1/module/torrent-0"),
  event: (value: number) => ({ type: "light.set", output: "galley", level: value }),
};
/** What may wait. */
const WISH: What = {
  to: parseAddress("acme/vehicle/v1/module/therma"),
  event: (value: number) => ({ type: "climate.setpoint.request", value }),
};

type Word = Told | Answer;

/** The vehicle outlives every cloud, and keeps the ids that it took (rules M2). It hears in the order in which was sent. */
class Vehicle {
  /** What acted, by id, in order. */
  readonly acted = new Map<string, number>();
  /** Ids with which anything left the cloud. */
  readonly heard = new Set<string>();
  readonly links: VehicleLinks;
  isFull = false;
  isMute = false;
  latencyMs = 0;
  readonly #clock: ManualClock;
  #sessions = 0;
  #isThere = false;
  #arrivedAt = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
    this.links = new VehicleLinks(clock);
    this.isThere = true;
  }

  get isThere(): boolean {
    return this.#isThere;
  }

  set isThere(isThere: boolean) {
    if (isThere === this.#isThere) return;
    this.#isThere = isThere;
    if (isThere) this.#sessions++;
    const live = { node: "edge", session: `s${String(this.#sessions)}`, epoch: 1, version: "1" };
    this.links.note({ tenant: "acme", vehicle: "v1", ...(isThere ? { live } : {}) } as never);
  }

  async take({ sender, event, withinMs, waitedMs = 0 }: RemoteMessage): Promise<Word> {
    if (sender.kind !== "outside") throw new Error("only messages from outside come here");
    if (!this.isThere) return { kind: "owner-away" };
    this.heard.add(sender.id);
    const { isFull, isMute, latencyMs } = this;
    this.#arrivedAt = Math.max(this.#arrivedAt, this.#clock.monotonic() + latencyMs / 2);
    const answer = this.#afterMs(this.#arrivedAt - this.#clock.monotonic()).then((): Word => {
      const value = (event["level"] ?? event["value"]) as number;
      const before = this.acted.get(sender.id);
      if (before !== undefined) return before === value ? { kind: "replied", value: { outcome: "confirmed" } } : { kind: "id-reused" };
      if (waitedMs >= TTL_MS) return { kind: "too-old" };
      if (isFull) return { kind: "full", retryAfterMs: 1 };
      this.acted.set(sender.id, value);
      return { kind: "replied", value: { outcome: "confirmed" } };
    });
    const late = this.#afterMs(Math.max(1, withinMs)).then((): Word => ({ kind: "unknown", reason: "no answer in time" }));
    return Promise.race([late, isMute ? new Promise<never>(() => undefined) : answer.then((word) => this.#afterMs(latencyMs / 2).then(() => word))]);
  }

  #afterMs(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimeout(resolve, ms));
  }
}

const replica = { address: WISH.to, entity: VEHICLE, type: "setpoint-owner", accepts: [WISH.event(1).type], context: { ttlMs: { [WISH.event(1).type]: TTL_MS } } };

interface Cloud {
  readonly system: System;
  readonly press: (what: What, id: string, value: number, withinMs: number) => Promise<Word>;
  readonly disk: { slowMs: number; isFull: boolean };
  kill(): void;
}

async function cloud(storage: MemoryDisk, clock: ManualClock, vehicle: Vehicle): Promise<Cloud> {
  const store = memoryStore({ disk: storage });
  await store.open();
  const disk = { slowMs: 0, isFull: false };
  const commit = store.commit.bind(store);
  store.commit = async (batch) => {
    if (disk.slowMs > 0) await new Promise<void>((resolve) => clock.setTimeout(resolve, disk.slowMs));
    return disk.isFull ? batch.map((): CommitOutcome => ({ kind: "refused", reason: "the disk is full", passing: true })) : commit(batch);
  };
  let isDead = false;
  const never = new Promise<never>(() => undefined);
  const left = leftCommands(() => system, clock);
  const memory = rememberingSent({ route: () => ({ node: "edge", reachable: vehicle.isThere }), send: (message) => (isDead ? never : vehicle.take(message)) }, left, clock);
  const system: System = createSystem({
    node: "cloud",
    types: [requestsEntity, requestsType.with({ effects: forwarding(vehicle.links, memory, () => system, clock) })],
    store,
    clock,
    random: new SeededRandom(1),
    log: silentLog,
  });
  await system.start();
  system.mount({ read: (address: string) => (address === WISH.to ? replica : undefined), views: () => [], watch: () => () => undefined, history: async () => undefined } as never);
  await system.activate(REQUESTS, { input: undefined });
  const remote = waitingRemote(memory, () => system, clock);
  return {
    system,
    disk,
    press: ({ to, event }, id, value, withinMs) =>
      remote.send({ to, event: event(value), sender: { kind: "outside", id, author: "ann", expiresAt: clock.now() + 80_000_000 }, ask: true, withinMs }),
    kill: () => {
      isDead = true;
      store.crash();
      void system.stop();
    },
  };
}

/** Of one id: what its senders were told. */
interface Pressed {
  readonly value: number;
  /** Step of the first press. */
  readonly first: number;
  /** Step at which the last press was answered; Infinity while one is not. Two that overlap have no order. */
  last: number;
  /** One of them was told that it waits. */
  isAccepted: boolean;
}

/** @returns what broke a promise, one line each */
async function play(seed: number): Promise<readonly string[]> {
  const random = new SeededRandom(seed);
  const pick = <T>(...of: readonly T[]): T => of[Math.floor(random.next() * of.length)] as T;
  const clock = new ManualClock();
  const vehicle = new Vehicle(clock);
  const storage = new MemoryDisk();
  const broken: string[] = [];
  const wishes = new Map<string, Pressed>();
  let at = await cloud(storage, clock, vehicle);
  let kills = 0;
  let step = 0;
  const note = (line: string): void => void broken.push(`step ${String(step)}: ${line}`);

  async function press(what: What, id: string, value: number, withinMs: number): Promise<Word | undefined> {
    const before = kills;
    const word = await at.press(what, id, value, withinMs);
    if (kills !== before) return undefined;
    const acted = vehicle.acted.get(id);
    if (NOT_SENT.includes(word.kind) && acted === value) note(`${id} acted, and its sender heard ${word.kind}`);
    if (word.kind === "replied" && acted !== value) note(`${id} is told as confirmed at ${String(value)}, and did not act`);
    const wish = wishes.get(id);
    if (wish?.value === value && word.kind === "accepted") wish.isAccepted = true;
    if (wish?.value === value) wish.last = step;
    return word;
  }

  function pressAny(): void {
    const withinMs = pick(1, 20, 200, 2_000);
    if (random.next() < 0.5) return void press(LIGHT, pick("a", "b", "c"), pick(1, 1, 1, 2), withinMs);
    const known = [...wishes.keys()];
    const id = known.length > 0 && random.next() < 0.5 ? pick(...known) : `w${String(wishes.size)}`;
    const wish = wishes.get(id) ?? { value: 20 + wishes.size, first: step, last: Infinity, isAccepted: false };
    wishes.set(id, wish);
    const value = random.next() < 0.1 ? 99 : wish.value;
    if (value === wish.value) wish.last = Infinity;
    void press(WISH, id, value, withinMs);
  }

  async function killed(): Promise<void> {
    at.kill();
    kills++;
    at = await cloud(storage, clock, vehicle);
  }

  for (; step < STEPS; step++) {
    const what = random.next();
    if (what < 0.5) pressAny();
    else if (what < 0.6) vehicle.isThere = random.next() < 0.7;
    else if (what < 0.65) vehicle.isFull = random.next() < 0.4;
    else if (what < 0.7) vehicle.isMute = random.next() < 0.4;
    else if (what < 0.75) vehicle.latencyMs = pick(0, 10, 300, 2_500);
    else if (what < 0.85) at.disk.slowMs = pick(0, 0, 5, 100, 1_000);
    else if (what < 0.9) at.disk.isFull = random.next() < 0.3;
    else if (what < 0.93) await killed();
    await clock.advance(pick(0, 0, 1, 10, 100, 1_000));
  }

  async function lights(how: string): Promise<void> {
    for (const id of ["a", "b", "c"]) {
      const word = await press(LIGHT, id, vehicle.acted.get(id) ?? 1, 2_000);
      if (wasKilled || vehicle.heard.has(id) || word?.kind === "owner-away") continue;
      note(`nothing of ${id} ever left, and its sender hears ${String(word?.kind)}${how}`);
    }
  }
  const wasKilled = kills > 0;
  at.disk.slowMs = 0;
  at.disk.isFull = false;
  vehicle.isThere = false;
  await clock.advance(60_000);
  await lights("");
  await killed();
  await lights(" after a kill");
  vehicle.isMute = false;
  vehicle.isFull = false;
  vehicle.latencyMs = 0;
  vehicle.isThere = true;
  await clock.advance(120_000);

  const context = at.system.read(REQUESTS)?.context as RequestsContext;
  if (context.waiting.length > 0) note(`still waiting: ${context.waiting.map(({ request }) => request).join(", ")}`);
  for (const [id, { value, isAccepted }] of wishes) {
    const settled = context.settled.find(({ request }) => request === id);
    if (isAccepted && vehicle.acted.get(id) !== value && settled?.overtaken !== true) note(`${id} was accepted to wait, and did not act: ${settled?.outcome ?? "no outcome"}`);
  }
  const order = [...vehicle.acted].flatMap(([id, value]) => [...wishes].filter(([of, wish]) => of === id && wish.value === value).map(([, wish]) => wish));
  for (const [n, { last, value }] of order.entries())
    for (const { first, value: other } of order.slice(0, n)) if (first > last) note(`the wish for ${String(value)} acted after the newer one for ${String(other)}`);
  at.kill();
  return broken;
}

test("S3, M2, O2. Attempts at random under few ids never say that nothing was sent of what acted, and what was accepted to wait acts in its order", async (t) => {
  const seeds = Array.from({ length: form(25, 400) }, (_, n) => n + 1);
  const broken: string[] = [];
  for (const seed of seeds) for (const line of await play(seed)) broken.push(`seed ${String(seed)}: ${line}`);
  t.same(broken, []);
});
