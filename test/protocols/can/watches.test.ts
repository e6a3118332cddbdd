// Values into events, at a declared top rate.

import { test } from "tap";
import { createWatches, type WatchDefinition, type WatchEvent } from "../../../protocols/can/index.ts";
import { feed, signal, tableOver } from "./fed-table.ts";

const watts = signal({ name: "Watts", from: "can0.Power.Watts", staleAfterMs: 60_000 });

function watched(...definitions: readonly Omit<WatchDefinition, "signal">[]): {
  readonly at: (ms: number, value: number) => void;
  readonly collect: (ms: number) => readonly WatchEvent[];
  readonly due: () => number | undefined;
  readonly stop: () => void;
} {
  const table = tableOver([watts]);
  const watches = createWatches(
    table,
    definitions.map((definition) => ({ signal: "Watts", ...definition })),
  );
  return {
    at: (ms, value) => feed(table, ms, "can0", 2, [value & 0xff, value >> 8, 0]),
    collect: (ms) => watches.collect(ms),
    due: () => watches.nextDueMs(),
    stop: () => watches.stop(),
  };
}

test("V3. a watch reports a change at once, then not before its interval has passed, and then the value of then", (t) => {
  const { at, collect, due } = watched({});
  at(0, 10);
  t.strictSame(collect(0), [{ kind: "changed", watch: 0, signal: "Watts", value: 10, previous: undefined, timeMs: 0 }]);
  at(100, 11);
  at(200, 12);
  t.strictSame(collect(200), []);
  t.equal(due(), 5_000, "one event per 5 s and signal unless told otherwise");
  t.strictSame(collect(4_999), []);
  t.strictSame(collect(5_000), [{ kind: "changed", watch: 0, signal: "Watts", value: 12, previous: 10, timeMs: 5_000 }]);
  at(6_000, 13);
  at(7_000, 12);
  t.strictSame(collect(60_000), [], "back where it was: nothing to report");
  t.end();
});

test("V3. however fast a value changes, a watch makes no more events than its rate, and holds one at most", (t) => {
  const { at, collect } = watched({ atMostMs: 1_000 });
  let events = 0;
  for (let ms = 0; ms < 60_000; ms += 10) {
    at(ms, ms % 5_000);
    events += collect(ms).length;
  }
  t.equal(events, 60);
  const lazy = watched({ atMostMs: 10 });
  for (let ms = 0; ms < 10_000; ms += 10) lazy.at(ms, ms);
  t.strictSame(
    lazy.collect(10_000),
    [{ kind: "changed", watch: 0, signal: "Watts", value: 9_990, previous: undefined, timeMs: 9_990 }],
    "what was not collected is one event, from the first value to the last",
  );
  t.end();
});

test("a deadband is measured from the value reported last, not from the last sample", (t) => {
  const { at, collect } = watched({ deadband: 10, atMostMs: 0 });
  at(0, 100);
  t.equal(collect(0).length, 1);
  for (const [ms, value] of [
    [1, 104],
    [2, 108],
    [3, 109],
  ] as const)
    at(ms, value);
  t.strictSame(collect(3), []);
  at(4, 110);
  t.match(collect(4), [{ value: 110, previous: 100 }]);
  t.end();
});

test("a threshold reports its crossing once; the way back needs the deadband", (t) => {
  const { at, collect } = watched({ above: 100, deadband: 5, atMostMs: 0 });
  const zones: string[] = [];
  const step = (ms: number, value: number): void => {
    at(ms, value);
    for (const event of collect(ms)) if (event.kind === "crossed") zones.push(`${event.previous}>${event.zone}@${event.value}`);
  };
  [90, 100, 101, 99, 102, 96, 95, 101].forEach((value, ms) => {
    step(ms, value);
  });
  t.strictSame(zones, ["unknown>above@101", "above>within@95", "within>above@101"]);
  const low = watched({ below: 50, atMostMs: 0 });
  low.at(0, 40);
  t.match(low.collect(0), [{ kind: "crossed", zone: "below", previous: "unknown" }]);
  low.at(1, 50);
  t.match(low.collect(1), [{ zone: "within", previous: "below" }]);
  t.end();
});

test("becoming stale is an event, and so is coming back", (t) => {
  const { at, collect, due } = watched({ atMostMs: 100 }, { above: 5, atMostMs: 100 });
  at(0, 10);
  t.equal(collect(0).length, 2);
  t.equal(due(), 60_000);
  t.strictSame(collect(59_999), []);
  t.match(collect(60_000), [
    { kind: "changed", value: undefined, previous: 10 },
    { kind: "crossed", zone: "unknown", previous: "above" },
  ]);
  t.equal(due(), undefined);
  at(61_000, 10);
  t.match(collect(61_000), [
    { kind: "changed", value: 10, previous: undefined },
    { kind: "crossed", zone: "above", previous: "unknown" },
  ]);
  t.end();
});

test("a stopped watch hears nothing, an impossible one is refused", (t) => {
  const { at, collect, stop } = watched({});
  stop();
  at(0, 1);
  t.strictSame(collect(0), []);
  t.throws(() => watched({ deadband: -1 }), { code: "DROVER_CAN_USE" });
  t.throws(() => createWatches(tableOver([]), [{ signal: "Watts" }]), { code: "DROVER_CAN_USE", message: /no signal "Watts"/ });
  t.end();
});
