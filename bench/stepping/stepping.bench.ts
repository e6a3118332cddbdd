// What the entity's turn alone costs: step, savepoint, actions as data, commit; no system, no mailbox, no clock.
//
// 64 inputs a turn is what an activation hands over under load; one input a turn is what it hands over when it is quiet. Timed is the same work of all: 64 events.

import { createActor } from "xstate";

import type { Address } from "../../runtime/address.ts";
import { actorType, entityType, messages } from "../../runtime/index.ts";
import { createEntity, type Input, type InputResult } from "../../runtime/entity/index.ts";
import { type BenchDefinition, type Contender, inStretches, mustMatch, type Prepared, Tally } from "../_helpers.ts";
import { machineOf, MACHINE_KINDS, type MachineKind } from "../mailbox/machines.ts";

/** A full turn. */
const EVENTS_PER_STRETCH = 64;
const STRETCHES_PER_SAMPLE = 100;
const EVENTS_PER_SAMPLE = EVENTS_PER_STRETCH * STRETCHES_PER_SAMPLE;
/** Any instant does; nothing here waits. */
const AT_MS = 1_767_225_600_000;

export const stepping: BenchDefinition = {
  name: "stepping",
  question: "What does a turn of the entity core cost beside createActor().send?",
  groups: MACHINE_KINDS.map((kind) => ({
    name: kind,
    unit: "events",
    measures: "rate",
    timed: "64 events, which are one turn, 64 turns or 64 calls of `send`",
    reference: "xstate",
    contenders: [turns("drover, 64 a turn", kind, EVENTS_PER_STRETCH), turns("drover, 1 a turn", kind, 1), { name: "xstate", prepare: () => prepareBare(kind) }],
  })),
};

function turns(name: string, kind: MachineKind, inputsPerTurn: number): Contender {
  return {
    name,
    prepare: () => {
      const tally = new Tally();
      const root = actorType({ name: "receiver", version: 1, messages: messages({ go: { body: {} } }), behaviour: machineOf(kind, tally.one) as never });
      const address = "bench/receiver/one" as Address;
      const entity = createEntity(entityType({ root, durability: "volatile", placement: "cloud" }), address, "history");
      const stamp = { now: AT_MS, elapsed: 0, seed: 1 };
      entity.turn([{ kind: "start", input: undefined, labels: {} }], stamp);
      entity.commit();
      const inputs: readonly Input[] = Array.from({ length: inputsPerTurn }, () => ({
        kind: "message",
        to: address,
        event: { type: "go" },
        sender: { kind: "local", name: "bench" },
        wantsReply: false,
      }));
      const problems = new Map<string, number>();
      let sent = 0;
      return {
        sample: () => {
          let results: readonly InputResult[] = [];
          const times = inStretches(STRETCHES_PER_SAMPLE, () => {
            for (let at = 0; at < EVENTS_PER_STRETCH; at += inputsPerTurn) {
              ({ results } = entity.turn(inputs, stamp));
              entity.commit();
            }
          });
          sent += EVENTS_PER_SAMPLE;
          for (const { kind: result } of results) if (result !== "accepted") problems.set(result, (problems.get(result) ?? 0) + 1);
          return { work: EVENTS_PER_SAMPLE, ...times };
        },
        finish: () => {
          mustMatch("events to the entity", tally.received, sent);
          if (problems.size > 0) throw new Error(`not accepted: ${JSON.stringify([...problems])}`);
        },
      };
    },
  };
}

function prepareBare(kind: MachineKind): Prepared {
  const tally = new Tally();
  const actor = createActor(machineOf(kind, tally.one));
  actor.start();
  let sent = 0;
  return {
    sample: () => {
      const times = inStretches(STRETCHES_PER_SAMPLE, () => {
        for (let at = 0; at < EVENTS_PER_STRETCH; at++) actor.send({ type: "go" });
      });
      sent += EVENTS_PER_SAMPLE;
      return { work: EVENTS_PER_SAMPLE, ...times };
    },
    finish: () => {
      mustMatch("events to the machine", tally.received, sent);
      actor.stop();
    },
  };
}
