// What an actor holds of the heap while it has nothing to do: in memory, and after it has left it (rules C5).
//
// H1. Each actor has taken a message before its heap is looked at: one that was only made has not all that it needs.
// H2. Heap is what a collection leaves, with the buffers outside it; what a store's own thread and the disk hold is not in it.

import { fileURLToPath } from "node:url";

import * as nact from "nact";
import { createActor } from "xstate";

import type { AnyBehaviour } from "../../runtime/index.ts";
import { type BenchDefinition, type Budget, type Contender, type ForeignContender, mustMatch, Tally } from "../_helpers.ts";
import { heldHeapBytes } from "../held-heap.ts";
import { host, plainBehaviour } from "../mailbox/hosted.ts";
import { machineOf } from "../mailbox/machines.ts";
import { KNOWN, prepareKnown, prepareNames } from "./known.ts";

/** As many as a node of the first cut has in memory; what a process holds once is then below a thousandth of it. */
const ACTORS = 5_000;
const QUICK_ACTORS = 50;
const ERLANG = fileURLToPath(new URL("./erlang_resident.escript", import.meta.url));
const GO = { type: "go" } as const;

/** Makes some actors, each of which takes a message. They are held until `end`. */
type Make = (actors: number, tally: Tally) => Promise<{ end(): Promise<void> | void }>;

export const resident: BenchDefinition = {
  name: "resident",
  question: "What does an idle actor hold of the heap?",
  groups: [
    {
      name: "machine",
      unit: "actors",
      measures: "heap",
      reference: "xstate",
      contenders: [held("drover", (actors, tally) => makeHosted(machineOf("toggle", tally.one), actors)), held("xstate", makeBare)],
    },
    {
      name: "plain",
      unit: "actors",
      measures: "heap",
      reference: "nact",
      contenders: [
        held("drover", (actors, tally) => makeHosted(plainBehaviour(tally), actors)),
        held("nact", makeNact),
        { name: "erlang gen_server", command: () => ["escript", ERLANG, String(ACTORS)] } satisfies ForeignContender,
      ],
    },
    {
      name: `${String(KNOWN / 1_000)}k-passivated`,
      unit: "entities",
      measures: "heap",
      reference: "a set of their names",
      contenders: [
        { name: "drover", prepare: prepareKnown },
        { name: "a set of their names", prepare: prepareNames },
      ],
    },
  ],
};

function held(name: string, make: Make): Contender {
  return {
    name,
    prepare: (budget: Budget) => {
      const actors = budget.isQuick ? QUICK_ACTORS : ACTORS;
      let received = 0;
      let made = 0;
      return {
        sample: async () => {
          const start = performance.now();
          const before = heldHeapBytes();
          const tally = new Tally();
          const all = await make(actors, tally);
          await tally.reaches(actors);
          const heapBytes = heldHeapBytes() - before;
          const elapsedMs = performance.now() - start;
          await all.end();
          made += actors;
          received += tally.received;
          return { work: tally.received, elapsedMs, heapBytes };
        },
        finish: () => {
          mustMatch("messages, one to each actor", received, made);
        },
      };
    },
  };
}

async function makeHosted(behaviour: AnyBehaviour, actors: number): ReturnType<Make> {
  const { system, addresses } = await host(behaviour, actors);
  for (const address of addresses) if (!system.notify(address, GO)) throw new Error("the mailbox was full");
  return { end: () => system.stop() };
}

function makeBare(actors: number, tally: Tally): ReturnType<Make> {
  const machine = machineOf("toggle", tally.one);
  const all = Array.from({ length: actors }, () => createActor(machine));
  for (const actor of all) {
    actor.start();
    actor.send(GO);
  }
  return Promise.resolve({
    end: () => {
      for (const actor of all) actor.stop();
    },
  });
}

function makeNact(actors: number, tally: Tally): ReturnType<Make> {
  const system = nact.start();
  const take = (state: { readonly total: number } = { total: 0 }, _message: { readonly type: string }): { readonly total: number } => {
    tally.one();
    return { total: state.total + 1 };
  };
  for (let at = 0; at < actors; at++) nact.dispatch(nact.spawn(system, take, `receiver-${String(at)}`), GO);
  return Promise.resolve({
    end: () => {
      nact.stop(system);
    },
  });
}
