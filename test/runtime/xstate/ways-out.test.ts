// Which ways lead out of a state, by the graph alone.

import { test } from "tap";
import { type AnyStateNode, initialTransition, transition } from "xstate";

import { form } from "../../forms.ts";
import { waysOut } from "../../../runtime/xstate/index.ts";
import { type LooseRecord, machine } from "./loose.ts";
import { drawMachine } from "./random-machine.ts";

const never = { guard: () => false };

/** By what each active leaf is left, e.g. `a: GO`. */
function ways(config: LooseRecord, value: unknown, isMute?: (event: string) => boolean): readonly string[] {
  const built = machine({ id: "m", ...config });
  return (waysOut(built, value, isMute)?.leaves ?? []).map(({ region, by }) => `${(region[0] ?? "").slice(2)}: ${by.map((event) => event ?? "always").join(" ")}`.trim());
}
const flat = (a: LooseRecord, more: LooseRecord = {}): readonly string[] =>
  ways({ initial: "a", ...more, states: { a, b: {}, deep: { initial: "x", states: { x: {}, h: { type: "history" } } } } }, "a");

test("O1. any transition to another place leads out, whoever it stands at and however its target is written", (t) => {
  t.same(flat({ on: { GO: "b" } }), ["a: GO"]);
  t.same(flat({ after: { 10: "b" } }), ["a: xstate.after.10.m.a"]);
  t.same(flat({ always: { target: "b", ...never } }), ["a: always"]);
  t.same(flat({ invoke: { src: "job", id: "job", onDone: "b", onError: "#m.b", onSnapshot: { target: "b", ...never } } }), [
    "a: xstate.done.actor.job xstate.error.actor.job xstate.snapshot.job",
  ]);
  t.same(flat({ on: { "*": "b", "x.*": { target: ["#m.deep.x"] } } }), ["a: * x.*"]);
  t.same(flat({ on: { GO: "#m.deep.h" } }), ["a: GO"], "a history");
  t.same(flat({}, { on: { GO: ".b" } }), ["a: GO"], "of the root");
  t.same(flat({ on: { GO: { target: "b", ...never } } }), ["a: GO"], "a guard may come true");
  t.same(ways({ initial: "c", states: { b: {}, c: { initial: "a", on: { GO: "b" }, states: { a: {} } } } }, { c: "a" }), ["c.a: GO"], "of a state around it");
  t.same(
    ways({ initial: "c", states: { c: { initial: "a", on: { GO: ".b" }, states: { a: {}, b: {} } } } }, { c: "a" }),
    ["c.a: GO"],
    "to a state beside it, of the state around it",
  );
  t.end();
});

test("O1. what comes back to the same place leads nowhere", (t) => {
  t.same(flat({}), ["a:"]);
  t.same(flat({ on: { NOTE: {}, GO: { target: "a" }, AGAIN: { target: "a", reenter: true }, ID: "#m.a" } }), ["a:"]);
  t.same(flat({}, { on: { RESET: ".a", ALL: { target: "#m", reenter: true } } }), ["a:"], "a reset, in the state that it leads to");
  t.same(ways({ initial: "b", on: { RESET: { target: "#m", reenter: true } }, states: { a: {}, b: {} } }, "a"), ["a: RESET"], "and in another one");
  t.same(ways({ initial: "c", states: { c: { initial: "a", on: { OVER: { target: "c", reenter: true }, IN: { target: "c" } }, states: { a: {}, b: {} } } } }, { c: "b" }), [
    "c.b: OVER IN",
  ]);
  t.same(ways({ initial: "c", states: { c: { initial: "a", on: { OVER: { target: "c", reenter: true }, IN: { target: "c" } }, states: { a: {}, b: {} } } } }, { c: "a" }), [
    "c.a:",
  ]);
  t.end();
});

const pair = (left: LooseRecord, right: LooseRecord, more: LooseRecord = {}): LooseRecord => ({
  initial: "p",
  states: { p: { type: "parallel", states: { l: { initial: "a", ...left }, r: { initial: "a", ...right } }, ...more }, out: {} },
});
const value = { p: { l: "a", r: "a" } };

test("O1. each region is left by its own transitions, and by all that leave the parallel state or reset it", (t) => {
  t.same(ways(pair({ states: { a: { on: { GO: "b" } }, b: {} } }, { states: { a: {} } }), value), ["p.l.a: GO", "p.r.a:"]);
  t.same(ways(pair({ states: { a: { on: { GO: "#m.out" } } } }, { states: { a: {} } }), value), ["p.l.a: GO", "p.r.a: GO"], "one region ends them all");
  t.same(
    ways(pair({ states: { a: { on: { GO: "#m.p.r.b" } } } }, { states: { a: {}, b: {} } }), value),
    ["p.l.a:", "p.r.a: GO"],
    "one region moves another, and is entered again where it was",
  );
  t.same(ways(pair({ states: { a: {}, b: {} } }, { states: { a: {}, b: {} } }, { on: { GO: { target: [".l.b", ".r.b"] } } }), value), ["p.l.a: GO", "p.r.a: GO"]);
  t.same(ways(pair({ states: { a: {}, b: {} } }, { states: { a: {} } }, { on: { GO: ".l.b" } }), value), ["p.l.a: GO", "p.r.a:"]);
  t.end();
});

test("O2. a done event counts where each leaf that is not final can be left, since nothing else brings it", (t) => {
  const ending = { states: { a: { on: { GO: "z" } }, z: { type: "final" } } };
  const stuck = { states: { a: {}, z: { type: "final" } } };
  const out = { onDone: "out" };
  t.same(ways(pair(ending, ending, out), value), ["p.l.a: GO xstate.done.state.m.p", "p.r.a: GO xstate.done.state.m.p"]);
  t.same(ways(pair(ending, stuck, out), value), ["p.l.a: GO", "p.r.a:"], "one region is never done, so that both never are");
  t.same(ways(pair(ending, stuck, out), { p: { l: "a", r: "z" } }), ["p.l.a: GO xstate.done.state.m.p", "p.r.z: xstate.done.state.m.p"], "it is done already");
  t.same(ways(pair(stuck, stuck, out), { p: { l: "z", r: "z" } }), ["p.l.z:", "p.r.z:"], "both were done before: it is not said twice");
  t.same(ways(pair({ ...ending, onDone: "#m.out" }, stuck), value), ["p.l.a: GO xstate.done.state.m.p.l", "p.r.a: xstate.done.state.m.p.l"], "of one region");
  t.same(ways({ initial: "c", states: { c: { initial: "a", states: { a: {}, z: { type: "final" } }, onDone: "out" }, out: {} } }, { c: "a" }), ["c.a:"]);
  t.end();
});

test("O2. what the machine can never take does not count: what stands behind an unguarded one, or is taken below", (t) => {
  t.same(flat({ on: { GO: [{ actions: [] }, { target: "b" }] } }), ["a:"]);
  t.same(flat({ on: { GO: [{ ...never }, { target: "b" }] } }), ["a: GO"]);
  t.same(flat({ on: { GO: {} } }, { on: { GO: ".b" } }), ["a:"], "forbidden below");
  t.same(flat({ on: { GO: { ...never } } }, { on: { GO: ".b" } }), ["a: GO"]);
  t.same(flat({ on: { "*": {} } }, { on: { GO: ".b" }, after: { 10: ".b" } }), ["a:"], "a wildcard takes timers too");
  t.same(flat({ on: { "x.*": {} } }, { on: { GO: ".b", "x.y": ".b", "*": ".b" } }), ["a: GO *"]);
  t.same(
    ways({ initial: "a", states: { a: { on: { GO: "b", END: "b" } }, b: {} } }, "a", (event) => event === "END"),
    ["a: GO"],
    "what is said not to come",
  );
  t.end();
});

test("O1. final leaves, regions and whether there is any other place are told; no ways of a state that the machine does not have", (t) => {
  const built = machine({ id: "m", ...pair({ states: { a: {}, z: { type: "final" } } }, { states: { a: { initial: "x", states: { x: {} } } } }) });
  t.same(waysOut(built, { p: { l: "z", r: { a: "x" } } }), {
    leaves: [
      { region: ["m.p.l.z", "m.p.l"], isFinal: true, hasElsewhere: true, by: [] },
      { region: ["m.p.r.a.x", "m.p.r.a", "m.p.r"], isFinal: false, hasElsewhere: false, by: [] },
    ],
    hasElsewhere: true,
  });
  t.same(waysOut(machine({ id: "one", on: { NOTE: {} } }), {}), { leaves: [{ region: ["one"], isFinal: false, hasElsewhere: false, by: [] }], hasElsewhere: false });
  t.equal(waysOut(built, "elsewhere"), undefined);
  t.end();
});

interface Placed {
  readonly value: unknown;
  readonly status: string;
  readonly _nodes: readonly AnyStateNode[];
}

/** Machines that raise events for longer than this in one step are left there. */
const MAX_SPENT = 60;

function leafIds({ _nodes }: Placed): readonly string[] {
  return _nodes.filter(({ type }) => type === "atomic" || type === "final").map(({ id }) => id);
}

function eventsOf({ _nodes }: Placed): readonly string[] {
  return [...new Set(_nodes.flatMap((node) => [...node.transitions.keys()]))].filter((event) => !event.includes("*") && !event.startsWith("xstate.done.state."));
}

test("O1, O2. in random machines XState leaves no leaf that nothing leads out of", (t) => {
  let left = 0;
  for (let seed = 1; seed <= form(20, 60); seed++) {
    let spent = 0;
    const built = drawMachine(seed).build(
      () => () => undefined,
      () => {
        if (++spent > MAX_SPENT) throw new Error("spent");
      },
    );
    const stepped = (step: () => unknown): Placed | undefined => {
      spent = 0;
      try {
        return (step() as readonly [Placed])[0];
      } catch {
        return undefined;
      }
    };
    let placed = stepped(() => initialTransition(built));
    for (let step = 0; step < 6 && placed?.status === "active"; step++) {
      const at: Placed = placed;
      const told = new Map(waysOut(built, at.value)?.leaves.map(({ region, by }) => [region[0] ?? "", by]));
      t.same([...told.keys()].toSorted(), leafIds(at).toSorted());
      const events = eventsOf(at);
      for (const [index, type] of events.entries()) {
        const next = stepped(() => transition(built, at as never, { type, output: undefined, snapshot: { value: null } }));
        const now = new Set(next === undefined ? leafIds(at) : leafIds(next));
        for (const id of leafIds(at).filter((leaf) => !now.has(leaf))) {
          left++;
          if (told.get(id)?.length === 0) t.fail(`seed ${String(seed)}: ${id} of ${JSON.stringify(at.value)} is left by ${type}, and nothing leads out of it`);
        }
        if (next !== undefined && index === step % events.length) placed = next;
      }
      if (placed === at) break;
    }
  }
  t.ok(left > 50, `${String(left)} were left`);
  t.end();
});
