// Whatever comes out of a worker: it is a message of the protocol, or the worker's own failure. Never the parent's.

import { test } from "tap";

import { type Log, silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { errorToData } from "../../../runtime/workers/error-data.ts";
import { readToParent } from "../../../runtime/workers/parent-door.ts";
import { ParentSide } from "../../../runtime/workers/parent-side.ts";
import type { RunOrder, ToWorker } from "../../../runtime/workers/wire.ts";
import { start } from "./echoing.ts";

const order: RunOrder = { module: "file:///none.worker.js", config: {}, window: { items: 8, bytes: 1_000 }, livenessMs: 1_000, shutdownMs: 100 };

interface Far {
  readonly parent: ParentSide;
  readonly clock: ManualClock;
  readonly posted: ToWorker[];
  readonly lines: string[];
}

/** A parent whose far side is this test. */
function far(): Far {
  const clock = new ManualClock();
  const posted: ToWorker[] = [];
  const lines: string[] = [];
  const write = (_fields: object, message: string): void => void lines.push(message);
  const log: Log = { ...silentLog, info: write, warn: write };
  const parent = new ParentSide({ isolation: "process", order, into: undefined, linked: undefined, log, clock, left: undefined });
  parent.carriedBy({
    pid: undefined,
    post: (message) => void posted.push(message),
    askToStop: () => undefined,
    kill: () => {
      parent.gone({ detail: "killed" });
    },
    letGo: () => undefined,
  });
  return { parent, clock, posted, lines };
}

const cycle: { name: string; message: string; cause?: unknown } = { name: "Error", message: "round" };
cycle.cause = cycle;
const UNREADABLE: readonly (readonly [string, unknown])[] = [
  ["null", null],
  ["undefined", undefined],
  ["a text", "ready"],
  ["a list", []],
  ["no kind", {}],
  ["a kind that is none", { kind: "constructor" }],
  ["a kind that is an object", { kind: { toString: null } }],
  ["a level that the log does not have", { kind: "log", level: "child", fields: {}, message: "x" }],
  ["no fields", { kind: "log", level: "info", fields: null, message: "x" }],
  ["fields without end", { kind: "log", level: "info", fields: { text: "x".repeat(1 << 20) }, message: "x" }],
  ["a line that is no text", { kind: "log", level: "info", fields: {}, message: { a: 1 } }],
  ["a line without end", { kind: "log", level: "info", fields: {}, message: "x".repeat(1 << 20) }],
  ["an item without weight", { kind: "item", item: 1 }],
  ["an item of weight NaN", { kind: "item", item: 1, weight: Number.NaN }],
  ["a count below 1", { kind: "taken", items: 0 }],
  ["a count that is a text", { kind: "dropped", items: "9" }],
  ["an end with null", { kind: "end", error: null }],
  ["an end with a message that is a number", { kind: "end", error: { name: "Error", message: 5 } }],
  ["an end whose causes go round", { kind: "end", error: cycle }],
  ["a position without numbers", { kind: "end", error: { name: "DroverError", message: "x", code: "DROVER_CONFIG_INVALID", position: { line: "1" } } }],
];

test("S4. a message that cannot be read is the failure of its worker, with what it was", async (t) => {
  for (const [name, message] of UNREADABLE) {
    const { parent } = far();
    parent.message(message);
    t.match(await parent.exited, { kind: "failed", error: { code: "DROVER_WORKER_FAILED", message: /^it sent a message that cannot be read: / } }, name);
  }
});

test("S4. messages at random end their worker or are taken, and never throw in the parent", (t) => {
  const random = new SeededRandom(7);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random.next() * of.length)] as T;
  const kinds = ["loaded", "ready", "alive", "item", "taken", "dropped", "log", "end", "run", "__proto__", 7];
  const keys = ["item", "weight", "items", "level", "fields", "message", "error", "name", "stack", "code", "cause", "position", "retryable"];
  const plain: readonly unknown[] = [
    null,
    undefined,
    0,
    1,
    -1,
    3,
    Number.NaN,
    1e300,
    "",
    "info",
    "warn",
    "DroverError",
    "constructor",
    true,
    5n,
    new Date(Number.NaN),
    [],
    new Map(),
  ];
  const value = (depth: number): unknown => {
    if (depth > 3 || random.next() < 0.6) return pick(plain);
    return Object.fromEntries(Array.from({ length: 4 }, () => [pick(keys), value(depth + 1)]));
  };
  let taken = 0;
  const thrown: string[] = [];
  for (let round = 0; round < 5_000; round++) {
    const { parent } = far();
    for (let message = 0; message < 3; message++) {
      const sent: unknown = random.next() < 0.1 ? value(0) : { ...(value(0) as object), kind: pick(kinds), ...Object.fromEntries(keys.map((key) => [key, value(1)])) };
      if (readToParent(sent) !== undefined) taken++;
      try {
        parent.message(sent);
      } catch (error) {
        thrown.push(`round ${String(round)}, message ${String(message)}: ${error instanceof Error ? error.message : typeof error}`);
      }
    }
  }
  t.same(thrown, []);
  t.ok(taken > 100, `${String(taken)} could be read`);
  t.end();
});

test("S5. who sends more than its window, takes more than it was sent, or talks without end has failed", async (t) => {
  const cases: readonly (readonly [string, (far: Far) => void, RegExp])[] = [
    [
      "items",
      ({ parent }) =>
        repeat(9, () => {
          parent.message({ kind: "item", item: 1, weight: 1 });
        }),
      /more than the 8 items of its window/,
    ],
    [
      "taken",
      ({ parent }) => {
        parent.message({ kind: "taken", items: 1 });
      },
      /took more items than it was sent/,
    ],
    [
      "orders",
      ({ parent }) =>
        repeat(2, () => {
          parent.message({ kind: "loaded" });
        }),
      /its order twice/,
    ],
    [
      "signs of life",
      ({ parent }) =>
        repeat(30_000, () => {
          parent.message({ kind: "alive" });
        }),
      /floods its channel/,
    ],
    [
      "ready",
      ({ parent }) =>
        repeat(30_000, () => {
          parent.message({ kind: "ready" });
        }),
      /floods its channel/,
    ],
    [
      "words of loss",
      ({ parent }) =>
        repeat(30_000, () => {
          parent.message({ kind: "dropped", items: 1 });
        }),
      /floods its channel/,
    ],
    [
      "lines",
      ({ parent }) =>
        repeat(30_000, () => {
          parent.message({ kind: "log", level: "info", fields: {}, message: "x" });
        }),
      /floods its channel/,
    ],
  ];
  for (const [name, flood, why] of cases) {
    const one = far();
    flood(one);
    t.match(await one.parent.exited, { kind: "failed", error: { message: why } }, name);
    t.ok(one.lines.length <= 800, `${name}: ${String(one.lines.length)} lines in the log`);
  }
});

test("S5. what is taken is acknowledged between turns, and makes room for as much again", async (t) => {
  const { parent, clock, posted } = far();
  for (let round = 0; round < 5; round++) {
    repeat(8, () => {
      parent.message({ kind: "item", item: 1, weight: 1 });
    });
    await clock.advance(1);
  }
  t.strictSame(posted, Array(5).fill({ kind: "taken", items: 8 }));
  parent.message({ kind: "end" });
  parent.message(null);
  parent.gone({ detail: "ended" });
  t.strictSame(await parent.exited, { kind: "normal" }, "nothing counts after its last word");
  await settle();
});

test("S4. whatever is thrown becomes data that the other side reads", (t) => {
  const hostile = new Error("x");
  Object.defineProperty(hostile, "message", {
    get: () => {
      throw new Error("gotcha");
    },
  });
  const loop = new Error("round");
  loop.cause = loop;
  const odd = Object.assign(new Error("x"), { name: Symbol("s"), message: 42, code: 7 });
  const trap = (): never => {
    throw new Error("trap");
  };
  for (const thrown of [null, undefined, Symbol("s"), 1n, hostile, loop, odd, new Proxy({}, { get: trap, getPrototypeOf: trap }), "text", new Error("long".repeat(100_000))]) {
    const error = errorToData(thrown);
    t.ok(readToParent({ kind: "end", error }) !== undefined, JSON.stringify(error).slice(0, 60));
  }
  t.end();
});

test("S4. a worker's words on a channel that is not its own are its death, not ours", async (t) => {
  for (const isolation of ["thread", "process"] as const) {
    for (const what of ["null", "end-null", "log-level", "flood"] as const) {
      const { running } = await start(isolation, { says: what });
      t.match(await running.exited, { kind: "failed" }, `${isolation}: ${what}`);
    }
  }
});

test("S4, P2. bytes that a process writes into its channel by itself are its death, with their reason, not ours", async (t) => {
  for (const [what, reason] of [
    ["bytes", /wrote into its channel by itself: bytes that are no message/],
    ["endless", /a message of 4294967295 bytes/],
  ] as const) {
    const { running } = await start("process", { says: what });
    t.match(await running.exited, { kind: "failed", error: { code: "DROVER_WORKER_FAILED", message: reason } }, what);
  }
});

function repeat(times: number, run: () => void): void {
  for (let time = 0; time < times; time++) run();
}
