// Since when an actor is in its state, from which one and why: noted when it is entered, carried with it (rules R1, H2; entering.ts).

import { test } from "tap";

import { actorType, entityType, reducer } from "../../../runtime/actor/index.ts";
import type { Address } from "../../../runtime/address.ts";
import type { EntityState, JournalRecord } from "../../../runtime/entity/contract.ts";
import { replayTurn, restoreEntity } from "../../../runtime/entity/index.ts";
import { EntityHost, EPOCH, ROOT, thingType, words } from "../entity-host.ts";
import { textOf } from "../../project/checkout.ts";
import { assign, forwardTo, type LooseRecord, machine, raise, sendTo, spawnChild } from "../xstate/loose.ts";

const CHILD = `${ROOT}/~/bulb` as Address;

// ---- what counts as entering

const mark = assign({ marks: ({ context }) => (context as { marks: number }).marks + 1 });
/** Each of its states marks its entry and its exit: what XState does itself is what is compared with. */
const marked = (config: LooseRecord): LooseRecord => ({
  ...config,
  entry: mark,
  exit: mark,
  ...(config["states"] === undefined
    ? {}
    : { states: Object.fromEntries(Object.entries(config["states"] as LooseRecord).map(([id, state]) => [id, stateOf(state as LooseRecord)])) }),
});
const stateOf = (config: LooseRecord): LooseRecord => (config["type"] === "history" ? config : marked(config));

const everyWay = machine(
  marked({
    id: "ways",
    type: "parallel",
    context: { marks: 0, seen: 0 },
    on: { TOP: { actions: assign({ seen: 1 }) }, TOP_TO: ".left.one", ROOT_AGAIN: { target: "#ways", reenter: true } },
    states: {
      left: {
        initial: "one",
        on: { LEFT: {}, LEFT_SELF: "left", LEFT_AGAIN: { target: "left", reenter: true }, BACK: ".past" },
        states: {
          one: {
            on: {
              SELF: "one",
              SELF_ACTS: { target: "one", actions: assign({ seen: 2 }) },
              AGAIN: { target: "one", reenter: true },
              TWO: "two",
              ROUND: "by",
              RAISES: { actions: raise({ type: "TWO" }) },
              NEVER: { guard: () => false, target: "two" },
            },
          },
          two: { on: { ONE: "one" } },
          by: { always: "one" },
          past: { type: "history" },
        },
      },
      right: { initial: "a", on: { SWAP: ".b", KEEP: { actions: assign({ seen: 3 }) } }, states: { a: {}, b: { on: { UNSWAP: "a" } } } },
      both: { on: { SELF: {} } },
    },
  }),
);
const WAYS = ["TOP", "TOP_TO", "ROOT_AGAIN", "LEFT", "LEFT_SELF", "LEFT_AGAIN", "BACK", "SELF", "SELF_ACTS", "AGAIN", "ROUND", "NEVER", "KEEP", "SWAP", "UNSWAP", "RAISES", "BACK"];

test("a state is entered with every step in which XState leaves or enters a state node, the same one again among them, and with no other", (t) => {
  const host = new EntityHost(thingType(everyWay, words(...WAYS, "TWO", "ONE")));
  const marks = (): number => (host.context() as { marks: number }).marks;
  t.same(host.entity.entered(ROOT), { from: null, event: "(start)", author: undefined, timer: undefined, via: undefined, revision: 1, at: EPOCH });
  const entered: string[] = [];
  for (const way of [...WAYS, ...WAYS.toReversed()]) {
    const [before, had, value] = [host.entity.entered(ROOT), marks(), host.value()];
    host.advance(10);
    host.send(way);
    if (marks() === had) {
      t.same(host.entity.entered(ROOT), before, `${way} enters nothing`);
      continue;
    }
    entered.push(way);
    t.match(host.entity.entered(ROOT), { from: value, event: way, author: "tester", revision: host.entity.revision, at: host.now }, `${way} enters`);
  }
  t.same([...new Set(entered)], ["TOP_TO", "ROOT_AGAIN", "LEFT_SELF", "LEFT_AGAIN", "BACK", "AGAIN", "ROUND", "SWAP", "UNSWAP", "RAISES"]);
  t.end();
});

test("a state that is entered again without anything else that changes is a turn all the same, and is committed", (t) => {
  const again = machine({ initial: "one", states: { one: { on: { AGAIN: { target: "one", reenter: true } } } } });
  const host = new EntityHost(thingType(again, words("AGAIN")));
  host.advance(5);
  host.take({ kind: "message", to: ROOT, event: { type: "AGAIN" }, sender: { kind: "local", name: "watch" }, wantsReply: false });
  t.match(host.entity.entered(ROOT), { from: "one", event: "AGAIN", author: "watch", revision: 2, at: EPOCH + 5 });
  t.match(host.restart({ by: "journal" }), { divergences: [] });
  t.match(host.entity.entered(ROOT), { revision: 2 });
  t.end();
});

// ---- who has it

const bulb = machine({ id: "bulb", initial: "cold", states: { cold: { on: { HEAT: "warm" }, after: { 5: "warm" } }, warm: { on: { HEAT: {} } } } });
const lamp = machine(
  {
    id: "lamp",
    context: { n: 0 },
    initial: "off",
    entry: spawnChild("bulb", { id: "bulb" }),
    states: {
      off: { on: { FLIP: "on" } },
      on: {
        on: {
          FLIP: "off",
          NOTE: { actions: assign({ n: ({ context }) => (context as { n: number }).n + 1 }) },
        },
      },
    },
  },
  { actors: { bulb } },
);
const lampType = thingType(lamp, words("FLIP", "NOTE"), { name: "lamp" });

test("children made by a machine tell it too: by a timer, and by a message that went to their parent", (t) => {
  const warmed = new EntityHost(lampType);
  warmed.advance(3);
  t.match(warmed.entity.entered(CHILD), { from: null, event: "(start)", at: EPOCH });
  warmed.advance(3);
  t.match(warmed.entity.entered(CHILD), { from: "cold", event: "xstate.after.5.bulb.cold", timer: "xstate.after.5.bulb.cold", author: undefined, at: EPOCH + 5 });
  const parent = machine(
    { context: {}, entry: spawnChild("bulb", { id: "bulb" }), on: { WARM: { actions: sendTo("bulb", { type: "HEAT" }) }, HEAT: { actions: forwardTo("bulb") } } },
    { actors: { bulb } },
  );
  const told = new EntityHost(thingType(parent, words("WARM", "HEAT")));
  told.send("WARM", { author: "ann" });
  t.match(told.entity.entered(CHILD), { from: "cold", event: "HEAT", via: "WARM", author: "ann", revision: 2 });
  t.match(told.entity.entered(ROOT), { from: null, revision: 1 });
  const forwarded = new EntityHost(thingType(parent, words("WARM", "HEAT")));
  forwarded.send("HEAT", { author: "ann" });
  t.match(forwarded.entity.entered(CHILD), { from: "cold", event: "HEAT", via: undefined, author: "ann" });
  t.equal(told.entity.entered("acme/thing/two" as Address), undefined);
  t.end();
});

test("what is no machine tells its beginning", (t) => {
  const host = new EntityHost(thingType(reducer<number, unknown>({ initial: () => 0, step: (state) => state + 1 }), words("ADD")));
  host.advance(10);
  host.send("ADD");
  t.match(host.entity.entered(ROOT), { from: null, event: "(start)", revision: 1, at: EPOCH });
  t.end();
});

test("long or broken words of an author's are kept as far as a record holds them", (t) => {
  const long = "x".repeat(1_000);
  const half = "half \ud800";
  const toItself = (type: string) => ({ actions: sendTo(({ self }) => self as never, { type }) });
  const odd = machine({ initial: "one", states: { one: { on: { GO: toItself(long), HALF: toItself(half), [long]: "two", [half]: "two" } }, two: {} } });
  for (const [word, kept] of [
    ["GO", `${"x".repeat(253)}...`],
    ["HALF", "half \ufffd"],
  ] as const) {
    const host = new EntityHost(thingType(odd, words("GO", "HALF")));
    host.send(word);
    t.match(host.entity.entered(ROOT), { from: "one", event: kept, via: word });
    for (const by of ["bytes", "journal"] as const) {
      t.same(host.restart({ by }).divergences, []);
      t.match(host.entity.entered(ROOT), { from: "one", event: kept, via: word }, by);
    }
  }
  t.end();
});

// ---- what happens to it

test("H1, C3. a fault and a turn that is rolled back take back what was entered; until its commit nobody sees it", (t) => {
  const fails = machine({
    context: {},
    initial: "one",
    states: {
      one: {
        on: {
          GO: "two",
          FAIL: {
            target: "two",
            actions: assign(() => {
              throw new Error("on purpose");
            }),
          },
        },
      }, // prettier-ignore
      two: { on: { GO: "one" } },
    },
  });
  const host = new EntityHost(thingType(fails, words("GO", "FAIL")), { twice: true });
  host.advance(10);
  host.send("GO", { author: "ann" });
  const before = host.entity.entered(ROOT);
  t.match(before, { from: "one", author: "ann", revision: 2 });
  host.advance(10);
  host.send("GO");
  const { entity } = host;
  host.advance(10);
  const known = entity.entered(ROOT);
  const goes = ["GO", "GO"].map((event) => host.message(event));
  const stamp = { now: host.now, elapsed: host.elapsed, seed: 1 };
  entity.turn(goes, stamp);
  t.same(entity.entered(ROOT), known, "C4. not before its commit");
  entity.rollback();
  t.same(entity.entered(ROOT), known);
  t.equal(host.send("FAIL").kind, "faulted");
  t.match(entity.entered(ROOT), known, "the state that it went on from is as old as before");
  entity.turn(goes, stamp);
  entity.commit();
  t.match(entity.entered(ROOT), { from: "two", event: "GO", at: host.now });
  t.same(host.differences, []);
  t.end();
});

test("R1, H2. it is the same after a restart from a state, from bytes and from the journal, many turns later", (t) => {
  for (const by of ["json", "bytes", "journal"] as const) {
    const host = new EntityHost(lampType);
    host.advance(10);
    host.send("FLIP", { author: "ann" });
    const entered = [ROOT, CHILD].map((address) => host.entity.entered(address));
    for (let n = 0; n < 70; n++) host.send("NOTE");
    t.same(host.restart({ by }).divergences, []);
    t.same(
      [ROOT, CHILD].map((address) => host.entity.entered(address)),
      entered,
      by,
    );
    t.match(entered, [
      { from: "off", event: "FLIP", author: "ann", at: EPOCH + 10 },
      { from: "cold", at: EPOCH + 5 },
    ]);
  }
  t.end();
});

test("an actor that begins anew after a failure tells its new beginning", (t) => {
  const fails = machine({
    context: {},
    initial: "one",
    states: {
      one: { on: { GO: "two" } },
      two: {
        on: {
          FAIL: {
            actions: assign(() => {
              throw new Error("on purpose");
            }),
          },
        },
      },
    },
  }); // prettier-ignore
  const host = new EntityHost(thingType(fails, words("GO", "FAIL"), { restartFrom: "initial" }));
  host.send("GO");
  host.advance(10);
  host.send("FAIL", { author: "ann" });
  t.equal(host.value(), "one");
  t.match(host.entity.entered(ROOT), { from: null, event: "(start)", via: "FAIL", author: "ann", at: host.now });
  t.end();
});

test("T3, T4. an upgrade enters nothing: what it carries over keeps its time, also under another name; what begins with it begins then", (t) => {
  const version = (number: number, behaviour: object, more: object = {}) =>
    entityType({
      root: actorType({ name: "pump", version: number, messages: words("GO", "ON"), behaviour: behaviour as never, ...more }),
      durability: "events",
      placement: "cloud",
    });
  const states = (run: LooseRecord): object => machine({ id: "pump", context: {}, initial: "off", states: { off: { on: { GO: "run" } }, ...run } }, { actors: { bulb } });
  const first = version(1, states({ run: {} }));
  const lived = (): EntityHost => {
    const host = new EntityHost(first);
    host.advance(10);
    host.send("GO", { author: "ann" });
    host.advance(10);
    return host;
  };
  const renamed = lived();
  renamed.upgrade(
    version(2, states({ run: {}, going: { invoke: { src: "bulb", id: "bulb" } } }), {
      migrate: { 1: ({ context }: { context: unknown }) => ({ value: "going", context }) },
      earlier: [first.root],
    }),
  );
  t.equal(renamed.value(), "going");
  t.match(renamed.entity.entered(ROOT), { from: "off", event: "GO", author: "ann", revision: 2, at: EPOCH + 10 });
  t.match(renamed.entity.entered(CHILD), { from: null, event: "(upgrade)", revision: 3, at: EPOCH + 20 });
  const left = lived();
  left.upgrade(version(2, states({ run: { always: "off" } }), { earlier: [first.root] }));
  t.match(left.entity.entered(ROOT), { from: "run", event: "(upgrade)", revision: 3, at: EPOCH + 20 }, "an eventless transition of the new version is one");
  for (const host of [renamed, left]) t.same(restoreEntity(host.type, ROOT, { snapshot: undefined, records: host.journal() }).divergences, []);
  t.end();
});

test("what was moved in from bare XState is not known until a state is entered", (t) => {
  const host = new EntityHost(lampType, { bareSnapshot: { status: "active", value: "on", context: { n: 7 }, historyValue: {}, children: {} } });
  t.equal(host.value(), "on");
  t.equal(host.entity.entered(ROOT), undefined);
  host.send("FLIP");
  t.match(host.entity.entered(ROOT), { from: "on", event: "FLIP", revision: 2 });
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("R1, H2. a state and a journal of a version that did not note it are read without a difference, hash and all; not known, until a state is entered", (t) => {
  // Written by the version before, and never again: a snapshot, a turn that enters a state, two that do not, one of them with a hash.
  const { snapshot, records } = JSON.parse(textOf("test", "golden", "state-before-entering.json")) as { snapshot: EntityState; records: JournalRecord[] };
  t.match(records, [{ revision: 31 }, { revision: 32, hash: { cells: /./ } }, { revision: 33 }]);
  const { entity, divergences } = restoreEntity(lampType, ROOT, { snapshot, records });
  t.same(divergences, []);
  t.match(entity.view(ROOT), { value: "on", context: { n: 2 } });
  t.equal(entity.entered(ROOT), undefined);
  t.equal(entity.entered(CHILD), undefined);
  t.equal(replayTurn(lampType, ROOT, snapshot, records[0] as JournalRecord).differs, undefined, "in a debugger too");
  entity.turn([{ kind: "message", to: ROOT, event: { type: "FLIP" }, sender: { kind: "local", name: "switch" }, wantsReply: false }], { now: EPOCH + 99, elapsed: 99, seed: 1 });
  entity.commit();
  t.match(entity.entered(ROOT), { from: "on", event: "FLIP", author: "switch", revision: 34, at: EPOCH + 99 });
  t.equal(entity.entered(CHILD), undefined);
  t.end();
});
