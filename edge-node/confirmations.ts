// Watches for the status that shows what a command wanted (vehicle V1, V2), and tells the module's actor how it ended.
//
// C1. A status counts once it came after our frame was seen on the bus; after a toggle, at least `answerAfterPeriods` of its periods later.
// C2. A foreign toggle of the same output between hand-over and answer makes the command contended. So does any change of an output by somebody else while it is shown to a person: the show ends there,
//     and nothing is put back (rules O2).
// C3. Without an answer in time nothing is sent again: the command is unconfirmed. In time is max(1.5 s, 3 periods + 1 s) after our frame; the deadline of a command is that of its frame (vehicle X4).
// C4. After a restart what the committed contexts still want is compared with what its module says first (rules F1, vehicle V1), and nothing is sent for it. Only a frame of which it was known that it was on the bus
//     is confirmed so. Another value, no status in the time of C3, or a frame of which that was not known: unconfirmed. What comes later may be anybody's.
// C5. What was decided is told until the mailbox takes it.
// C6. A show that was stopped half way leaves its output unknown until a status came after its last frame.

import { confirmationWaitMs, type ModelTarget } from "../actors/vehicle-file/index.ts";
import type { Address, System } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import { channelKey, type Channels, outputNameOf, signalOf } from "./channels.ts";
import { OwnValues } from "./own-values.ts";
import type { Pipeline } from "./pipeline.ts";

/** A command whose frame is about to leave, has left, or may have left. */
export interface Awaited {
  readonly actor: Address;
  readonly key: string;
  readonly target: ModelTarget;
  readonly value: number;
}

type Phase =
  /** The frame is with the bus. */
  | { readonly kind: "handed" }
  | { readonly kind: "answering"; readonly fromMs: number; readonly untilMs: number }
  /** C4. */
  | { readonly kind: "looking"; readonly fromMs: number; readonly untilMs: number }
  /** C6. Its end is told elsewhere. */
  | { readonly kind: "left"; readonly fromMs: number }
  /** Decided; the mailbox was full. */
  | { readonly kind: "telling"; readonly event: Ending };

type Ending =
  | { readonly type: "output.confirmed"; readonly output: string; readonly key: string; readonly value?: number }
  | { readonly type: "output.contended"; readonly output: string; readonly key: string }
  | { readonly type: "output.unconfirmed"; readonly output: string; readonly key: string; readonly reason: string };

interface Watched extends Awaited {
  readonly output: string;
  phase: Phase;
}

export interface Confirmations {
  /** Before the frame is handed over; replaces what was awaited on that output. */
  handing(awaited: Awaited): void;
  /** While an output is shown to a person: what the next frame makes of it. */
  showing(awaited: Awaited, value: number): void;
  /** C2: the status shows a change that no command of ours wanted. */
  switched(module: string, output: string): void;
  /** Whether its end is still to be decided. */
  isAwaited(awaited: Awaited): boolean;
  /** Our frame was on the bus at `atMs`; or, where no echo came, it was handed over then. */
  seen(awaited: Awaited, atMs: number): void;
  /** It never was on the bus. */
  dropped(awaited: Awaited): void;
  /** C6. @param atMs of its last frame on the bus @param isUnsent the value that was shown last never left */
  stopped(awaited: Awaited, atMs: number, isUnsent: boolean): void;
  /** A command that no status confirms has been carried out. */
  done(awaited: Awaited): void;
  /** C4. What is watched already stays so. @param isInDoubt whether its frame was on the bus was not known */
  again(awaited: Awaited, isInDoubt: boolean): void;
  /** Whether the output's change to `value` is what a command of ours wanted. Asked once a change. */
  isOurs(module: string, output: string, value: number): boolean;
  /** A command of ours waits for its answer, or has left the output as no status has shown it yet. */
  isOpen(module: string, output: string): boolean;
  /** Ends waits whose time is over; call often. */
  beat(nowMs: number): void;
  /** The actors begin anew from what is committed. */
  reset(): void;
  readonly counters: Readonly<Record<"confirmed" | "contended" | "unconfirmed", number>>;
}

export function createConfirmations({
  pipeline,
  channels,
  system,
  clock,
}: {
  readonly pipeline: Pipeline;
  readonly channels: Channels;
  readonly system: Pick<System, "notify">;
  readonly clock: Clock;
}): Confirmations {
  const { table, model } = pipeline;
  const watched = new Map<string, Watched>();
  const own = new OwnValues(clock);
  const counters = { confirmed: 0, contended: 0, unconfirmed: 0 };

  const bySignal = new Map<string, Set<string>>();
  for (const target of model.commands.flatMap((command) => command.targets)) {
    const signal = signalOf(target);
    if (signal === undefined) continue;
    const keys = bySignal.get(signal) ?? new Set();
    bySignal.set(signal, keys.add(keyOf(target)));
  }
  table.onSamples([...bySignal.keys()], (index, value, timeMs) => {
    const signal = table.signals[index]?.name ?? "";
    for (const key of bySignal.get(signal) ?? []) {
      const each = watched.get(key);
      if (each !== undefined) judge(each, value, timeMs);
    }
  });
  channels.onForeignToggle(({ module, output }) => {
    contend(module, output, ["toggle", "blink"]);
  });

  /** C2. */
  function contend(module: string, output: string, methods: readonly ModelTarget["method"]["kind"][]): void {
    const each = watched.get(channelKey(module, output));
    if (each !== undefined && methods.includes(each.target.method.kind) && isUndecided(each)) end(each, { type: "output.contended", output, key: each.key });
  }

  function keyOf(target: ModelTarget): string {
    return channelKey(target.module, outputNameOf(target));
  }

  function find(awaited: Awaited): Watched | undefined {
    const each = watched.get(keyOf(awaited.target));
    return each?.key === awaited.key && isUndecided(each) ? each : undefined;
  }

  function watch(awaited: Awaited, phase: Phase): Watched {
    const key = keyOf(awaited.target);
    const each = { ...awaited, output: outputNameOf(awaited.target), phase };
    watched.set(key, each);
    own.expect(key, awaited.key, awaited.value, awaited.target.confirm?.tolerance);
    return each;
  }

  /** C1, C3. @param atMs of the frame */
  function answerTo(target: ModelTarget, atMs: number): { readonly fromMs: number; readonly untilMs: number } {
    const periodMs = channels.periodMs(target);
    const afterMs = target.method.kind === "toggle" ? target.method.answerAfterPeriods * (periodMs ?? 0) : 0;
    return { fromMs: atMs + afterMs, untilMs: atMs + confirmationWaitMs(periodMs) };
  }

  function judge(each: Watched, value: number | undefined, timeMs: number): void {
    if (each.phase.kind === "left") {
      if (value !== undefined && timeMs >= each.phase.fromMs) watched.delete(keyOf(each.target));
      return;
    }
    const { confirm } = each.target;
    if (!isWaiting(each.phase) || confirm === undefined || value === undefined || timeMs < each.phase.fromMs) return;
    if (Math.abs(value - each.value) <= confirm.tolerance + 1e-9) end(each, { type: "output.confirmed", output: each.output, key: each.key, value });
    else if (each.phase.kind === "looking") endUnconfirmed(each, `the node stopped before it was confirmed, and its module showed ${String(value)} when it was heard again`);
  }

  /** What the module has said already. */
  function judgeKnown(each: Watched, signal = ""): void {
    const index = table.indexOf(signal);
    if (index !== undefined && table.columns.available[index] === 1) judge(each, table.columns.values[index], table.columns.timesMs[index] ?? Number.NaN);
  }

  function end(each: Watched, event: Ending): void {
    if (event.type === "output.confirmed") counters.confirmed++;
    else if (event.type === "output.contended") counters.contended++;
    else counters.unconfirmed++;
    each.phase = { kind: "telling", event };
    tell(each, event);
  }

  function endUnconfirmed(each: Watched, reason: string): void {
    end(each, { type: "output.unconfirmed", output: each.output, key: each.key, reason });
  }

  function tell(each: Watched, event: Ending): void {
    const key = keyOf(each.target);
    if (system.notify(each.actor, event) && watched.get(key) === each) watched.delete(key);
  }

  return {
    counters,
    handing: (awaited) => {
      watch(awaited, { kind: "handed" });
      if (awaited.target.method.kind === "toggle") channels.touched(awaited.target, clock.monotonic());
    },
    showing: (awaited, value) => {
      own.expect(keyOf(awaited.target), awaited.key, value, awaited.target.confirm?.tolerance);
    },
    switched: (module, output) => {
      contend(module, output, ["blink"]);
    },
    isAwaited: (awaited) => find(awaited) !== undefined,
    seen: (awaited, atMs) => {
      const each = find(awaited);
      const { target } = awaited;
      if (target.method.kind === "toggle") channels.touched(target, atMs);
      if (each === undefined) return;
      each.phase = { kind: "answering", ...answerTo(target, atMs) };
      // Its answer may have come with the same batch as the echo.
      judgeKnown(each, target.confirm?.signal);
    },
    dropped: (awaited) => {
      const key = keyOf(awaited.target);
      own.withdraw(key, awaited.key);
      if (find(awaited) !== undefined) watched.delete(key);
    },
    stopped: (awaited, atMs, isUnsent) => {
      if (isUnsent) own.withdrawLast(keyOf(awaited.target), awaited.key);
      const each = find(awaited);
      if (each === undefined) return;
      each.phase = { kind: "left", fromMs: atMs };
      judgeKnown(each, signalOf(awaited.target));
    },
    done: (awaited) => {
      const each = find(awaited);
      if (each !== undefined) end(each, { type: "output.confirmed", output: each.output, key: each.key });
    },
    again: (awaited, isInDoubt) => {
      if (watched.get(keyOf(awaited.target))?.key === awaited.key) return;
      const each = watch(awaited, { kind: "looking", ...answerTo(awaited.target, clock.monotonic()) });
      if (isInDoubt || awaited.target.confirm === undefined) endUnconfirmed(each, "the node stopped before it was known whether its frame was on the bus");
    },
    isOurs: (module, output, value) => own.take(channelKey(module, output), value),
    isOpen: (module, output) => {
      const each = watched.get(channelKey(module, output));
      return each !== undefined && each.phase.kind !== "telling";
    },
    beat: (nowMs) => {
      for (const each of [...watched.values()]) {
        if (each.phase.kind === "telling") tell(each, each.phase.event);
        else if (isWaiting(each.phase) && nowMs > each.phase.untilMs && each.target.confirm !== undefined) endUnconfirmed(each, "no status showed the wanted value in time");
      }
    },
    reset: () => {
      watched.clear();
    },
  };
}

function isWaiting(phase: Phase): phase is Extract<Phase, { readonly kind: "answering" | "looking" }> {
  return phase.kind === "answering" || phase.kind === "looking";
}

function isUndecided({ phase }: Watched): boolean {
  return phase.kind !== "telling" && phase.kind !== "left";
}
