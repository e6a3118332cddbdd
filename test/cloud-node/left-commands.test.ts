// What left for a vehicle is known after a kill of the cloud: nobody who asks again is told that nothing was sent.

import { test } from "tap";
import { requestsEntity } from "../../actors/index.ts";
import { type LeftCommands, leftCommands } from "../../cloud-node/left-commands.ts";
import { rememberingSent, type SentMemory } from "../../cloud-node/sent-commands.ts";
import { type Answer, createSystem, type EventData, parseAddress, type Told } from "../../runtime/index.ts";
import { type CommitOutcome, silentLog } from "../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, type MemoryStore, memoryStore, SeededRandom } from "../../runtime/simulation/index.ts";

const TORRENT = parseAddress("acme/vehicle/v1/module/torrent-0");
const SET = { type: "light.set", output: "galley", level: 9 };

interface Run {
  readonly memory: SentMemory;
  readonly store: MemoryStore;
  /** Events that went to the vehicle. */
  readonly sent: EventData[];
  word: Told | Answer;
  isUp: boolean;
  /** What the last one that was sent had left. */
  withinMs?: number;
  press(id: string, event?: EventData, author?: string, withinMs?: number): Promise<Told | Answer>;
  kill(): Promise<void>;
}

/** One run of the cloud over what the runs before it stored. */
async function run(disk: MemoryDisk, clock: ManualClock): Promise<Run> {
  const store = memoryStore({ disk });
  await store.open();
  const system = createSystem({ node: "cloud", types: [requestsEntity], store, clock, random: new SeededRandom(1), log: silentLog });
  await system.start();
  await system.activate(parseAddress("acme/requests/v1"), { input: undefined });
  const left = leftCommands(() => system, clock);
  const self: Run = {
    sent: [],
    word: { kind: "unknown", reason: "no answer within 2000 ms" },
    isUp: true,
    store,
    memory: rememberingSent(
      {
        route: () => ({ node: "edge", reachable: self.isUp }),
        send: async ({ event, withinMs }) => {
          if (!self.isUp) return { kind: "owner-away" };
          self.withinMs = withinMs;
          self.sent.push(event);
          return self.word;
        },
      },
      left,
      clock,
    ),
    press: (id, event = SET, author = "ann", withinMs = 2_000) =>
      self.memory.send({ to: TORRENT, event, sender: { kind: "outside", id, author, expiresAt: clock.now() + 86_400_000 }, ask: true, withinMs }),
    kill: async () => {
      store.crash();
    },
  };
  return self;
}

test("S3, M2. Over a kill of the cloud a command that left is unknown while its vehicle is away, and asked for when it is back; one that never left was not sent", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const first = await run(disk, clock);
  t.match(await first.press("k1"), { kind: "unknown" });
  first.word = { kind: "replied", value: { outcome: "confirmed" } };
  t.match(await first.press("k2"), { kind: "replied" });
  await first.kill();

  const again = await run(disk, clock);
  again.isUp = false;
  t.match(await again.press("k1"), { kind: "unknown", reason: /an earlier attempt/ });
  t.match(await again.press("k2"), { kind: "unknown" }, "its outcome is the vehicle's to tell");
  t.match(await again.press("k3"), { kind: "owner-away" });
  t.match(await again.press("k1", { ...SET, level: 10 }), { kind: "id-reused" }, "another command under the same id");
  t.match(await again.press("k1", SET, "bob"), { kind: "id-reused" }, "another author's");
  t.same(again.sent, []);
  again.isUp = true;
  again.word = { kind: "replied", value: { outcome: "confirmed" } };
  t.match(await again.press("k1"), { kind: "replied" });
  await again.kill();
});

test("S3. It is written down before it leaves: a cloud that dies while the vehicle acts knows of it", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const first = await run(disk, clock);
  let heard = (): void => undefined;
  const left = new Promise<void>((resolve) => (heard = resolve));
  Object.defineProperty(first, "word", { get: () => (heard(), new Promise(() => undefined)) });
  void first.press("k1");
  await left;
  await first.kill();
  const again = await run(disk, clock);
  again.isUp = false;
  t.match(await again.press("k1"), { kind: "unknown" });
  await again.kill();
});

test("S3. What was not taken did not leave; what cannot be written down does not leave", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const first = await run(disk, clock);
  first.word = { kind: "full", retryAfterMs: 1_000 };
  t.match(await first.press("k1"), { kind: "full" });
  t.equal(first.sent.length, 1);
  const commit = first.store.commit.bind(first.store);
  first.store.commit = async (batch) => batch.map((): CommitOutcome => ({ kind: "refused", reason: "the disk is full", passing: true }));
  const late = first.press("k2");
  await clock.advance(2_100);
  t.match(await late, { kind: "not-stored" });
  t.match(await first.press("k3"), { kind: "not-stored" }, "at once, while the store takes nothing");
  t.equal(first.sent.length, 1, "nothing was sent");
  first.store.commit = commit;
  await clock.advance(10_000);
  t.match(await first.press("k4"), { kind: "full" }, "and when there is room again it goes on");
  t.equal(first.sent.length, 2);
  first.store.crash();
  const again = await run(disk, clock);
  again.isUp = false;
  for (const id of ["k1", "k2", "k3", "k4"]) t.match(await again.press(id), { kind: "owner-away" }, id);
  await again.kill();
});

/** A store that takes this much longer. */
function slow({ store }: Run, clock: ManualClock, ms: number): void {
  const commit = store.commit.bind(store);
  store.commit = async (batch) => {
    await new Promise<void>((resolve) => clock.setTimeout(resolve, ms));
    return commit(batch);
  };
}

/** What the next run of the cloud says of an id while the vehicle is away. */
async function afterKill(at: Run, disk: MemoryDisk, clock: ManualClock, id: string): Promise<Told | Answer> {
  await at.kill();
  const again = await run(disk, clock);
  again.isUp = false;
  const word = await again.press(id);
  await again.kill();
  return word;
}

test("S3, M2. Attempts under one id that overlap: what one of them had written stays while another may have acted, in whichever order they end", async (t) => {
  const confirmed = { kind: "replied", value: { outcome: "confirmed" } } as const;
  for (const [name, firstWithinMs, secondAfterMs] of [
    ["while the first is being written", 1, 10],
    ["when the first is just written", 1, 300],
    ["both patient", 2_000, 10],
  ] as const) {
    const disk = new MemoryDisk();
    const clock = new ManualClock();
    const at = await run(disk, clock);
    at.word = confirmed;
    slow(at, clock, 300);
    const first = at.press("k", SET, "ann", firstWithinMs);
    await clock.advance(secondAfterMs);
    const second = at.press("k");
    await clock.advance(1_000);
    t.match(await first, { kind: firstWithinMs === 1 ? "deadline" : "replied" }, name);
    t.match(await second, confirmed, name);
    await clock.advance(5_000);
    t.match(await afterKill(at, disk, clock, "k"), { kind: "unknown" }, name);
  }
});

test("S3. No attempt leaves before it is written down itself, also not behind an earlier one of the same id", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const at = await run(disk, clock);
  at.store.commit = async (batch) => batch.map((): CommitOutcome => ({ kind: "refused", reason: "the disk is full", passing: true }));
  const first = at.press("k");
  const second = at.press("k");
  await clock.advance(2_100);
  t.match(
    [await first, await second],
    [{ kind: "unknown", reason: /another attempt/ }, { kind: "not-stored" }],
    "the first cannot say that nothing was sent while the second may leave",
  );
  t.same(at.sent, []);
  t.match(await afterKill(at, disk, clock, "k"), { kind: "owner-away" });

  const late = await run(disk, clock);
  slow(late, clock, 1_000);
  const hasty = late.press("k2", SET, "ann", 1);
  await clock.advance(5);
  const patient = late.press("k2");
  await clock.advance(500);
  t.match(await hasty, { kind: "deadline" });
  t.same(late.sent, [], "the second waits for the disk as the first did");
  await late.kill();
  void patient.catch(() => undefined);
});

test("S3, M2. Of attempts that all came to nothing nothing is known, and their id is free", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const at = await run(disk, clock);
  at.word = { kind: "full", retryAfterMs: 1_000 };
  slow(at, clock, 300);
  const words = [at.press("k", SET, "ann", 1), at.press("k"), at.press("k")];
  await clock.advance(5_000);
  const [hasty, ...others] = await Promise.all(words);
  t.match(hasty, { kind: "unknown", reason: /another attempt/ }, "the others may still leave");
  t.match(others.at(-1), { kind: "full" });
  at.word = { kind: "invalid", problems: [], accepts: [] };
  const malformed = at.press("k", { ...SET, level: 900 });
  await clock.advance(5_000);
  t.match(await malformed, { kind: "invalid" });
  t.match(await afterKill(at, disk, clock, "k"), { kind: "owner-away" });
});

test("S3, M2. What came to nothing while the store took nothing is taken out when it takes again, and its id is free for another command", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const at = await run(disk, clock);
  const commit = at.store.commit.bind(at.store);
  const full = async (batch: Parameters<typeof commit>[0]): Promise<CommitOutcome[]> => batch.map(() => ({ kind: "refused", reason: "the disk is full", passing: true }));
  Object.defineProperty(at, "word", { configurable: true, get: () => ((at.store.commit = full), { kind: "full", retryAfterMs: 1 }) });
  const untaken = at.press("k");
  await clock.advance(5_000);
  t.match(await untaken, { kind: "full" });
  at.store.commit = commit;
  await clock.advance(10_000);
  Object.defineProperty(at, "word", { value: { kind: "replied", value: { outcome: "confirmed" } } });
  t.match(await at.press("k", { ...SET, level: 10 }), { kind: "replied" });
  t.match(await afterKill(at, disk, clock, "k"), { kind: "id-reused" });
});

test("M2. An id that left stands for its command: another one under it is refused and takes nothing from the first; in another vehicle it is another id", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const at = await run(disk, clock);
  at.word = { kind: "replied", value: { outcome: "confirmed" } };
  t.match(await at.press("k"), { kind: "replied" });
  t.match(await at.press("k", { ...SET, level: 10 }), { kind: "id-reused" });
  t.match(await at.press("k", SET, "bob"), { kind: "id-reused" });
  t.equal(at.sent.length, 1);
  at.isUp = false;
  t.match(await at.press("k"), { kind: "replied" });
  at.isUp = true;
  t.match(
    await at.memory.send({
      to: parseAddress("acme/vehicle/v2/module/torrent-0"),
      event: SET,
      sender: { kind: "outside", id: "k", author: "ann", expiresAt: 9e12 },
      ask: true,
      withinMs: 99,
    }),
    {
      kind: "replied",
    },
  );
  t.match(await afterKill(at, disk, clock, "k"), { kind: "unknown" });
});

test("M2. It is known until the id of its last attempt expires", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const at = await run(disk, clock);
  await at.press("k");
  await clock.advance(86_000_000);
  await at.press("k");
  await clock.advance(1_000_000);
  at.isUp = false;
  t.match(await at.press("k"), { kind: "unknown" });
  t.match(await afterKill(at, disk, clock, "k"), { kind: "unknown" });
});

test("S5. Who does not wait for the writing hears that its time was over, and hurts nobody else; a store that is slow is not one that takes nothing", async (t) => {
  const clock = new ManualClock();
  const at = await run(new MemoryDisk(), clock);
  at.word = { kind: "replied", value: { outcome: "confirmed" } };
  const commit = at.store.commit.bind(at.store);
  at.store.commit = async (batch) => {
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 300));
    return commit(batch);
  };
  const hasty = at.press("hasty", SET, "ann", 1);
  const patient = at.press("patient");
  await clock.advance(1_500);
  t.match(await hasty, { kind: "deadline" });
  t.match(await patient, { kind: "replied" });
  t.equal(at.sent.length, 1);
  t.ok((at.withinMs ?? 0) < 2_000 && (at.withinMs ?? 0) >= 1_000, `what the writing took is not waited for again: ${String(at.withinMs)} ms`);
  for (let n = 0; n < 3; n++) void at.press(`hasty-${String(n)}`, SET, "ann", 1);
  const next = at.press("next");
  await clock.advance(3_000);
  t.match(await next, { kind: "replied" });
  await at.kill();
});

test("M2, S5. It is known until its id expires: of those without a word the newest 1,000, of those that the vehicle answered the newest 64", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const first = await run(disk, clock);
  for (let n = 0; n < 1_004; n++) await first.press(`open-${String(n)}`);
  first.word = { kind: "replied", value: { outcome: "confirmed" } };
  for (let n = 0; n <= 68; n++) await first.press(`answered-${String(n)}`);
  await first.press("last");
  await first.kill();
  const again = await run(disk, clock);
  again.isUp = false;
  const known = async (name: string, count: number): Promise<readonly number[]> => {
    const found: number[] = [];
    for (let n = 0; n < count; n++) if ((await again.press(`${name}-${String(n)}`)).kind === "unknown") found.push(n);
    return found;
  };
  t.same(
    await known("open", 1_004),
    Array.from({ length: 999 }, (_, n) => n + 5),
    "the newest, with the last one",
  );
  t.same(
    await known("answered", 69),
    Array.from({ length: 64 }, (_, n) => n + 5),
  );
  await again.kill();
  await clock.advance(86_400_001);
  const late = await run(disk, clock);
  late.isUp = false;
  t.match(await late.press("last"), { kind: "owner-away" });
  await late.kill();
});

test("S3, M2. Two attempts under one id that end in the same moment: nobody is told that nothing came of it where something may have", async (t) => {
  const clock = new ManualClock();
  const taken = { kind: "accepted", durable: "local" } as const;
  const left: LeftCommands = {
    leaves: () => ({ told: Promise.resolve(taken), settled: Promise.resolve(true), over: () => undefined }),
    untaken: async () => true,
    answered: () => undefined,
    find: () => undefined,
  };
  const message = (id: string) =>
    ({ to: TORRENT, event: SET, sender: { kind: "outside", id, author: "ann", expiresAt: clock.now() + 86_400_000 }, ask: true, withinMs: 40 }) as const;
  const words: readonly (Told | Answer)[] = [
    { kind: "deadline" },
    { kind: "unknown", reason: "its commit has not ended in time" },
    { kind: "replied", value: { outcome: "confirmed" } },
  ];
  for (const first of words)
    for (const second of words) {
      const answers: ((word: Told | Answer) => void)[] = [];
      const memory = rememberingSent({ route: () => ({ node: "edge", reachable: true }), send: () => new Promise((resolve) => answers.push(resolve)) }, left, clock);
      const both = [memory.send(message("k")), memory.send(message("k"))];
      while (answers.length < 2) await Promise.resolve();
      answers[0]?.(first);
      answers[1]?.(second);
      const told = (await Promise.all(both)).map(({ kind }) => kind);
      const isNothing = first.kind === "deadline" && second.kind === "deadline";
      t.equal(told.includes("deadline"), isNothing, `${first.kind}, ${second.kind}: ${told.join(", ")}`);
    }
});

/** A vehicle that answers each command after this time. */
function answering(at: Run, clock: ManualClock, ms: number): void {
  const word = { kind: "replied", value: { outcome: "confirmed" } } as const;
  Object.defineProperty(at, "word", { get: () => new Promise<Told | Answer>((resolve) => clock.setTimeout(() => resolve(word), ms)) });
}

/** How many of these kinds, and the longest that one was waited for. */
async function burst(at: Run, clock: ManualClock, count: number, name = "k"): Promise<{ readonly kinds: Record<string, number>; readonly words: readonly (Told | Answer)[] }> {
  const all = Array.from({ length: count }, (_, n) => at.press(`${name}-${String(n)}`, SET, "ann", 10_000));
  await clock.advance(15_000);
  const words = await Promise.all(all);
  const kinds: Record<string, number> = {};
  for (const { kind } of words) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return { kinds, words };
}

test("S5. Of a burst as many leave as have room, and the others are told that there is none, never that the store takes nothing; then the next one leaves at once", async (t) => {
  const clock = new ManualClock();
  const at = await run(new MemoryDisk(), clock);
  slow(at, clock, 100);
  answering(at, clock, 500);
  let commits = 0;
  const commit = at.store.commit.bind(at.store);
  at.store.commit = (batch) => (commits++, commit(batch));
  const full = at.press("first");
  await clock.advance(0);
  const { kinds, words } = await burst(at, clock, 800);
  await full;
  t.same(Object.keys(kinds).sort(), ["full", "replied"]);
  t.ok((kinds["replied"] ?? 0) >= 256, `${String(kinds["replied"])} left`);
  t.equal(at.sent.length, 1 + (kinds["replied"] ?? 0), "and nothing of those that were turned away");
  t.match(
    words.find(({ kind }) => kind === "full"),
    { kind: "full", retryAfterMs: 1_000, reason: /too many commands for vehicle acme\/v1 wait/ },
  );
  t.ok(commits < 20, `what was turned away is not written, and what leaves is written together: ${String(commits)} commits`);
  const next = at.press("next");
  await clock.advance(700);
  t.match(await next, { kind: "replied" });
  await at.kill();
});

test("S5. The more commands are under way the more are accepted, also where they are more than the vehicle is asked at a time", async (t) => {
  const accepted: number[] = [];
  for (const inFlight of [50, 150, 400]) {
    const clock = new ManualClock();
    const at = await run(new MemoryDisk(), clock);
    slow(at, clock, 400);
    answering(at, clock, 300);
    let count = 0;
    let n = 0;
    const others = new Set<string>();
    const end = clock.monotonic() + 6_000;
    const one = async (): Promise<void> => {
      while (clock.monotonic() < end) {
        const { kind } = await at.press(`k-${String(n++)}`, SET, "ann", 10_000);
        if (kind === "replied") count++;
        else {
          others.add(kind);
          await new Promise<void>((resolve) => clock.setTimeout(resolve, 1_000));
        }
      }
    };
    const all = Array.from({ length: inFlight }, one);
    await clock.advance(12_000);
    await Promise.all(all);
    accepted.push(count);
    t.same([...others], [], `${String(inFlight)} in flight`);
    await at.kill();
  }
  t.same(
    accepted,
    [...accepted].sort((a, b) => a - b),
  );
});

test("S5. Before a vehicle that gives no word stand as many as it is asked at a time; who waits for a place hears in time that there is none, a further one at once, and nothing of them is written", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const at = await run(disk, clock);
  Object.defineProperty(at, "word", { get: () => new Promise(() => undefined) });
  for (let n = 0; n < 256; n++) void at.press(`open-${String(n)}`, SET, "ann", 60_000);
  const waits = at.press("waits", SET, "ann", 10_000);
  const hasty = at.press("hasty", SET, "ann", 100);
  await clock.advance(150);
  t.match(await hasty, { kind: "deadline" });
  t.equal(at.sent.length, 256);
  await clock.advance(2_000);
  const full = { kind: "full", retryAfterMs: 1_000, reason: "256 requests to vehicle acme/v1 are still without an answer" };
  t.match(await waits, full);
  t.match(await at.press("further", SET, "ann", 10_000), full);
  t.equal(at.sent.length, 256);
  for (const id of ["waits", "hasty", "further"]) t.match(await afterKill(at, disk, clock, id), { kind: "owner-away" }, id);
});

test("S5. What comes of a burst while the store takes nothing is not stored, and when it takes again the next one leaves at once", async (t) => {
  const clock = new ManualClock();
  const at = await run(new MemoryDisk(), clock);
  at.word = { kind: "replied", value: { outcome: "confirmed" } };
  const commit = at.store.commit.bind(at.store);
  at.store.commit = async (batch) => batch.map((): CommitOutcome => ({ kind: "refused", reason: "the disk is full", passing: true }));
  const all = Array.from({ length: 200 }, (_, n) => at.press(`k-${String(n)}`, SET, "ann", 10_000));
  await clock.advance(2_100);
  t.same([...new Set((await Promise.all(all)).map(({ kind }) => kind))], ["not-stored"]);
  at.store.commit = commit;
  await clock.advance(4_000);
  t.match(await at.press("next"), { kind: "replied" });
  t.equal(at.sent.length, 1);
  await at.kill();
});
