// The ledger of slots, and what a correction takes back, as the pure functions that they are (actors/rollout/state.ts S1 to S4).

import { test } from "tap";

import { begun, granted, opened, reported, type Report, type RolloutContext } from "../../../actors/rollout/state.ts";
import { NOTHING } from "../../../actors/rollout/tally.ts";

const limits = { successPercent: 95, excusePercent: 20, pause: { count: undefined, percent: undefined }, abort: { minSample: 100, percent: 100, count: 100 } };

/** A rollout of one open group. */
function open(concurrency: number, sizes: readonly number[]): RolloutContext {
  const parts = sizes.map((size, index) => ({ group: `acme/group/r.1.${String(index + 1)}`, size }));
  return opened(begun({ select: {}, created: null, limits, concurrency, soakMs: 1, images: [], groups: [{ name: "all", abortCount: null, pauseCount: null, parts }] }), 0);
}

const slotsOf = (context: RolloutContext): readonly number[] => Object.values(context.parts).map(({ slots }) => slots);

function report(part: string, more: Partial<Report> = {}): Report {
  return { part, tally: NOTHING, underWay: 0, returned: 0, wanting: 0, waits: {}, bad: [], noted: 0, corrected: 0, holds: 0, ...more };
}

test("S1. free slots go in equal shares to those that want some, none is left over, and nobody has more than it wants", (t) => {
  t.same(slotsOf(granted(open(5, [10, 10])).context), [3, 2]);
  t.same(slotsOf(granted(open(7, [10, 10, 10])).context), [3, 2, 2]);
  t.same(slotsOf(granted(open(10, [1, 2, 500])).context), [1, 2, 7]);
  t.same(slotsOf(granted(open(10, [1, 2])).context), [1, 2]);
  t.same(granted(granted(open(5, [10, 10])).context).grants, [], "what is granted is granted once");
  t.end();
});

test("S1. more than was held is not given back, and a stranger reports nothing", (t) => {
  const { context } = granted(open(5, [10]));
  const [part = ""] = Object.keys(context.parts);
  t.equal(reported(context, report(part, { returned: 6 })), undefined);
  t.equal(reported(context, report("acme/group/other")), undefined);
  t.same(slotsOf(reported(context, report(part, { returned: 2 })) ?? context), [3]);
  t.end();
});

test("S4. a correction takes back what a person has looked over and forgiven, no more than there was", (t) => {
  const before = open(5, [10]);
  const [part = ""] = Object.keys(before.parts);
  const [group] = before.groups;
  if (group === undefined) throw new Error("it has a group");
  const context: RolloutContext = { ...before, groups: [{ ...group, badAtResume: 2, forgiven: { bad: 2, excused: 1 } }] };
  const after = (corrected: number): unknown => reported(context, report(part, { corrected }))?.groups[0];
  t.match(after(0), { badAtResume: 2, forgiven: { bad: 2, excused: 1 } });
  t.match(after(1), { badAtResume: 1, forgiven: { bad: 1, excused: 1 } });
  t.match(after(3), { badAtResume: 0, forgiven: { bad: 0, excused: 1 } });
  const once = reported(context, report(part, { corrected: 1 })) ?? context;
  t.match(reported(once, report(part, { corrected: 1 }))?.groups[0], { badAtResume: 1 }, "told again it is the same one");
  t.end();
});
