// A list costs what is in it, whatever length it says it has: for each that walks contexts, events and what is made of them (promise S5).

import { test } from "tap";

import { decodeData, encodeData } from "../../../runtime/xstate/index.ts";
import { NotPlain, plainCopy } from "../../../runtime/entity/index.ts";
import { bytesOfData } from "../../../runtime/entity/row-weight.ts";
import { asItIsNow, copyOfParts, eachItem, freezeParts } from "../../../runtime/xstate/index.ts";
import { anyMessages, EntityHost, thingType } from "../entity-host.ts";
import { assign, machine, raise, sendTo } from "./loose.ts";

/** The parameter group of engine speed, as an index: each place of such a list takes about 50 ns to look at. */
const FAR = 0x18fef100;
/** Processor time; a walk over all places takes 20 times as long. */
const MAX_CPU_MS = 1_000;

const sparse = (): unknown[] => {
  const list: unknown[] = [];
  list[FAR] = 1;
  return list;
};

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

const spawning = assign({ kept: ({ spawn, event }) => [spawn("kid", { id: "k", input: event.list }), sparse()] });
const keep = assign({ seen: () => sparse() });
const steps: Readonly<Record<string, object>> = {
  "the context": { A: { actions: keep }, B: { actions: assign({ n: 1 }) } },
  "a deeper part": { A: { actions: assign({ seen: () => ({ deep: [{ list: sparse() }] }) }) }, B: {} },
  "what is made beside a child": { A: { actions: spawning }, B: {} },
  "a delayed event": { A: { actions: raise(() => ({ type: "B", list: sparse() }), { delay: 1_000 }) }, B: {} },
  "an event to itself": {
    A: {
      actions: sendTo(
        ({ self }) => self,
        () => ({ type: "B", list: sparse() }),
      ),
    },
    B: { actions: assign({ seen: ({ event }) => event.list }) },
  },
};

for (const durability of ["events", "volatile"] as const)
  test(`S5. a list with an item far out costs a ${durability} actor next to nothing, wherever it stands`, (t) => {
    for (const [where, on] of Object.entries(steps)) {
      const host = new EntityHost(thingType(machine({ context: { seen: [], kept: null }, on: on as never }, { actors: { kid: machine({}) } }), anyMessages(), { durability }));
      const ms = cpuMs(() => {
        for (const event of ["A", "B", "A"]) host.send(event);
        host.context();
      });
      t.ok(ms < MAX_CPU_MS, `${where}: ${String(ms)} ms`);
    }
    t.end();
  });

test("R2, S5. a durable actor whose list has a hole is told its first place at once", (t) => {
  const host = new EntityHost(thingType(machine({ context: { seen: [] }, on: { A: { actions: keep } } }), anyMessages()));
  t.match(host.send("A"), { kind: "faulted", code: "DROVER_DATA_NOT_KEPT", error: /context\/seen\/0 is a hole in a list/ });
  t.end();
});

test("S5. a message with such a list is refused at once", (t) => {
  const host = new EntityHost(thingType(machine({ context: {}, on: { A: {} } }), anyMessages()));
  const ms = cpuMs(() => {
    t.match(host.send({ type: "A", list: sparse() }), { kind: "invalid", problems: [{ path: "/list/0", message: /a hole in a list/ }] });
  });
  t.ok(ms < MAX_CPU_MS, `${String(ms)} ms`);
  t.end();
});

test("S5. copies, weights, freezing and refusals cost what is there, also of a proxy", (t) => {
  const strict = { isLenient: false } as Parameters<typeof encodeData>[1];
  const lenient = { isLenient: true } as Parameters<typeof encodeData>[1];
  const walks: Readonly<Record<string, (list: unknown[]) => unknown>> = {
    "a plain copy": (list) => t.throws(() => plainCopy({ list }), NotPlain),
    "the codec": (list) => t.throws(() => encodeData({ list }, strict), /list\/0 is a hole in a list/),
    "the codec of what may be lost": (list) => decodeData(encodeData({ list }, lenient), lenient),
    "a weight": (list) => t.ok(bytesOfData({ list }) < 1_000),
    "a rehearsal's copy": (list) => t.equal((copyOfParts({ list }) as { readonly list: unknown[] }).list.length, FAR + 1),
    "a copy at a border": (list) => t.equal((asItIsNow({ list }) as { readonly list: unknown[] }).list.length, FAR + 1),
    freezing: (list) => {
      freezeParts({ list });
    },
    "each item": (list) => {
      const found: unknown[] = [];
      eachItem(list, (item, at) => found.push([at, item]));
      t.same(found, [[FAR, 1]]);
    },
  };
  for (const [name, walk] of Object.entries(walks))
    for (const list of [sparse(), new Proxy(sparse(), {})]) {
      const ms = cpuMs(() => walk(list));
      t.ok(ms < MAX_CPU_MS, `${name}: ${String(ms)} ms`);
    }
  t.end();
});

test("D6. promises in what is refused are quiet, also on a list's names and far out", async (t) => {
  const far = sparse();
  far[5] = Promise.reject(new Error("far"));
  const named = Object.assign([1], { x: Promise.reject(new Error("named")) });
  const host = new EntityHost(thingType(machine({ context: { seen: [] }, on: { A: { actions: assign({ seen: () => [[named, far]] }) } } }), anyMessages()));
  t.match(host.send("A"), { kind: "faulted", error: /context\/seen\/0\/0\/x is a named property of a list/ });
  await new Promise<void>((resolve) => setImmediate(resolve));
  t.end();
});
