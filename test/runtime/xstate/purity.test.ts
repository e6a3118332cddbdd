// A step reaches nothing outside of itself (hosting H11).

import cryptoModule, { generateKeySync, generatePrimeSync, getRandomValues, randomBytes, randomFillSync, randomInt, randomUUID, webcrypto } from "node:crypto";
import { createRequire } from "node:module";
import { performance as measured } from "node:perf_hooks";
import { hrtime, uptime } from "node:process";
import { mock } from "node:test";
import timersModule, { setImmediate as soon, setInterval as often, setTimeout as later } from "node:timers";
import { scheduler, setTimeout as laterPromised } from "node:timers/promises";
import { promisify } from "node:util";

import { test } from "tap";
import { assign, setup } from "xstate";

import { actorType, entityType, messages, now, random, T } from "../../../runtime/actor/index.ts";
import { purely } from "../../../runtime/xstate/index.ts";
import { EntityHost, ROOT } from "../entity-host.ts";

const words = messages({ DO: { body: { what: T.String() } } });

const reaches: Readonly<Record<string, () => unknown>> = {
  "Date.now": () => Date.now(),
  "new Date": () => new Date(),
  "Math.random": () => Math.random(),
  setTimeout: () => setTimeout(() => undefined, 1),
  setInterval: () => setInterval(() => undefined, 1),
  setImmediate: () => setImmediate(() => undefined),
  queueMicrotask: () => {
    queueMicrotask(() => undefined);
  },
  "process.nextTick": () => {
    process.nextTick(() => {
      throw new Error("too late to be anybody's fault");
    });
  },
  fetch: () => fetch("http://localhost"),
  performance: () => performance.now(),
  crypto: () => crypto.randomUUID(),
  "process.hrtime": () => process.hrtime(),
  "process.hrtime.bigint": () => process.hrtime.bigint(),
  "process.uptime": () => process.uptime(),
  "AbortSignal.timeout": () => AbortSignal.timeout(1),
  "a format of the present": () => new Intl.DateTimeFormat("en").format(),
  "parts of the present": () => new Intl.DateTimeFormat("en").formatToParts(),
  "setTimeout of node:timers": () => later(() => undefined, 1),
  "setInterval of node:timers": () => often(() => undefined, 1),
  "setImmediate of node:timers": () => soon(() => undefined),
  "a member of node:timers": () => timersModule.setTimeout(() => undefined, 1),
  "a promised timer, as util makes one": () => void promisify(timersModule.setTimeout)(1),
  "setTimeout of node:timers/promises": () => void laterPromised(1),
  "scheduler of node:timers/promises": () => void scheduler.wait(1),
  "performance of node:perf_hooks": () => measured.now(),
  "where performance began": () => measured.timeOrigin,
  "randomUUID of node:crypto": () => randomUUID(),
  "a member of node:crypto": () => cryptoModule.randomUUID(),
  "a member of what was required": () => (createRequire(import.meta.url)("crypto") as typeof cryptoModule).randomUUID(),
  "randomInt of node:crypto": () => randomInt(6),
  "randomBytes of node:crypto": () => randomBytes(4),
  "randomFillSync of node:crypto": () => randomFillSync(new Uint8Array(4)),
  "getRandomValues of node:crypto": () => getRandomValues(new Uint8Array(4)),
  "webcrypto of node:crypto": () => webcrypto.getRandomValues(new Uint8Array(4)),
  "a key of node:crypto": () => generateKeySync("hmac", { length: 64 }),
  "a prime of node:crypto": () => generatePrimeSync(8),
  "hrtime of node:process": () => hrtime(),
  "hrtime.bigint of node:process": () => hrtime.bigint(),
  "uptime of node:process": () => uptime(),
  "a swallowed randomUUID": () => {
    try {
      return randomUUID();
    } catch {
      return 0;
    }
  },
  "a swallowed Date.now": () => {
    try {
      return Date.now();
    } catch {
      return 0;
    }
  },
};

const machine = setup({
  types: { events: {} as { type: "DO"; what: string }, context: {} as { n: number; at: number } },
}).createMachine({
  context: { n: 0, at: 0 },
  on: {
    DO: [
      { guard: ({ event }) => event.what.startsWith("guard ") && reaches[event.what.slice(6)]?.() === 0 },
      {
        actions: assign({
          n: ({ context, event, self }) => {
            if (event.what === "time") return now(self);
            if (event.what === "chance") return random(self);
            if (event.what === "fixed date") return new Date(86_400_000).getUTCDate() + (Date.UTC(1970, 0, 2) === 86_400_000 ? 0 : 100) + (new Date(5) instanceof Date ? 0 : 100);
            if (event.what === "a date's format") return new Intl.DateTimeFormat("en", { timeZone: "UTC", day: "numeric" }).format(86_400_000) === "2" ? 2 : 0;
            reaches[event.what]?.();
            return context.n + 1;
          },
        }),
      },
    ],
  },
});
const type = entityType({ root: actorType({ name: "thing", version: 1, messages: words, behaviour: machine }), durability: "events", placement: "cloud" });

test("H11. each reach for time, chance or the outside faults the step with advice, and nothing of the step stays", (t) => {
  for (const what of Object.keys(reaches)) {
    const host = new EntityHost(type);
    const result = host.send({ type: "DO", what });
    t.match(result, { kind: "faulted", error: /was called while a machine was stepped; (use|move)/ }, what);
    t.same(host.context(), { n: 0, at: 0 }, what);
  }
  t.match(new EntityHost(type).send({ type: "DO", what: "guard Math.random" }), { kind: "faulted" }, "guards too");
  t.end();
});

test("H11. the world is given back after every step, whatever it came to", (t) => {
  const before = [Date, Math.random, setTimeout, setInterval, setImmediate, queueMicrotask, Reflect.get(process, "nextTick"), fetch];
  const host = new EntityHost(type);
  host.send({ type: "DO", what: "Date.now" });
  host.send({ type: "DO", what: "nothing" });
  t.same([Date, Math.random, setTimeout, setInterval, setImmediate, queueMicrotask, Reflect.get(process, "nextTick"), fetch], before);
  t.ok(process.uptime() > 0 && process.hrtime.bigint() > 0n && new Intl.DateTimeFormat("en").format() !== "");
  t.ok(Date.now() > 0 && Math.random() >= 0 && performance.now() > 0 && crypto.randomUUID().length === 36 && new Date().getTime() > 0);
  t.end();
});

test("H11. the functions of Node's modules do outside of steps what they did, under their names", async (t) => {
  new EntityHost(type).send({ type: "DO", what: "randomUUID of node:crypto" });
  t.match(randomUUID(), /^[0-9a-f-]{36}$/);
  t.equal(randomUUID, cryptoModule.randomUUID);
  t.equal(randomBytes(4).length, 4);
  t.ok(randomInt(6) < 6 && webcrypto.getRandomValues(new Uint8Array(4)).length === 4 && getRandomValues(new Uint8Array(4)).length === 4);
  t.ok(measured.now() > 0 && measured.timeOrigin > 0 && hrtime.bigint() > 0n && hrtime()[0] > 0 && uptime() > 0);
  t.same([randomUUID.name, randomBytes.length, later.name, hrtime.name], ["randomUUID", 2, "setTimeout", "hrtime"]);
  t.equal(await promisify(later)(1, "waited"), "waited");
  t.equal(await laterPromised(1, "waited"), "waited");
  t.end();
});

test("H11. copies of Drover in one process share what stands in for Node's modules, and each hears of its own steps", async (t) => {
  new EntityHost(type).send({ type: "DO", what: "nothing" });
  const standsIn = [randomUUID, later, Object.getOwnPropertyDescriptor(Object.getPrototypeOf(measured), "now")?.value];
  const copy = (await import(new URL("../../../runtime/xstate/purity.js?copy", import.meta.url).href)) as { purely<V>(work: () => V): V };
  t.throws(() => copy.purely(() => randomUUID()), { code: "DROVER_IMPURE_STEP" });
  const swallowed = (): undefined => {
    try {
      randomUUID();
    } catch {
      // the copy has noted it
    }
    return undefined;
  };
  t.throws(() => copy.purely(swallowed), { code: "DROVER_IMPURE_STEP" });
  t.same([randomUUID, later, Object.getOwnPropertyDescriptor(Object.getPrototypeOf(measured), "now")?.value], standsIn);
  t.match(new EntityHost(type).send({ type: "DO", what: "randomUUID of node:crypto" }), { kind: "faulted" });
  // A step of one within that of another, and the outer goes on.
  t.throws(() => copy.purely(() => purely(() => 1) + randomInt(6)), { code: "DROVER_IMPURE_STEP" });
  t.equal(randomUUID().length, 36);
  t.end();
});

test("H11. a mock may take the place of a function of Node's modules and give it back", (t) => {
  new EntityHost(type).send({ type: "DO", what: "nothing" });
  const standIn = timersModule.setTimeout;
  const mocked = mock.method(timersModule, "setTimeout", () => 7 as never);
  t.equal(
    timersModule.setTimeout(() => undefined, 1),
    7,
  );
  mocked.mock.restore();
  t.equal(timersModule.setTimeout, standIn);
  t.end();
});

test("H11. dates made from numbers are plain arithmetic", (t) => {
  const host = new EntityHost(type);
  t.equal(host.send({ type: "DO", what: "fixed date" }).kind, "accepted");
  t.match(host.context(), { n: 2 });
  const other = new EntityHost(type);
  t.equal(other.send({ type: "DO", what: "a date's format" }).kind, "accepted");
  t.match(other.context(), { n: 2 });
  t.end();
});

test("R1. now(self) and random(self) read the turn's record, on every attempt and in every replay", (t) => {
  const host = new EntityHost(type, { twice: true });
  host.now = 1_800_000_000_000;
  host.send({ type: "DO", what: "time" });
  t.match(host.context(), { n: 1_800_000_000_000 });
  host.send({ type: "DO", what: "chance" });
  const { n } = host.context() as { n: number };
  t.ok(n >= 0 && n < 1);
  t.same(host.differences, []);
  const { entity, divergences } = host.restart({ by: "journal" });
  t.same(divergences, []);
  t.match(entity.view(ROOT)?.context, { n });
  t.end();
});

test("now(self) on something else than a hosted actor's self says so", (t) => {
  t.throws(() => now({ sessionId: "x" }), { code: "DROVER_IMPURE_STEP" });
  t.throws(() => random({ sessionId: "x" }), { code: "DROVER_IMPURE_STEP" });
  t.end();
});
