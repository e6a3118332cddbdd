// The machine of every module: presence, lifecycle, health, and the commands on its outputs (vehicle.md, States). A product is a row of a table, never a machine.
//
// V1. A desired value is one command; when a status confirms it or its time ends, it is gone. What the bus reports is never kept here.
// V2. Nothing is sent a second time: without confirmation the outcome is unknown. Where a status may still confirm it, that decides; what no status confirms ends with the word of the hand-over.

import { assign, enqueueActions, sendParent, setup } from "xstate";
import { effect, type GuardReport, now } from "../../runtime/index.ts";
import {
  begun,
  doubted,
  declineOf,
  described,
  ended,
  type Ending,
  forgotten,
  hasConfirmation,
  isAlreadySo,
  isInForce,
  isMadeHere,
  isSuperseded,
  mayBegin,
  type ModuleEvent,
  reported,
  SETPOINT,
  shownValue,
  replyOf,
  transmissionOf,
  wantedOf,
} from "./command-rules.ts";
import { initialContext, type ModuleContext, type ModuleInput, termsOf, type Transmission } from "./module-context.ts";

const timerOf = (output: string): string => `ttl:${output}`;

/** Output and key of the command that an event speaks of. */
function commandOf(event: ModuleEvent): { readonly output: string; readonly key: string } {
  if (event.type === "effect.refused" || event.type === "effect.failed" || event.type === "effect.unknown") {
    const { output, key } = event.params as Partial<Transmission>;
    return { output: output ?? "", key: key ?? "" };
  }
  return { output: "output" in event ? (event.output ?? "") : "", key: "key" in event ? event.key : "" };
}

function endingOf(event: ModuleEvent): { readonly output: string; readonly outcome: Ending; readonly reason: string; readonly guard?: GuardReport; readonly value?: number } {
  const { output } = commandOf(event);
  switch (event.type) {
    case "output.confirmed":
      return { output, outcome: "confirmed", reason: "", ...(event.value === undefined ? {} : { value: event.value }) };
    case "output.contended":
      return { output, outcome: "contended", reason: "its frame was sent, and somebody else switched the output before its module answered" };
    case "effect.refused":
      return { output, outcome: "refused", reason: event.reason, ...(event.guard === undefined ? {} : { guard: event.guard as GuardReport }) };
    case "effect.failed":
    case "effect.unknown":
    case "output.unconfirmed":
      return { output, outcome: "unknown", reason: event.reason };
    default:
      return { output, outcome: "expired", reason: "its time ended before the module confirmed it" };
  }
}

function tell(fact: { readonly presence?: string; readonly health?: string }) {
  return sendParent<ModuleContext, ModuleEvent, undefined, { type: "module.changed"; module: string; cause: string; presence?: string; health?: string }, ModuleEvent>(
    ({ event, self }) => ({
      type: "module.changed",
      module: idOf(self.id),
      cause: event.type,
      ...fact,
    }),
  );
}

interface Reported {
  readonly type: "module.reported";
  readonly module: string;
  readonly part: string;
  readonly firmware: string;
  readonly at: number;
}

function idOf(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1);
}

const module = setup({
  types: { context: {} as ModuleContext, events: {} as ModuleEvent, input: {} as ModuleInput },
  actions: {
    /** Brightness, set point: named values, computed again after a restart, never replayed (rules F1). */
    transmitState: effect<Transmission>({ class: "state" }),
    /** Toggles: the committed row is the attempt mark. */
    transmitOnce: effect<Transmission>({ class: "once" }),
    begin: enqueueActions(({ context, event, enqueue, self }) => {
      const command = wantedOf(event);
      if (command === undefined) return;
      const replaced = context.outputs[command.output]?.desired;
      if (replaced?.replyTo !== undefined) enqueue.sendTo(replaced.replyTo, replyOf(replaced, command.output, "superseded", replaced.value));
      const next = begun(context, command, now(self));
      enqueue.assign(next);
      const transmission = transmissionOf(next, command.output);
      if (command.as === "light.set" || command.as === "climate.setpoint.request") enqueue({ type: "transmitState", params: transmission });
      else enqueue({ type: "transmitOnce", params: transmission });
      enqueue.cancel(timerOf(command.output));
      enqueue.raise({ type: "output.expired", output: command.output, key: transmission.key }, { id: timerOf(command.output), delay: command.ttlMs });
    }),
    answerSo: enqueueActions(({ event, enqueue }) => {
      const command = wantedOf(event);
      if (command?.replyTo !== undefined) enqueue.sendTo(command.replyTo, replyOf(command, command.output, "confirmed", shownValue(command.reported?.value, command.value)));
    }),
    answerSuperseded: enqueueActions(({ event, enqueue }) => {
      const command = wantedOf(event);
      if (command?.replyTo !== undefined) enqueue.sendTo(command.replyTo, replyOf(command, command.output, "superseded", command.value));
    }),
    settleSo: assign(({ context, event }) => {
      const command = wantedOf(event);
      return command === undefined ? context : reported(context, command.output, isMadeHere(command));
    }),
    /** The command in force has ended; whoever asked is told how. */
    end: enqueueActions(({ context, event, enqueue, self }) => {
      const { output, outcome, reason, guard, value } = endingOf(event);
      const desired = context.outputs[output]?.desired;
      if (desired === undefined) return;
      enqueue.assign(ended(context, output, { outcome, now: now(self), reason: outcome === "confirmed" ? undefined : reason, value }));
      enqueue.cancel(timerOf(output));
      if (desired.replyTo !== undefined)
        enqueue.sendTo(desired.replyTo, outcome === "confirmed" ? replyOf(desired, output, "confirmed", shownValue(value, desired.value)) : declineOf(outcome, reason, guard));
    }),
    doubt: assign(({ context, event }) => doubted(context, commandOf(event).output)),
    noteReport: assign(({ context, event }) => (event.type === "output.reported" ? reported(context, event.output, event.foreign === true, event.stands) : context)),
    forget: assign(({ context, event }) => (event.type === "output.forgotten" ? forgotten(context, event.output) : context)),
    raiseFault: assign({
      faults: ({ context, event, self }) =>
        event.type === "fault.raised" ? { ...context.faults, [event.code]: { health: event.health, title: event.title, since: now(self) } } : context.faults,
    }),
    clearFault: assign({
      faults: ({ context, event }) =>
        event.type === "fault.cleared" ? Object.fromEntries(Object.entries(context.faults).filter(([code]) => code !== event.code)) : context.faults,
    }),
    describe: assign(({ context, event }) =>
      event.type === "module.described" ? { ...described(context, event.outputs), bus: event.bus, moduleType: event.moduleType, offers: event.offers, ...termsOf(event) } : context,
    ),
    /** A dated one may prove an update: its vehicle hears of each (promise S8). */
    identify: enqueueActions(({ event, enqueue, self }) => {
      if (event.type !== "module.identified") return;
      const { part, firmware, at } = event;
      enqueue.assign({ part, firmware, ...(at === undefined ? {} : { identifiedAt: at }) });
      if (at === undefined) return;
      const module = idOf(self.id);
      enqueue(sendParent<ModuleContext, ModuleEvent, undefined, Reported, ModuleEvent>({ type: "module.reported", module, part, firmware, at }));
    }),
    excuse: assign({ excuse: ({ event }) => (event.type === "module.excused" ? event.why : null) }),
    expect: assign({ excuse: null }),
    // The vehicle's health is made of these.
    tellPresent: tell({ presence: "present" }),
    tellSilent: tell({ presence: "silent" }),
    tellNotExpected: tell({ presence: "not expected" }),
    tellUnseen: tell({ presence: "unseen" }),
    tellOk: tell({ health: "ok" }),
    tellDegraded: tell({ health: "degraded" }),
    tellFaulted: tell({ health: "faulted" }),
  },
  guards: {
    superseded: ({ context, event }) => {
      const command = wantedOf(event);
      return command !== undefined && isSuperseded(context, command);
    },
    alreadySo: ({ context, event }) => {
      const command = wantedOf(event);
      return command !== undefined && isAlreadySo(context, command);
    },
    mayBegin: ({ context, event }) => {
      const command = wantedOf(event);
      return command !== undefined && mayBegin(context, command);
    },
    inForce: ({ context, event }) => {
      const { output, key } = commandOf(event);
      return isInForce(context, output, key);
    },
    inForceUnconfirmed: ({ context, event }) => {
      const { output, key } = commandOf(event);
      return isInForce(context, output, key) && !hasConfirmation(context, output);
    },
    anyFaulted: ({ context }) => Object.values(context.faults).some((fault) => fault.health === "faulted"),
    anyFault: ({ context }) => Object.keys(context.faults).length > 0,
    onlyDegraded: ({ context }) => !Object.values(context.faults).some((fault) => fault.health === "faulted"),
    faultless: ({ context }) => Object.keys(context.faults).length === 0,
    newFault: ({ context, event }) => event.type === "fault.raised" && !Object.hasOwn(context.faults, event.code),
    standingFault: ({ context, event }) => event.type === "fault.cleared" && Object.hasOwn(context.faults, event.code),
  },
});

const take = [
  { guard: "superseded", actions: "answerSuperseded" },
  { guard: "alreadySo", actions: ["settleSo", "answerSo"] },
  { guard: "mayBegin", actions: "begin" },
] as const;

/** What every module may be told; a module that is not there takes none of it. */
const outputCommands = { "light.set": take, "relay.set": take, "output.identify": take } as const;

function regions<const C extends object>(commands: C) {
  return {
    type: "parallel",
    on: {
      "output.confirmed": { guard: "inForce", actions: "end" },
      "output.contended": { guard: "inForce", actions: "end" },
      "output.unconfirmed": { guard: "inForce", actions: "end" },
      "output.expired": { guard: "inForce", actions: "end" },
      "effect.refused": { guard: "inForce", actions: "end" },
      "effect.failed": { guard: "inForce", actions: "end" },
      // No echo came, and a status may still tell. Or the node stopped before the outcome of the hand-over was kept: it ends the command once it is back (rules F1, F2).
      // What no status will ever confirm has ended: a show that was stopped half way.
      "effect.unknown": [
        { guard: "inForceUnconfirmed", actions: "end" },
        { guard: "inForce", actions: "doubt" },
      ],
      "output.reported": { actions: "noteReport" },
      "output.forgotten": { actions: "forget" },
      "fault.raised": { guard: "newFault", actions: "raiseFault" },
      "fault.cleared": { guard: "standingFault", actions: "clearFault" },
      "module.described": { actions: "describe" },
      "module.identified": { actions: "identify" },
    },
    states: {
      presence: {
        initial: "unseen",
        states: {
          unseen: { on: { "module.seen": "present", "module.excused": { target: "not expected", actions: "excuse" }, "module.silenced": "silent" } },
          present: {
            entry: "tellPresent",
            on: { "module.silenced": "silent", "module.excused": { target: "not expected", actions: "excuse" }, ...commands },
          },
          silent: {
            entry: "tellSilent",
            on: { "module.seen": "present", "module.excused": { target: "not expected", actions: "excuse" } },
          },
          "not expected": {
            entry: "tellNotExpected",
            exit: "expect",
            on: { "module.seen": "present", "module.expected": { target: "unseen", actions: "tellUnseen" }, "module.silenced": "silent" },
          },
        },
      },
      /** Commissioning, updating, replaced, quarantined and retired come with their commands. */
      lifecycle: { initial: "in service", states: { "in service": {} } },
      health: {
        initial: "ok",
        states: {
          ok: {
            always: [
              { guard: "anyFaulted", target: "faulted" },
              { guard: "anyFault", target: "degraded" },
            ],
          },
          degraded: {
            entry: "tellDegraded",
            always: [
              { guard: "anyFaulted", target: "faulted" },
              { guard: "faultless", target: "ok", actions: "tellOk" },
            ],
          },
          faulted: {
            entry: "tellFaulted",
            always: [
              { guard: "faultless", target: "ok", actions: "tellOk" },
              { guard: "onlyDegraded", target: "degraded" },
            ],
          },
        },
      },
    },
  } as const;
}

export const moduleMachine = module.createMachine({ id: "module", context: ({ input }) => initialContext(input), ...regions(outputCommands) });

/** A module that owns a set point: anyone may request, it validates and broadcasts what is in force (Therma; research/trailcurrent.md 2.3). */
export const ownerMachine = module.createMachine({
  id: "owner",
  context: ({ input }) => initialContext({ ...input, outputs: [...input.outputs, SETPOINT] }),
  ...regions({ ...outputCommands, "climate.setpoint.request": take }),
});
