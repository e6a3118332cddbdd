// How long a crashed actor is away: from the message that makes it throw to the answer of the next one, from the state that it had before.
//
// T1. Each actor crashes for the first time in its life: later ones may wait by backoff (hosting H14). Those of a round are new.
// T2. The answer must be the number that this actor was given before it crashed; anything else, or none, fails the run.
// T3. What makes it throw is offered to it again, behind the question (hosting H13). The next actor has its turn when that is over.

import { join } from "node:path";

import { assign, sendTo, setup } from "xstate";

import { sqliteStore } from "../../protocols/sqlite/index.ts";
import { type Address, actorType, createSystem, entityType, type EventOf, messages, reply, type System, systemClock, systemRandom, T } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { type BenchDefinition, type Budget, mustMatch, type Prepared } from "../_helpers.ts";
import { scratchFolder } from "../durable/fleet.ts";

/** In a round; over 5,000 in all. */
const CRASHES = 250;
const QUICK_CRASHES = 20;
const WITHIN_MS = 10_000;

const cellMessages = messages({
  "level.set": { body: { percent: T.Integer() } },
  "level.read": { body: {}, reply: T.Object({ percent: T.Integer() }) },
  "level.break": { body: {} },
});
type CellEvent = EventOf<typeof cellMessages>;

const machine = setup({
  types: { context: {} as { readonly percent: number; readonly reads: number }, events: {} as CellEvent },
  actions: {
    keep: assign({ percent: ({ context, event }) => (event.type === "level.set" ? event.percent : context.percent) }),
    count: assign({ reads: ({ context }) => context.reads + 1 }),
    answer: sendTo(
      ({ event }) => (event as Extract<CellEvent, { type: "level.read" }>).replyTo,
      ({ context }) => reply({ percent: context.percent }),
    ),
    fail: assign(() => {
      throw new Error("failed on purpose");
    }),
  },
}).createMachine({
  context: { percent: -1, reads: 0 },
  on: { "level.set": { actions: "keep" }, "level.read": { actions: ["count", "answer"] }, "level.break": { actions: "fail" } },
});

const cellEntity = entityType({ root: actorType({ name: "cell", version: 1, messages: cellMessages, behaviour: machine }), durability: "events", placement: "cloud" });

/** Takes an actor away. @returns what must be over before the next one has its turn */
type Blow = (system: System, address: Address) => { readonly back: Promise<unknown>; readonly over: Promise<unknown> };

export const restart: BenchDefinition = {
  name: "restart",
  question: "How long is an actor away that has crashed for the first time?",
  groups: [
    {
      name: "first",
      unit: "crashes",
      measures: "latency",
      timed: "from the message that makes the actor throw until the next one's answer; `no crash` the answer alone",
      reference: "no crash",
      contenders: [
        { name: "drover, thrown in a step", prepare: (budget) => prepareBlows(budget, thrown, 3) },
        { name: "drover, out of memory and read from the store", prepare: (budget) => prepareBlows(budget, evicted, 0) },
        { name: "no crash", prepare: (budget) => prepareBlows(budget, spared, 0) },
      ],
    },
  ],
};

const DONE = Promise.resolve();

function spared(): ReturnType<Blow> {
  return { back: DONE, over: DONE };
}

function thrown(system: System, address: Address): ReturnType<Blow> {
  const told = system.tell(address, { type: "level.break" }, { withinMs: WITHIN_MS }).then(({ kind }) => {
    if (kind === "accepted") throw new Error("what should have made the actor throw was accepted");
  });
  return { back: DONE, over: told };
}

/** As a supervisor does with an entity that could not go on. */
function evicted(system: System, address: Address): ReturnType<Blow> {
  return { back: system.deactivate(address).then(() => system.activate(address, { input: undefined })), over: DONE };
}

/** @param restarts by the entity's supervisor, for each blow */
async function prepareBlows(budget: Budget, blow: Blow, restarts: number): Promise<Prepared> {
  const crashes = budget.isQuick ? QUICK_CRASHES : CRASHES;
  const folder = scratchFolder();
  const store = sqliteStore({ path: join(folder.path, "journal.db"), log: silentLog, clock: systemClock });
  await store.open();
  const system = createSystem({ node: "bench", types: [cellEntity], store, clock: systemClock, random: systemRandom, log: silentLog });
  await system.start();
  let made = 0;
  let reads = 0;
  return {
    sample: async () => {
      const addresses = Array.from({ length: crashes }, () => `bench/cell/c-${String(made++)}` as Address);
      await Promise.all(addresses.map((address, at) => begin(system, address, at)));
      const latenciesMs: number[] = [];
      const start = performance.now();
      for (const [at, address] of addresses.entries()) {
        const since = performance.now();
        const { back, over } = blow(system, address);
        await back;
        const answer = await system.ask(address, { type: "level.read" }, { withinMs: WITHIN_MS });
        latenciesMs.push(performance.now() - since);
        if (answer.kind !== "replied" || (answer.value as { readonly percent: number }).percent !== at)
          throw new Error(`${address} was given ${String(at)} and answers ${JSON.stringify(answer)}`);
        await over;
      }
      const elapsedMs = performance.now() - start;
      for (const address of addresses) reads += (system.read(address)?.context as { readonly reads: number } | undefined)?.reads ?? 0;
      await Promise.all(addresses.map((address) => system.deactivate(address)));
      return { work: latenciesMs.length, elapsedMs, latenciesMs };
    },
    finish: async () => {
      mustMatch("questions in committed states", reads, made);
      mustMatch("restarts", restartsOf(system), made * restarts);
      await system.stop();
      await store.close();
      folder.remove();
    },
  };
}

async function begin(system: System, address: Address, percent: number): Promise<void> {
  await system.activate(address, { input: undefined });
  const told = await system.tell(address, { type: "level.set", percent });
  if (told.kind !== "accepted") throw new Error(`a command was not accepted: ${JSON.stringify(told)}`);
}

function restartsOf(system: System): number {
  return system.metrics().find(({ name }) => name === "drover_actor_restarts_total")?.value ?? Number.NaN;
}
