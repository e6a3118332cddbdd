// What a message costs on its way through the system: mailbox, turn, savepoint, supervision, without a store.
//
// Timed is how long a message takes when many are due at once: from then, not from its own turn to be sent, until it is taken. So a mailbox and a synchronous call have one measure.
//
// A plain behaviour stands beside nact, beside Erlang/OTP where it is installed, and beside the least a mailbox can be; XState machines stand beside createActor().send, where a send is a synchronous call.

import { fileURLToPath } from "node:url";

import * as nact from "nact";
import { createActor } from "xstate";

import { type BenchDefinition, type Contender, type ForeignContender, type Group, mustMatch, type Prepared, Tally } from "../_helpers.ts";
import { BURST, byNotify, byTell, MACHINE_TIMED_EVERY, PLAIN_TIMED_EVERY, plainBehaviour, TOLD_BURST } from "./hosted.ts";
import { machineOf, MACHINE_KINDS, type MachineKind } from "./machines.ts";

const TIMED = `of ${counted(BURST)} messages due at once, how long one takes from then until it is taken; of \`tell\` ${counted(TOLD_BURST)}, until the sender has the outcome`;

export const mailbox: BenchDefinition = {
  name: "mailbox",
  question: "How many messages a second reach an actor, through the system?",
  groups: [
    {
      name: "plain",
      unit: "messages",
      measures: "rate",
      timed: TIMED,
      reference: "nact",
      contenders: [
        plain("drover notify", byNotify),
        plain("drover tell, awaited", byTell),
        { name: "nact", prepare: prepareNact },
        erlang("erlang gen_server", "gen_server"),
        erlang("erlang process", "process"),
        { name: "array and microtask", prepare: prepareFloor },
      ],
    },
    ...MACHINE_KINDS.map(machineGroup),
  ],
};

type Door = typeof byNotify;

function counted(messages: number): string {
  return messages.toLocaleString("en");
}

const ERLANG = fileURLToPath(new URL("./erlang_rounds.escript", import.meta.url));

function erlang(name: string, kind: "gen_server" | "process"): ForeignContender {
  return { name, command: () => ["escript", ERLANG, kind, String(BURST), String(PLAIN_TIMED_EVERY)] };
}

function plain(name: string, door: Door): Contender {
  return {
    name,
    prepare: () => {
      const tally = new Tally();
      return door(plainBehaviour(tally), tally, PLAIN_TIMED_EVERY);
    },
  };
}

function machineGroup(kind: MachineKind): Group {
  const hosted = (name: string, door: Door): Contender => ({
    name,
    prepare: () => {
      const tally = new Tally();
      return door(machineOf(kind, tally.one), tally, MACHINE_TIMED_EVERY);
    },
  });
  return {
    name: kind,
    unit: "events",
    measures: "rate",
    timed: TIMED,
    reference: "xstate",
    contenders: [hosted("drover notify", byNotify), hosted("drover tell, awaited", byTell), { name: "xstate", prepare: () => prepareBare(kind) }],
  };
}

/** XState by itself: `send` returns when the event has been taken. */
function prepareBare(kind: MachineKind): Prepared {
  const tally = new Tally();
  const actor = createActor(machineOf(kind, tally.one));
  actor.start();
  let sent = 0;
  return {
    sample: () => {
      const start = performance.now();
      void tally.due(BURST, MACHINE_TIMED_EVERY);
      for (let at = 0; at < BURST; at++) actor.send({ type: "go" });
      const elapsedMs = performance.now() - start;
      sent += BURST;
      return { work: BURST, elapsedMs, latenciesMs: tally.timesMs };
    },
    finish: () => {
      mustMatch("events to the machine", tally.received, sent);
      actor.stop();
    },
  };
}

function prepareNact(): Prepared {
  const tally = new Tally();
  const system = nact.start();
  const actor = nact.spawn(
    system,
    (state: { readonly total: number } = { total: 0 }, _message: { readonly type: string }) => {
      tally.one();
      return { total: state.total + 1 };
    },
    "receiver",
  );
  let sent = 0;
  return {
    sample: async () => {
      const start = performance.now();
      const arrived = tally.due(BURST, PLAIN_TIMED_EVERY);
      for (let at = 0; at < BURST; at++) nact.dispatch(actor, { type: "go" });
      await arrived;
      const elapsedMs = performance.now() - start;
      sent += BURST;
      return { work: BURST, elapsedMs, latenciesMs: tally.timesMs };
    },
    finish: () => {
      mustMatch("messages to nact's actor", tally.received, sent);
      nact.stop(system);
    },
  };
}

/** The least that could be called a mailbox: no bound, no address, no check, no supervision. */
function prepareFloor(): Prepared {
  const tally = new Tally();
  let state = { total: 0 };
  let queue: { readonly type: string }[] = [];
  let sent = 0;
  const drain = (): void => {
    const taken = queue;
    queue = [];
    for (const message of taken) {
      if (message.type === "go") state = { total: state.total + 1 };
      tally.one();
    }
  };
  return {
    sample: async () => {
      const start = performance.now();
      const arrived = tally.due(BURST, PLAIN_TIMED_EVERY);
      for (let at = 0; at < BURST; at++) {
        if (queue.length === 0) queueMicrotask(drain);
        queue.push({ type: "go" });
      }
      await arrived;
      const elapsedMs = performance.now() - start;
      sent += BURST;
      return { work: BURST, elapsedMs, latenciesMs: tally.timesMs };
    },
    finish: () => {
      mustMatch("messages through the array", state.total, sent);
    },
  };
}
