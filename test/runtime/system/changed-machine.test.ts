// A machine that was changed and kept its version: nobody is locked out, everybody is told, and no timer is lost without a word (rules R1, T4; promise S4).

import { test } from "tap";
import { assign, raise, setup } from "xstate";
import { actorType, type AnyActorType, entityType, type EntityType, messages, parseAddress, reducer } from "../../../runtime/index.ts";
import { type Log, silentLog } from "../../../runtime/ports/index.ts";
import { type Hosting, hosting } from "./hosting.ts";

const A = parseAddress("acme/tap/a");
const protocol = messages({ open: { body: {} }, close: { body: {} }, later: { body: {} } });

interface Parts {
  readonly id?: string;
  readonly version?: number;
  /** Of its delay, while it is open. */
  readonly delay?: "D" | "E";
  readonly isGuarded?: boolean;
  readonly more?: object;
  readonly hearsTick?: boolean;
  readonly name?: string;
}

function tap({ id = "m", version = 1, delay = "D", isGuarded = false, more = {}, hearsTick = true, name = "tap" }: Parts = {}): AnyActorType {
  const closing = isGuarded ? { target: "shut", guard: "isDry" } : "shut";
  const machine = setup({
    types: { context: {} as { n: number }, events: {} as { type: "open" } | { type: "close" } | { type: "later" } | { type: "tick" } },
    delays: { D: 3_000, E: 3_000 },
    guards: { isDry: () => true },
    actions: { count: assign({ n: ({ context }) => context.n + 1 }) },
  }).createMachine({
    id,
    context: { n: 0 },
    initial: "shut",
    states: {
      shut: { on: { open: "open" } },
      open: { after: { [delay]: closing }, on: { close: "shut" } },
      ...more,
    },
    on: {
      later: { actions: raise({ type: "tick" }, { delay: 3_000, id: "tick" }) },
      ...(hearsTick ? { tick: { actions: "count" } } : {}),
    },
  } as never);
  return actorType({ name, version, messages: protocol, behaviour: machine as never });
}

const typeOf = (root: AnyActorType, durability: "events" | "snapshot" = "events"): EntityType => entityType({ root, durability, placement: "cloud" });

interface Flat {
  readonly was: string;
  readonly heard: readonly string[];
}

interface Told {
  readonly context?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly place?: string;
}

/** A node over the disk of another one, and what its supervision reports. */
async function after(before: Hosting, type: EntityType): Promise<Hosting & { readonly reports: readonly Told[] }> {
  await before.system.stop();
  const reports: Told[] = [];
  const warn = (fields: Told, text: string): void => {
    if (text === "supervision") reports.push(fields);
  };
  const log: Log = { ...silentLog, warn, child: () => log };
  const next = await hosting({ disk: before.disk, clock: before.clock, types: [type], log });
  await next.system.activate(A, { input: undefined });
  return { ...next, reports };
}

for (const durability of ["events", "snapshot"] as const) {
  test(`S4, R1. ${durability}: who is recovered under another machine of the same version is told, and a timer that means nothing to it is its fault, never consumed in silence`, async (t) => {
    const first = await hosting({ types: [typeOf(tap(), durability)] });
    await first.system.activate(A, { input: undefined });
    await first.system.tell(A, { type: "open" });
    const { system, clock, reports } = await after(first, typeOf(tap({ id: "OTHER" }), durability));
    t.match(reports, [
      {
        context: "machine_changed",
        offender: A,
        code: "DROVER_MACHINE_CHANGED",
        reason:
          /version 1 of "tap" has kept this state as .*[0-9a-f]{8}; what is registered as that version is .*[0-9a-f]{8}\. Raise the version; `drover doctor --machine`.*xstate\.after\.D\.m\.open of acme\/tap\/a/,
        place: A,
      },
    ]);
    t.equal(system.read(A)?.state, "open", "nobody is locked out");
    await clock.advance(10_000);
    const faults = reports.filter(({ context }) => context === "child_terminated");
    t.equal(faults.length, 3, "it has its attempts as every input");
    t.match(faults[0], {
      code: "DROVER_MACHINE_CHANGED",
      reason: /the timer "xstate\.after\.D\.m\.open" means nothing in "open"/,
      place: /acme\/tap\/a in "open" on "xstate\.after/,
    });
    t.equal(reports.filter(({ context }) => context === "parked").length, 1);
    t.same((await system.inspection.inspect(A))?.timers, []);
    t.match(await system.tell(A, { type: "close" }), { kind: "accepted" });
    t.equal(system.read(A)?.state, "shut");
    await system.stop();
  });
}

test("R1. another delay in the place of the one that is awaited is told and a fault as well", async (t) => {
  const first = await hosting({ types: [typeOf(tap(), "snapshot")] });
  await first.system.activate(A, { input: undefined });
  await first.system.tell(A, { type: "open" });
  const { system, clock, reports } = await after(first, typeOf(tap({ delay: "E" }), "snapshot"));
  t.match(reports, [{ context: "machine_changed", reason: /machine "m" with the shape .*machine "m" with the shape .*xstate\.after\.D\.m\.open/ }]);
  await clock.advance(10_000);
  t.ok(reports.some(({ context, code }) => context === "child_terminated" && code === "DROVER_MACHINE_CHANGED"));
  await system.stop();
});

test("M2. a guard's other code under the same version is nobody's business, and an added state does no harm", async (t) => {
  const first = await hosting({ types: [typeOf(tap(), "snapshot")] });
  await first.system.activate(A, { input: undefined });
  await first.system.tell(A, { type: "open" });
  const second = await after(first, typeOf(tap({ isGuarded: true }), "snapshot"));
  t.same(second.reports, []);
  const { system, clock, reports } = await after(second, typeOf(tap({ more: { broken: {} } }), "snapshot"));
  t.match(reports, [{ context: "machine_changed" }]);
  t.notMatch(reports[0]?.reason, /mean nothing/);
  await clock.advance(10_000);
  t.equal(system.read(A)?.state, "shut", "its delay led on");
  t.equal(reports.length, 1);
  await system.tell(A, { type: "open" });
  const third = await after({ system, clock, store: second.store, disk: first.disk }, typeOf(tap({ more: { broken: {} } }), "snapshot"));
  t.same(third.reports, [], "it is told until a state of the new machine is kept");
  await third.system.stop();
});

test("R1. children of a changed kind are told of by their own addresses", async (t) => {
  const child = (id: string): AnyActorType => tap({ id, name: "valve" });
  const owner = (valve: AnyActorType): EntityType =>
    entityType({ root: tap(), children: { valve: { types: [valve], strategy: "one-for-one" } }, durability: "events", placement: "cloud" });
  const first = await hosting({ types: [owner(child("m"))] });
  const children = [{ kind: "valve", id: "v", type: "valve", input: null }];
  await first.system.activate(A, { input: undefined, children });
  const V = parseAddress("acme/tap/a/valve/v");
  await first.system.tell(V, { type: "open" });
  const { system, clock, reports } = await after(first, owner(child("OTHER")));
  t.match(
    reports.filter(({ context }) => context === "machine_changed"),
    [{ reason: /xstate\.after\.D\.m\.open of acme\/tap\/a\/valve\/v/ }],
  );
  await clock.advance(10_000);
  t.match(
    reports.filter(({ context }) => context === "child_terminated"),
    [{ offender: V, code: "DROVER_MACHINE_CHANGED" }],
  );
  await system.stop();
});

test("R1. a delayed event that the machine hears nowhere is a dead letter, counted and told", async (t) => {
  const first = await hosting({ types: [typeOf(tap(), "snapshot")] });
  await first.system.activate(A, { input: undefined });
  await first.system.tell(A, { type: "later" });
  const { system, clock, reports } = await after(first, typeOf(tap({ hearsTick: false }), "snapshot"));
  t.match(reports, [{ reason: /tick of acme\/tap\/a/ }]);
  await clock.advance(10_000);
  t.match(reports[1], { context: "machine_changed", offender: A, code: "DROVER_MACHINE_CHANGED", reason: /the timer "tick" means nothing in "shut"/ });
  t.equal(reports.length, 2, "and it is no fault");
  t.same((await system.inspection.inspect(A))?.timers, []);
  await system.stop();
});

test("K1. a delayed event that the machine hears in another state alone is consumed, as XState does", async (t) => {
  const deaf = tap({ hearsTick: false, more: { far: { on: { tick: "shut" } } } });
  const { system, clock } = await hosting({ types: [typeOf(deaf)] });
  await system.activate(A, { input: undefined });
  await system.tell(A, { type: "later" });
  await clock.advance(10_000);
  t.match((await system.history(A, { limit: 1, order: "newest-first" })).items, [{ inputs: [{ type: "(timer)", result: "accepted" }] }]);
  await system.stop();
});

for (const durability of ["events", "snapshot"] as const) {
  test(`R1, K1. ${durability}: a delayed event that the machine never took is consumed, as XState does; nobody changed a machine, and nobody is told so`, async (t) => {
    const before = await hosting({ types: [typeOf(tap({ hearsTick: false }), durability)] });
    await before.system.activate(A, { input: undefined });
    await before.system.tell(A, { type: "later" });
    const second = await after(before, typeOf(tap({ hearsTick: false }), durability));
    t.match((await second.system.inspection.inspect(A))?.timers, [{}]);
    const { system, clock, reports } = await after(second, typeOf(tap({ hearsTick: false }), durability));
    t.same([...second.reports, ...reports], []);
    await clock.advance(10_000);
    t.same(reports, []);
    t.same((await system.inspection.inspect(A))?.timers, []);
    await system.tell(A, { type: "later" });
    const hearing = await after({ system, clock, store: second.store, disk: before.disk }, typeOf(tap(), durability));
    await hearing.clock.advance(10_000);
    t.match(hearing.system.read(A)?.context, { n: 1 }, "a machine that takes it by then is given it");
    await hearing.system.stop();
  });
}

test("R1. a timer that means nothing to a machine of the same shape is told without a shape that was changed, and what becomes of it", async (t) => {
  const first = await hosting({ types: [typeOf(tap(), "snapshot")] });
  await first.system.activate(A, { input: undefined });
  await first.system.tell(A, { type: "later" });
  const { system, reports } = await after(first, typeOf(tap({ hearsTick: false }), "snapshot"));
  t.match(reports, [
    {
      context: "machine_changed",
      reason:
        /^what is registered as version 1 of "tap" does not take what was armed for it\. .*Timers that mean nothing to it: tick of acme\/tap\/a, a dead letter when it is due$/,
    },
  ]);
  await system.stop();
});

test("T4. a machine that becomes a reducer has no place for a state: it says by migrate what becomes of it, or is refused", async (t) => {
  const began = async (): Promise<Hosting> => {
    const first = await hosting({ types: [typeOf(tap())] });
    await first.system.activate(A, { input: undefined });
    await first.system.tell(A, { type: "open" });
    return first;
  };
  const flat = (migrate?: object): AnyActorType =>
    actorType({
      name: "tap",
      version: 2,
      messages: protocol,
      behaviour: reducer({
        initial: (): Flat => ({ was: "", heard: [] }),
        step: (state: Flat, event: { readonly type: string }) => ({ ...state, heard: [...state.heard, event.type] }),
      }),
      ...(migrate === undefined ? {} : { migrate }),
    } as never);
  await t.rejects(after(await began(), typeOf(flat())), {
    code: "DROVER_STATE_INVALID",
    message: /acme\/tap\/a: the state "open" of version 1 of tap is unknown to version 2, and it has no migrate\[1\]/,
  });
  const { system, clock } = await after(await began(), typeOf(flat({ 1: ({ value }: { value: string }) => ({ value: undefined, context: { was: value, heard: [] } }) })));
  t.same((await system.inspection.inspect(A))?.timers, [], "nothing waits in a state any more");
  await clock.advance(10_000);
  t.same(system.read(A)?.context, { was: "open", heard: [] });
  await system.stop();
});
