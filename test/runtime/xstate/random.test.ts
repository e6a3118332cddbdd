// Random machines against bare XState: whole configurations, children included, after every step; with restarts; by replay; with turns taken twice.

import { test } from "tap";
import { type AnyStateMachine, createActor } from "xstate";

import { form } from "../../forms.ts";
import { difference, restoreEntity } from "../../../runtime/entity/index.ts";
import type { EntityHost } from "../entity-host.ts";
import { OrderedClock, show, type Shown, watchArming } from "./bare-actor.ts";
import type { Doing } from "./case.ts";
import { hostOf, rootOf } from "./differential.ts";
import { drawMachine, drawScript } from "./random-machine.ts";

/** More with DROVER_SEEDS; a seed that fails is named and can be run alone with DROVER_SEED. */
const SEEDS = Number(process.env["DROVER_SEEDS"] ?? form(8, 30));
const ONLY = process.env["DROVER_SEED"];
const STEPS = 12;
/** Machines that answer each other for longer than this are left out. */
const MAX_SPENT = 3_000;

interface Compared {
  readonly kind: "same" | "left out" | "different";
  readonly how?: string;
}

const SAME: Compared = { kind: "same" };
const LEFT_OUT: Compared = { kind: "left out" };

function compare(seed: number): Compared {
  const drawn = drawMachine(seed);
  const script = drawScript(seed, STEPS);
  const traces: Record<"bare" | "plain" | "restarted", string[]> = { bare: [], plain: [], restarted: [] };
  let spent = 0;
  let counting = true;
  const build = (into: string[]): AnyStateMachine =>
    drawn.build(
      (name) => () => into.push(name),
      () => {
        if (counting && ++spent > MAX_SPENT) throw new Error("spent");
      },
    );

  const clock = new OrderedClock();
  const heard: unknown[] = [];
  const failures: unknown[] = [];
  const hasFailed = (): boolean => failures.length > 0;
  const bare = createActor(build(traces.bare), { clock, id: "root", logger: () => undefined });
  bare.subscribe({
    error: (error: unknown) => {
      failures.push(error);
    },
  });
  bare.on("*", (event: unknown) => heard.push(event));
  const armsTwice = watchArming(bare.system);
  bare.start();
  counting = false;
  if (hasFailed()) return LEFT_OUT;
  const plain = hostOf(build(traces.plain));
  const restarted = hostOf(build(traces.restarted), { twice: true });
  const emitted = (host: EntityHost): unknown[] => host.emitted.filter(({ cell }) => cell === host.address).map(({ event }) => event);

  const differs = (after: Doing): Compared | undefined => {
    // Named differences: an id that lives (N15), more deliveries than an input may cause (H1), a timer that is armed twice and fires twice (N4).
    if (plain.faults.length > 0 || armsTwice()) return LEFT_OUT;
    const expected = { state: show(bare.getSnapshot()), trace: traces.bare, heard };
    for (const [name, host, trace] of [
      ["plain", plain, traces.plain],
      ["restarted", restarted, traces.restarted],
    ] as const) {
      const found = difference(expected, { state: show(rootOf(host) as unknown as Shown), trace, heard: emitted(host) }, "");
      if (found !== undefined) return { kind: "different", how: `${name}, after ${JSON.stringify(after)}: ${found}` };
    }
    return restarted.differences[0] === undefined
      ? undefined
      : { kind: "different", how: `taken twice, after ${JSON.stringify(after)}: ${restarted.differences[0].slice(0, 400)}` };
  };
  const begun = differs("start");
  if (begun !== undefined) return begun;
  for (const step of script) {
    counting = true;
    if (typeof step === "object" && "adv" in step) clock.advance(step.adv as number);
    else bare.send({ type: step as string });
    counting = false;
    if (hasFailed() || spent > MAX_SPENT) return LEFT_OUT;
    restarted.restart({ keepSources: true });
    for (const host of [plain, restarted]) {
      if (typeof step === "object" && "adv" in step) host.advance(step.adv as number);
      else host.send(step as string);
    }
    const found = differs(step);
    if (found !== undefined) return found;
  }
  const { entity, divergences } = restoreEntity(plain.type, plain.address, { snapshot: undefined, records: plain.journal() });
  const replayed = divergences[0]?.reason ?? difference(plain.entity.state(), entity.state(), "");
  return replayed === undefined ? SAME : { kind: "different", how: `replayed: ${replayed}` };
}

test("S9, H1, H5, H6, H8. random machines do what bare XState does, with restarts, by replay, and with turns taken twice", (t) => {
  const { warn } = console;
  console.warn = () => undefined;
  let same = 0;
  for (const seed of ONLY === undefined ? Array.from({ length: SEEDS }, (_, at) => at + 1) : [Number(ONLY)]) {
    const compared = compare(seed);
    if (compared.kind === "same") same++;
    else if (compared.kind === "different") t.fail(`seed ${String(seed)}: ${compared.how ?? ""}`);
  }
  console.warn = warn;
  t.ok(ONLY !== undefined || same >= SEEDS / 4, `${String(same)} of ${String(SEEDS)} machines were compared to their end`);
  t.end();
});
