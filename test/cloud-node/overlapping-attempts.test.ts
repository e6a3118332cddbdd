// Attempts at random under few ids: overlapping, hasty, for other commands, through slow and full stores, vehicles that are away, mute or full, and kills of the cloud.
// Whatever the order, nobody who may have moved something is told that nothing was sent, no id acts for two commands, and an id of which nothing ever left is free again.

import { test } from "tap";
import { requestsEntity } from "../../actors/index.ts";
import { leftCommands } from "../../cloud-node/left-commands.ts";
import { rememberingSent } from "../../cloud-node/sent-commands.ts";
import { type Answer, createSystem, parseAddress, type RemoteMessage, type System, type Told } from "../../runtime/index.ts";
import { type CommitOutcome, silentLog } from "../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, memoryStore, SeededRandom } from "../../runtime/simulation/index.ts";
import { form } from "../forms.ts";

const TORRENT = parseAddress("acme/vehicle/v1/module/torrent-0");
const NOT_SENT = ["owner-away", "full", "deadline", "not-stored"];
const STEPS = 60;

type Word = Told | Answer;

/** The vehicle outlives every cloud, and keeps the ids that it took (rules M2). */
class Vehicle {
  readonly acted = new Map<string, number>();
  /** Ids with which anything left the cloud. */
  readonly heard = new Set<string>();
  isThere = true;
  isFull = false;
  isMute = false;
  latencyMs = 0;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  async take({ sender, event, withinMs }: RemoteMessage): Promise<Word> {
    if (sender.kind !== "outside") throw new Error("only messages from outside come here");
    if (!this.isThere) return { kind: "owner-away" };
    this.heard.add(sender.id);
    const { isFull, isMute, latencyMs } = this;
    const answer = this.#afterMs(latencyMs / 2).then((): Word => {
      const level = this.acted.get(sender.id);
      if (level !== undefined && level !== event["level"]) return { kind: "id-reused" };
      if (level === undefined && isFull) return { kind: "full", retryAfterMs: 1 };
      this.acted.set(sender.id, event["level"] as number);
      return { kind: "replied", value: { outcome: "confirmed" } };
    });
    const late = this.#afterMs(Math.max(1, withinMs)).then((): Word => ({ kind: "unknown", reason: "no answer in time" }));
    return Promise.race([late, isMute ? new Promise<never>(() => undefined) : answer.then((word) => this.#afterMs(latencyMs / 2).then(() => word))]);
  }

  #afterMs(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimeout(resolve, ms));
  }
}

interface Cloud {
  readonly press: (id: string, level: number, withinMs: number) => Promise<Word>;
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
  const system: System = createSystem({ node: "cloud", types: [requestsEntity], store, clock, random: new SeededRandom(1), log: silentLog });
  await system.start();
  await system.activate(parseAddress("acme/requests/v1"), { input: undefined });
  const left = leftCommands(() => system, clock);
  const memory = rememberingSent({ route: () => ({ node: "edge", reachable: vehicle.isThere }), send: (message) => vehicle.take(message) }, left, clock);
  return {
    disk,
    press: (id, level, withinMs) => {
      const sender = { kind: "outside", id, author: "ann", expiresAt: clock.now() + 80_000_000 } as const;
      return memory.send({ to: TORRENT, event: { type: "light.set", output: "galley", level }, sender, ask: true, withinMs });
    },
    kill: () => {
      store.crash();
    },
  };
}

/** @returns what broke a promise, one line each */
async function play(seed: number): Promise<readonly string[]> {
  const random = new SeededRandom(seed);
  const pick = <T>(...of: readonly T[]): T => of[Math.floor(random.next() * of.length)] as T;
  const clock = new ManualClock();
  const vehicle = new Vehicle(clock);
  const storage = new MemoryDisk();
  const broken: string[] = [];
  let at = await cloud(storage, clock, vehicle);
  let kills = 0;
  let step = 0;

  async function press(id: string, level: number, withinMs: number): Promise<Word | undefined> {
    const before = kills;
    const word = await at.press(id, level, withinMs);
    if (kills !== before) return undefined;
    if (NOT_SENT.includes(word.kind) && vehicle.acted.get(id) === level)
      broken.push(`step ${String(step)}: ${id} acted at level ${String(level)}, and its sender heard ${word.kind}`);
    if (word.kind === "replied" && vehicle.acted.get(id) !== level) broken.push(`step ${String(step)}: ${id} is told as confirmed at level ${String(level)}, and did not act`);
    return word;
  }

  for (; step < STEPS; step++) {
    const what = random.next();
    if (what < 0.5) void press(pick("a", "b", "c"), pick(1, 1, 1, 2), pick(1, 20, 200, 2_000));
    else if (what < 0.6) vehicle.isThere = random.next() < 0.7;
    else if (what < 0.65) vehicle.isFull = random.next() < 0.4;
    else if (what < 0.7) vehicle.isMute = random.next() < 0.4;
    else if (what < 0.75) vehicle.latencyMs = pick(0, 10, 300, 2_500);
    else if (what < 0.85) at.disk.slowMs = pick(0, 0, 5, 100, 1_000);
    else if (what < 0.9) at.disk.isFull = random.next() < 0.3;
    else if (what < 0.93) {
      at.kill();
      kills++;
      at = await cloud(storage, clock, vehicle);
    }
    await clock.advance(pick(0, 0, 1, 10, 100, 1_000));
  }
  at.disk.slowMs = 0;
  at.disk.isFull = false;
  vehicle.isThere = false;
  await clock.advance(60_000);
  const isKilled = kills > 0;
  for (const id of ["a", "b", "c"]) {
    const word = await press(id, vehicle.acted.get(id) ?? 1, 2_000);
    if (!isKilled && !vehicle.heard.has(id) && word?.kind !== "owner-away") broken.push(`nothing of ${id} ever left, and its sender hears ${String(word?.kind)}`);
  }
  at.kill();
  kills++;
  at = await cloud(storage, clock, vehicle);
  for (const id of ["a", "b", "c"]) {
    const word = await press(id, vehicle.acted.get(id) ?? 1, 2_000);
    if (!isKilled && !vehicle.heard.has(id) && word?.kind !== "owner-away") broken.push(`nothing of ${id} ever left, and its sender hears ${String(word?.kind)} after a kill`);
  }
  at.kill();
  return broken;
}

test("S3, M2. Attempts at random under few ids never say that nothing was sent of what acted, and what never left is free", async (t) => {
  const seeds = Array.from({ length: form(25, 1_000) }, (_, n) => n + 1);
  const broken: string[] = [];
  for (const seed of seeds) for (const line of await play(seed)) broken.push(`seed ${String(seed)}: ${line}`);
  t.same(broken, []);
});
