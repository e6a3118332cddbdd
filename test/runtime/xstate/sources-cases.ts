// Cases against bare XState: promises, callbacks, observables, transition logic.

import { from, of } from "rxjs";

import type { DifferentialCase } from "./case.ts";
import { assign, fromCallback, fromEventObservable, fromObservable, fromPromise, fromTransition, log, machine, sendParent, sendTo } from "./loose.ts";

/** A promise that is told of its abort; where it ends it is left, begun once more, or its end is not listened to. */
const ending = (
  name: string,
  work: () => unknown,
  { target, reenter = false, script = [{ tick: 4 }] }: Partial<Pick<DifferentialCase, "script">> & { target?: string; reenter?: boolean },
): DifferentialCase => {
  const after = [
    { guard: ({ context }: { context: { n: number } }) => context.n > 0, target: "b" },
    { ...(target === undefined ? {} : { target }), reenter, actions: assign({ n: 1 }) },
  ] as const;
  return {
    name,
    make: (trace) =>
      machine(
        { context: { n: 0 }, initial: "a", states: { a: { invoke: { src: "p", id: "p", onDone: after, onError: after }, on: { OUT: "b" } }, b: {} } },
        {
          actors: {
            p: fromPromise(async ({ signal }) => {
              signal.addEventListener("abort", () => trace("aborted")());
              return work();
            }),
          },
        },
      ),
    script,
  };
};
const fails = (): never => {
  throw new Error("no");
};
/** What is not synchronised is `false` or left out, and means the same. */
const withoutNo = (key: string, value: unknown): unknown => (key === "syncSnapshot" && value === false ? undefined : value);
const hangs = (): Promise<never> => new Promise(() => undefined);

export const sourcesCases: readonly DifferentialCase[] = [
  ending("a promise that is done is not aborted", () => 1, { target: "b" }),
  ending("a promise that is done and stays is not aborted", () => 1, {}),
  ending("a promise that is done and begun once more is not aborted", () => 1, { target: "a", reenter: true }),
  ending("a promise that was rejected is not aborted", fails, { target: "b" }),
  ending("a promise that was rejected and stays is not aborted", fails, { script: [{ tick: 4 }, "OUT", { tick: 2 }] }),
  ending("a promise that was rejected and begun once more is not aborted", fails, { target: "a", reenter: true }),
  ending("a promise that is stopped while it runs is aborted", hangs, { target: "b", script: [{ tick: 2 }, "OUT", { tick: 2 }] }),
  {
    name: "invoke promise ok",
    make: (trace) =>
      machine(
        {
          context: { r: 0 },
          initial: "w",
          states: { w: { invoke: { src: "p", input: 21, onDone: { target: "d", actions: assign({ r: ({ event }) => event.output }) } } }, d: { entry: trace("done") } },
        },
        { actors: { p: fromPromise(async ({ input }) => input * 2) } },
      ),
    script: [{ tick: 3 }],
  },
  {
    name: "invoke promise fails, onError",
    make: () =>
      machine(
        {
          context: { r: null },
          initial: "w",
          states: { w: { invoke: { src: "p", onError: { target: "d", actions: assign({ r: ({ event }) => event.error.message }) } } }, d: {} },
        },
        {
          actors: {
            p: fromPromise(async () => {
              throw new Error("no");
            }),
          },
        },
      ),
    script: [{ tick: 3 }],
  },
  {
    name: "invoke promise fails, unhandled: escalates",
    make: () =>
      machine(
        { initial: "w", states: { w: { invoke: { src: "p" } } } },
        {
          actors: {
            p: fromPromise(async () => {
              throw new Error("no");
            }),
          },
        },
      ),
    script: [{ tick: 3 }],
    difference: "N8",
  },
  {
    name: "invoke promise, leaving aborts",
    make: (trace) =>
      machine(
        { initial: "w", states: { w: { invoke: { src: "p", onDone: "bad" }, on: { OUT: "o" } }, o: { entry: trace("o+") }, bad: {} } },
        { actors: { p: fromPromise(({ signal }) => new Promise(() => signal.addEventListener("abort", () => trace("aborted")()))) } },
      ),
    script: ["OUT", { tick: 3 }],
  },
  {
    name: "invoke callback: sendBack, receive, dispose",
    make: (trace) =>
      machine(
        {
          context: { log: [] },
          initial: "w",
          states: {
            w: {
              invoke: { src: "cb", id: "cb", input: 7 },
              on: {
                HI: { actions: assign({ log: ({ context, event }) => [...context.log, ["hi", event.v]] }) },
                ECHO: { actions: assign({ log: ({ context, event }) => [...context.log, ["echo", event.v]] }) },
                PING: { actions: sendTo("cb", { type: "X", v: 9 }) },
                OUT: "o",
              },
            },
            o: {},
          },
        },
        {
          actors: {
            cb: fromCallback(({ sendBack, receive, input }) => {
              sendBack({ type: "HI", v: input });
              receive((e: { readonly v: unknown }) => sendBack({ type: "ECHO", v: e.v }));
              return trace("disposed");
            }),
          },
        },
      ),
    script: ["PING", "PING", "OUT", { tick: 2 }],
  },
  {
    name: "invoke observable + onSnapshot",
    make: () =>
      machine(
        {
          context: { log: [] },
          initial: "w",
          states: { w: { invoke: { src: "o", onSnapshot: { actions: assign({ log: ({ context, event }) => [...context.log, event.snapshot.context] }) }, onDone: "d" } }, d: {} },
        },
        { actors: { o: fromObservable(() => of(1, 2, 3)) } },
      ),
    script: [{ tick: 2 }],
  },
  {
    name: "invoke eventObservable",
    make: () =>
      machine(
        {
          context: { log: [] },
          initial: "w",
          states: { w: { invoke: { src: "o", onDone: "d" }, on: { "*": { actions: assign({ log: ({ context, event }) => [...context.log, event.type] }) } } }, d: {} },
        },
        { actors: { o: fromEventObservable(() => of({ type: "A" }, { type: "B" })) } },
      ),
    script: [{ tick: 2 }],
  },
  {
    name: "invoke fromTransition + syncSnapshot",
    make: () =>
      machine(
        {
          context: { seen: [] },
          initial: "w",
          states: {
            w: {
              invoke: { src: "t", id: "t", input: 10, onSnapshot: { actions: assign({ seen: ({ context, event }) => [...context.seen, event.snapshot.context.n] }) } },
              on: { INC: { actions: sendTo("t", { type: "INC" }) } },
            },
          },
        },
        {
          actors: {
            t: fromTransition(
              (s, e) => (e.type === "INC" ? { n: s.n + 1 } : s),
              ({ input }) => ({ n: input }),
            ),
          },
        },
      ),
    script: ["INC", "INC"],
  },
  {
    name: "inline invoke (volatile only)",
    make: () =>
      machine({
        context: { r: 0 },
        initial: "w",
        states: { w: { invoke: { src: fromPromise(async () => 3), onDone: { target: "d", actions: assign({ r: ({ event }) => event.output }) } } }, d: {} },
      }),
    script: [{ tick: 3 }],
  },
  {
    name: "callback that answers synchronously while parent goes on sending",
    make: () =>
      machine(
        {
          context: { log: [] },
          invoke: [
            { src: "cb", id: "cb" },
            { src: "k", id: "k" },
          ],
          on: {
            GO: { actions: [sendTo("cb", { type: "x" }), sendTo("k", { type: "Q" })] },
            "*": { actions: assign({ log: ({ context, event }) => [...context.log, event.type] }) },
          },
        },
        {
          actors: {
            cb: fromCallback(({ sendBack, receive }) => {
              receive(() => sendBack({ type: "ECHO" }));
            }),
            k: machine({ on: { Q: { actions: sendParent({ type: "K" }) } } }),
          },
        },
      ),
    difference: "N2",
    script: ["GO", { tick: 1 }],
  },
  {
    name: "promise child emits + logs",
    make: () =>
      machine(
        { initial: "w", states: { w: { entry: log("hello", "L"), invoke: { src: "p", onDone: "d" } }, d: {} } },
        {
          actors: {
            p: fromPromise(async ({ emit }) => {
              emit({ type: "progress", pct: 5 });
              return 1;
            }),
          },
        },
      ),
    script: [{ tick: 3 }],
  },
  {
    name: "nested: child invokes promise, result bubbles",
    make: () =>
      machine(
        {
          context: { r: null },
          initial: "w",
          states: { w: { invoke: { src: "c", id: "c", onDone: { target: "d", actions: assign({ r: ({ event }) => event.output }) } } }, d: {} },
        },
        {
          actors: {
            c: machine(
              {
                context: { o: null },
                initial: "w",
                states: { w: { invoke: { src: "p", onDone: { target: "f", actions: assign({ o: ({ event }) => event.output }) } } }, f: { type: "final" } },
                output: ({ context }) => context.o,
              },
              { actors: { p: fromPromise(async () => "v") } },
            ),
          },
        },
      ),
    script: [{ tick: 4 }],
  },
  {
    name: "a source selects from the ref of a sibling, observes it and persists it, with all that is below it",
    make: () => {
      const leaf = machine({ context: ({ input }) => ({ input }), initial: "a", states: { a: { on: { UP: "b" } }, b: {} } });
      const sibling = machine(
        {
          id: "sibling",
          context: ({ spawn, input }) => ({ n: input, leaf: spawn("leaf", { id: "leaf", input: 3, systemId: "leaf" }), list: [{ self: null }] }),
          invoke: [
            { src: "waits", id: "waits", input: { ms: 5 } },
            { src: "done", id: "done" },
            { src: "counts", id: "counts", onSnapshot: {} },
          ],
          initial: "off",
          states: { off: { on: { UP: "on" } }, on: { initial: "x", states: { x: { on: { UP: "y" } }, y: {}, last: { type: "history" } }, on: { AWAY: "off" } } },
          on: { ADD: { actions: [assign({ n: ({ context }) => context.n + 1 }), sendTo("leaf", { type: "UP" }), sendTo("counts", { type: "UP" })] } },
        },
        { actors: { leaf, waits: fromPromise(hangs), done: fromPromise(async () => "v"), counts: fromTransition((state) => ({ n: state.n + 1 }), { n: 0 }) } },
      );
      const looks = fromCallback(({ system, sendBack }) => {
        const k = system.get("K");
        const read = k.select((snapshot: { context: { n: number } }) => snapshot.context.n);
        const seen: unknown[] = [];
        from(k)
          .subscribe((snapshot) => seen.push(snapshot))
          .unsubscribe();
        sendBack({ type: "SAW", value: [read.get(), JSON.stringify(k.getPersistedSnapshot(), withoutNo), k.systemId, k.getPersistedSnapshot().context.leaf, seen] });
      });
      return machine(
        {
          context: { seen: [] },
          invoke: { src: "sibling", id: "k", input: 1, systemId: "K" },
          initial: "a",
          states: { a: { on: { LOOK: "b" } }, b: { invoke: { src: "looks" }, on: { BACK: "a" } } },
          on: { SAW: { actions: assign({ seen: ({ context, event }) => [...context.seen, event.value] }) }, "*": { actions: sendTo("k", ({ event }) => ({ type: event.type })) } },
        },
        { actors: { sibling, looks } },
      );
    },
    script: [{ tick: 3 }, "LOOK", { tick: 2 }, "BACK", "ADD", "UP", "UP", { tick: 2 }, "LOOK", { tick: 2 }, "BACK", "AWAY", { tick: 2 }, "LOOK", { tick: 2 }],
  },
];
