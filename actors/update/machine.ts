// The update of one module of the TrailCurrent family: trigger on the bus, upload over its own port, proof by its version report (research/trailcurrent.md 4.1).
//
// U1. Only what the module reports of itself counts (promise S8): `committed` is its own version report, dated after what was sent to it, and a trial without silence.
// U2. One trigger and one upload for an attempt, each `once` (rules F1). What became of it is not guessed: the version report settles it, or the end of the module's window, and nothing is sent before.
// U3. After the last attempt it has failed.
//     That window is a timer of the attempt, which no clock moves; while the node is down it stands still.
// U4. It begins on its campaign's word alone. Until its upload begins it may be dropped; after its trigger the window is waited out, so that a later trigger never meets the port of this one. From
//     then on this module cannot be called back: it has no way to undo.
// U5. Where the module already reports the wanted version, or never said which it runs, nothing is begun: success could not be told from nothing.
// U6. A timer's verdict is a belief: where the module tells its version later, that counts. So it does of one that was called off while it was not known what an upload had come to.
// U7. After its proof the order of reports counts, not their dates: a clock that was set back since dates a later one before it.
// U8. A clock that is set meanwhile decides nothing: its dates are shifted by as much, and are compared with those of the clock as it is. A date that lies ahead of the clock is another clock's, which was
//     set back while nobody looked: then the order counts, as in U7.
// U9. A module that is heard of and never told its version is not dark: its one report was missed, on the bus or by a node that was down. It tells it again when it restarts, so a further attempt is
//     made; after the last one the update has failed.
// U10. A version report alone is no life: a module that tells it once and hangs is silent as before. Whoever was silent when it came is on trial from when it is heard again. While nobody could hear it,
//      since its bus is down, nothing counts: neither the time of its trial nor that of its silence.

import { and, assign, not, raise, sendParent, setup } from "xstate";
import { now, task } from "../../runtime/index.ts";
import { cutTo } from "../cut-to.ts";
import {
  beginning,
  disprovesIt,
  MAX_WHY,
  provesIt,
  shifted,
  takesItBack,
  type UpdateContext,
  type UpdateEvent,
  type UpdateInput,
  type UpdateProgress,
  type UpdateState,
  wasDisproved,
  wasProved,
  wordsOf,
} from "./update-context.ts";
import type { ImageKept, ImageUpload, ImageUploaded, ImageWanted, ModuleCheck, ModuleChecked, ModuleTrigger, ModuleTriggered, PortAwaited, PortSeen } from "./work.ts";

const CHECK_MS = 30_000;
const KEEP_MS = 6 * 3_600_000;
const TRIGGER_MS = 10_000;
/** Of the task; the window's own timer comes first. */
const PORT_MS = 600_000;
const UPLOAD_MS = 300_000;
/** An image that is not there by then is not waited for. */
const GIVE_UP_MS = 86_400_000;
const TRIAL_MS = 30_000;
/** After an upload that broke off: should it have been taken, the module is back by then. */
const RESTART_MS = 60_000;
/** After a trigger that was not let out. */
const REFUSED_MS = 60_000;
const LEAST_REST_MS = 15_000;
const MOST_DOUBLINGS = 5;
const WINDOW = "window";
/** U9. */
const UNTOLD = "it is heard of, and did not tell its version after its upload";

const told = (state: UpdateState, isHeldBack = false) => ({ type: "tell", params: { state, isHeldBack } }) as const;
const because = (why: string) => ({ type: "because", params: { why } }) as const;

/** A verdict of time, or one that a single report made: U6. */
const unlessProved = { "version.reported": { guard: "provesIt", target: "trial", actions: "prove" } } as const;

export const updateMachine = setup({
  types: { context: {} as UpdateContext, events: {} as UpdateEvent, input: {} as UpdateInput },
  actors: {
    "module.check": task<ModuleCheck, ModuleChecked>({ class: "idempotent", withinMs: CHECK_MS }),
    /** By hash, so that a repetition goes on where the last one ended. */
    "image.keep": task<ImageWanted, ImageKept>({ class: "idempotent", withinMs: KEEP_MS }),
    /** U2. */
    "module.trigger": task<ModuleTrigger, ModuleTriggered>({ class: "once", withinMs: TRIGGER_MS }),
    "module.await": task<PortAwaited, PortSeen>({ class: "idempotent", withinMs: PORT_MS }),
    /** U2. */
    "module.upload": task<ImageUpload, ImageUploaded>({ class: "once", withinMs: UPLOAD_MS }),
  },
  actions: {
    tell: sendParent<UpdateContext, UpdateEvent, { readonly state: UpdateState; readonly isHeldBack: boolean }, UpdateProgress, UpdateEvent>(
      ({ context }, { state, isHeldBack }) => ({
        type: "update.progressed",
        module: context.module,
        state,
        attempt: context.attempt,
        progress: context.progress,
        why: context.why,
        isHeldBack,
      }),
    ),
    begin: assign({
      attempt: ({ context }) => context.attempt + 1,
      isWindowOpen: true,
      isSent: false,
      takenAt: null,
      heard: null,
      presence: null,
      progress: 0,
      why: null,
      isCalled: false,
    }),
    /** Its trigger may leave late. One that is open is opened anew. */
    openWindow: raise({ type: "window.closed" }, { id: WINDOW, delay: ({ context }) => TRIGGER_MS + context.windowMs }),
    /** No frame left. */
    unbegin: assign({ attempt: ({ context }) => context.attempt - 1, isWindowOpen: false }),
    closeWindow: assign({ isWindowOpen: false }),
    beginUpload: assign({ beganAt: ({ self }) => now(self), isSent: true, progress: 0 }),
    notePresence: assign({ presence: ({ context, event }) => (event.type === "presence.changed" ? event.presence : context.presence) }),
    noteProgress: assign({ progress: ({ context, event }) => (event.type === "upload.progressed" ? event.percent : context.progress) }),
    noteHeard: assign({
      heard: ({ context, event }) => (event.type === "version.reported" && event.part === context.part ? { version: event.version, at: event.at } : context.heard),
    }),
    noteOther: assign({
      why: ({ context, event }) => `it reports ${event.type === "version.reported" ? event.version : (context.heard?.version ?? "another one")} instead of ${context.version}`,
    }),
    prove: assign({ takenAt: ({ context, event }) => context.takenAt ?? (event.type === "version.reported" ? event.at : context.beganAt), progress: 100, why: null }),
    noteUnwanted: assign({ unwanted: ({ context, event }) => (event.type === "update.cancel" ? event.reason : context.unwanted) }),
    sayUnwanted: assign({ why: ({ context }) => context.unwanted }),
    shift: assign(({ context, event }) => (event.type === "clock.corrected" ? shifted(context, event.byMs) : {})),
    call: assign({ isCalled: true }),
    rest: assign({ tries: ({ context }) => context.tries + 1, why: ({ event }) => wordsOf(event) }),
    rested: assign({ tries: 0 }),
    noteError: assign({ why: ({ event }) => wordsOf(event) }),
    because: assign({ why: (_, { why }: { readonly why: string }) => cutTo(why, MAX_WHY) }),
  },
  guards: {
    provesIt: ({ context, event }) => provesIt({ context, event }),
    disprovesIt: ({ context, event }) => disprovesIt({ context, event }),
    /** U9. */
    isHeardOf: ({ context }) => context.presence === null || context.presence === "present",
    isHeardAgain: ({ context }) => context.presence === "present",
    isHeardOfAndWanted: and(["isHeardOf", not("isUnwanted")]),
    isHeardAgainAndWanted: and(["isHeardAgain", not("isUnwanted")]),
    isWindowClosed: ({ context }) => !context.isWindowOpen,
    takesItBack: ({ context, event }) => takesItBack({ context, event }),
    wasDisproved: ({ context }) => wasDisproved(context),
    isSilent: ({ event }) => event.type === "presence.changed" && event.presence === "silent",
    /** U10. */
    isQuiet: ({ context }) => context.presence === "silent",
    isExcused: ({ context }) => context.presence === "not expected",
    isCalled: ({ context }) => context.isCalled,
    isUnwanted: ({ context }) => context.unwanted !== null,
    hasAttempts: ({ context }) => context.attempt < context.attempts,
    isOfThisAttempt: ({ context, event }) => event.type === "upload.progressed" && event.attempt === context.attempt && event.percent > context.progress,
  },
  delays: {
    REST: ({ context }) => LEAST_REST_MS * (1 << Math.min(context.tries - 1, MOST_DOUBLINGS)),
    REFUSED: REFUSED_MS,
    GIVE_UP: GIVE_UP_MS,
    RESTART: ({ context }) => (context.isSent ? RESTART_MS : 0),
    DARK: ({ context }) => context.darkMs,
    TRIAL: TRIAL_MS,
  },
}).createMachine({
  id: "update",
  context: ({ input }) => beginning(input),
  initial: "offered",
  on: { "clock.corrected": { actions: "shift" }, "window.closed": { actions: "closeWindow" }, "presence.changed": { actions: "notePresence" } },
  states: {
    /** The vehicle fetches and checks; nothing is sent to the module. */
    offered: {
      entry: told("offered"),
      on: { "update.cancel": { target: "cancelled", actions: "noteUnwanted" } },
      after: { GIVE_UP: { target: "failed", actions: because("its image was not there in time") } },
      initial: "checking",
      states: {
        checking: {
          invoke: {
            id: "check",
            src: "module.check",
            input: ({ context }) => checkOf(context),
            onDone: [
              {
                guard: ({ event }) => event.output.kind === "refused",
                target: "#update.refused",
                actions: { type: "because", params: ({ event }) => ({ why: whyOf(event.output) }) },
              },
              // U5.
              { guard: ({ context, event }) => isSame(context, event.output), target: "#update.unprovable" },
              { guard: ({ event }) => isUnheard(event.output), target: "#update.refused", actions: because("the module has never told which firmware it runs") },
              { target: "keeping" },
            ],
            onError: { target: "resting", actions: "rest" },
          },
        },
        keeping: {
          invoke: {
            id: "keep",
            src: "image.keep",
            input: ({ context }) => ({ sha256: context.sha256, bytes: context.bytes }),
            onDone: [
              {
                guard: ({ event }) => event.output.kind === "refused",
                target: "#update.failed",
                actions: { type: "because", params: ({ event }) => ({ why: whyOf(event.output) }) },
              },
              { target: "#update.postponed", actions: ["rested", assign({ why: null })] },
            ],
            onError: { target: "resting", actions: "rest" },
          },
        },
        resting: { entry: told("offered"), after: { REST: "checking" } },
      },
    },
    /** U4. */
    postponed: {
      on: { "update.cancel": { target: "cancelled", actions: "noteUnwanted" }, ...unlessProved },
      initial: "open",
      states: {
        open: { entry: told("postponed"), on: { "update.begin": "#update.triggering" } },
        /** Its trigger was not let out: not at once again, so that two opinions on what is safe are no loop. */
        refused: {
          entry: told("postponed", true),
          on: { "update.begin": { actions: "call" } },
          after: { REFUSED: [{ guard: "isCalled", target: "#update.triggering" }, { target: "open" }] },
        },
      },
    },
    triggering: {
      entry: told("triggering"),
      initial: "checking",
      states: {
        /** U5, as it is now. */
        checking: {
          on: { "update.cancel": { target: "#update.cancelled", actions: "noteUnwanted" } },
          invoke: {
            id: "check",
            src: "module.check",
            input: ({ context }) => checkOf(context),
            onDone: [
              {
                guard: ({ event }) => event.output.kind === "refused",
                target: "#update.refused",
                actions: { type: "because", params: ({ event }) => ({ why: whyOf(event.output) }) },
              },
              { guard: ({ context, event }) => wasProved(context, event.output), target: "#update.trial", actions: "prove" },
              { guard: ({ context, event }) => isSame(context, event.output), target: "#update.unprovable" },
              { target: "sending", actions: assign(({ event }) => (event.output.kind === "fits" ? { part: event.output.part, windowMs: event.output.windowMs, tries: 0 } : {})) },
            ],
            onError: { target: "resting", actions: "rest" },
          },
        },
        resting: { on: { "update.cancel": { target: "#update.cancelled", actions: "noteUnwanted" } }, after: { REST: "checking" } },
        sending: {
          entry: ["begin", "openWindow"],
          on: { "update.cancel": { target: "#update.awaiting module.closing", actions: "noteUnwanted" } },
          invoke: {
            id: "trigger",
            src: "module.trigger",
            input: ({ context }) => ({ module: context.module, part: context.part, attempt: context.attempt }),
            onDone: [
              {
                guard: ({ event }) => event.output.kind === "refused",
                target: "#update.postponed.refused",
                actions: ["unbegin", { type: "because", params: ({ event }) => ({ why: whyOf(event.output) }) }],
              },
              { target: "#update.awaiting module" },
            ],
            // It may have left: should the port open, it has.
            onError: { target: "#update.awaiting module", actions: "noteError" },
          },
        },
      },
    },
    "awaiting module": {
      entry: told("awaiting module"),
      on: { "update.cancel": { target: ".closing", actions: "noteUnwanted" }, ...unlessProved },
      initial: "port",
      states: {
        port: {
          on: { "window.closed": { target: "closing", actions: "closeWindow" } },
          invoke: {
            id: "port",
            src: "module.await",
            input: ({ context }) => ({
              module: context.module,
              part: context.part,
              attempt: context.attempt,
              withinMs: context.windowMs,
            }),
            onDone: [
              {
                guard: ({ event }) => event.output.kind === "closed",
                target: "closing",
                actions: [{ type: "because", params: ({ event }) => ({ why: whyOf(event.output) }) }, told("awaiting module")],
              },
              { target: "#update.uploading" },
            ],
            onError: { target: "closing", actions: ["noteError", told("awaiting module")] },
          },
        },
        /** What this attempt came to is the module's to say, until its window has closed. */
        closing: {
          initial: "restarting",
          states: {
            /** Should its upload have been taken, nobody was told of that. */
            restarting: { after: { RESTART: "waiting" } },
            waiting: { always: { guard: "isWindowClosed", target: "over" } },
            over: {
              always: [{ guard: "isUnwanted", target: "#update.cancelled" }, { guard: "hasAttempts", target: "#update.postponed" }, { target: "#update.failed" }],
            },
          },
        },
      },
    },
    uploading: {
      entry: ["beginUpload", told("uploading")],
      invoke: {
        id: "upload",
        src: "module.upload",
        input: ({ context }) => ({ module: context.module, part: context.part, attempt: context.attempt, sha256: context.sha256, bytes: context.bytes }),
        onDone: [
          {
            guard: ({ event }) => event.output.kind === "broken",
            target: "#update.awaiting module.closing",
            actions: { type: "because", params: ({ event }) => ({ why: whyOf(event.output) }) },
          },
          {
            target: "claimed",
            actions: assign(({ event }) => ({ progress: 100, why: null, takenAt: event.output.kind === "taken" ? event.output.at : null })),
          },
        ],
        onError: { target: "#update.awaiting module.closing", actions: "noteError" },
      },
      on: {
        "upload.progressed": { guard: "isOfThisAttempt", actions: ["noteProgress", told("uploading")] },
        "version.reported": [{ guard: "provesIt", target: "trial", actions: "prove" }, { actions: "noteHeard" }],
        // U4: how it ends decides.
        "update.cancel": { actions: ["noteUnwanted", because("its image is being written: how that ends decides"), told("uploading")] },
      },
    },
    /** The module has said that it took all of it. */
    claimed: {
      entry: told("claimed"),
      always: { guard: "wasDisproved", target: "wrong image", actions: "noteOther" },
      on: {
        "presence.changed": { guard: "isSilent", target: "rebooting", actions: "notePresence" },
        "version.reported": [
          { guard: "provesIt", target: "trial", actions: "prove" },
          { guard: "disprovesIt", target: "wrong image", actions: "noteOther" },
        ],
        "update.cancel": { actions: ["noteUnwanted", because("it cannot be called back: it has no way to undo"), told("claimed")] },
      },
      after: {
        DARK: [
          { guard: "isHeardOfAndWanted", target: "awaiting module.closing", actions: because(UNTOLD) },
          { guard: "isHeardOf", target: "failed", actions: because(UNTOLD) },
          { target: "dark", actions: because("no version report came after its upload") },
        ],
      },
    },
    rebooting: {
      entry: told("rebooting"),
      on: {
        "version.reported": [
          { guard: "provesIt", target: "trial", actions: "prove" },
          { guard: "disprovesIt", target: "wrong image", actions: "noteOther" },
        ],
        "update.cancel": { actions: ["noteUnwanted", because("it cannot be called back: it has no way to undo"), told("rebooting")] },
      },
      after: {
        DARK: [
          { guard: "isHeardAgainAndWanted", target: "awaiting module.closing", actions: because(UNTOLD) },
          { guard: "isHeardAgain", target: "failed", actions: because(UNTOLD) },
          { target: "dark", actions: because("nothing was heard of it since it restarted") },
        ],
      },
    },
    /** U7. */
    trial: {
      entry: told("trial"),
      on: {
        "version.reported": { guard: "takesItBack", target: "rolled back", actions: "noteOther" },
        "update.cancel": { actions: ["noteUnwanted", because("it cannot be called back: it has no way to undo"), told("trial")] },
      },
      initial: "heard",
      states: {
        /** U10. */
        heard: {
          always: [
            { guard: "isQuiet", target: "silent" },
            { guard: "isExcused", target: "excused" },
          ],
          after: { TRIAL: "#update.committed" },
        },
        silent: {
          always: { guard: not("isQuiet"), target: "heard" },
          after: { DARK: { target: "#update.dark", actions: because("it fell silent in its trial") } },
        },
        excused: { always: { guard: not("isExcused"), target: "heard" } },
      },
    },
    /** What it shows until its campaign has ended is still its campaign's business. */
    committed: {
      entry: told("committed"),
      on: { "version.reported": { guard: "takesItBack", target: "rolled back", actions: "noteOther" } },
      initial: "heard",
      states: {
        heard: { always: { guard: "isQuiet", target: "silent" } },
        silent: {
          always: { guard: not("isQuiet"), target: "heard" },
          after: { DARK: { target: "#update.dark", actions: because("it fell silent after its trial") } },
        },
      },
    },
    "rolled back": { entry: told("rolled back") },
    "wrong image": { entry: told("wrong image"), on: unlessProved },
    dark: { entry: told("dark"), on: unlessProved },
    failed: { entry: told("failed"), on: unlessProved },
    unprovable: { entry: [because("it already reports this version"), told("unprovable")] },
    refused: { entry: told("refused") },
    /** Should what was sent to it have been taken after all, that counts. */
    cancelled: { entry: ["sayUnwanted", told("cancelled")], on: unlessProved },
  },
});

function checkOf({ module, version, sha256, madeFor }: UpdateContext): ModuleCheck {
  return { module, version, sha256, ...(madeFor === undefined ? {} : { madeFor }) };
}

function isSame({ version }: UpdateContext, checked: ModuleChecked): boolean {
  return checked.kind === "fits" && checked.firmware === version;
}

function isUnheard(checked: ModuleChecked): boolean {
  return checked.kind === "fits" && checked.firmware === null;
}

function whyOf(output: { readonly kind: string; readonly why?: string }): string {
  return output.why ?? "";
}
