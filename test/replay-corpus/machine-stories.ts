// Machines of every kind: the cases that are compared with bare XState, and random ones (test/runtime/xstate).

import { hostOf, runHosted } from "../runtime/xstate/differential.ts";
import { actionsCases } from "../runtime/xstate/actions-cases.ts";
import type { Trace } from "../runtime/xstate/case.ts";
import { childrenCases } from "../runtime/xstate/children-cases.ts";
import { featuresCases } from "../runtime/xstate/features-cases.ts";
import { drawMachine, drawScript } from "../runtime/xstate/random-machine.ts";
import { sourcesCases } from "../runtime/xstate/sources-cases.ts";
import { statesCases } from "../runtime/xstate/states-cases.ts";
import { hostedGroup, type HostedStory } from "./story.ts";

/** Some of those that come to an end: others of these machines answer each other for ever. */
const RANDOM_MACHINES = [2, 3, 5, 8];
const RANDOM_STEPS = 12;

const quiet: Trace = () => () => undefined;

const cases = [...statesCases, ...actionsCases, ...childrenCases, ...sourcesCases, ...featuresCases].map(
  (one): HostedStory => ({ name: one.name, type: hostOf(one.make(quiet), { bare: true }).type, live: async () => (await runHosted(one)).host }),
);

function randomStory(seed: number): HostedStory {
  const build = () => drawMachine(seed).build(quiet, () => undefined);
  return {
    name: `random machine ${String(seed)}`,
    type: hostOf(build(), { bare: true }).type,
    live: () => {
      const host = hostOf(build());
      for (const step of drawScript(seed, RANDOM_STEPS)) {
        if (typeof step === "object" && "adv" in step) host.advance(step.adv as number);
        else host.send(step as string);
      }
      return host;
    },
  };
}

export const machineStories = hostedGroup("machines", [...cases, ...RANDOM_MACHINES.map(randomStory)]);
