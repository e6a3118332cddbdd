// Timers of every kind and over every kind of pause (rules K1), and a machine over its versions with timers and children under way (rules T3, T4).

import { actorType, type AnyActorType, entityType, type EntityType, messages, random, T } from "../../runtime/actor/index.ts";
import type { TimerPolicy } from "../../runtime/entity/contract.ts";
import { EntityHost, words } from "../runtime/entity-host.ts";
import { assign, cancel, machine, raise, sendParent, sendTo, spawnChild, stopChild } from "../runtime/xstate/loose.ts";
import { hostedGroup, type HostedStory } from "./story.ts";

const policies: Readonly<Record<string, TimerPolicy>> = { remaining: "remaining", absolute: "absolute", skip: "skip", "each, three at most": { each: 3 } };

/** Ticks in a rhythm that is no whole number of milliseconds; then its node is off for a while, more than once. */
function ticking(name: string, policy: TimerPolicy): HostedStory {
  const behaviour = machine(
    {
      context: { ticks: 0, drift: 0.1 },
      initial: "on",
      states: {
        on: { after: { EVERY: { target: "on", reenter: true, actions: assign({ ticks: ({ context }) => context.ticks + 1, drift: ({ context }) => context.drift * 1.1 }) } } },
      },
    },
    { delays: { EVERY: ({ context }) => 100 + context.drift } },
  );
  const root = actorType({ name: "ticking", version: 1, messages: words(), behaviour: behaviour as never, timers: { EVERY: policy } });
  const type = entityType({ root, durability: "events", placement: "vehicle" });
  return {
    name: `a rhythm whose policy is ${name}`,
    type,
    live: () => {
      const host = new EntityHost(type);
      for (const offMs of [520, 33, 1_700]) {
        host.advance(330);
        host.restart({ by: "bytes" });
        host.now += offMs;
        for (let count = 0; count < 50; count++) {
          const [due] = host.entity.due({ now: host.now, elapsed: host.elapsed, watchedSince: host.now });
          if (due === undefined) break;
          host.take(due);
        }
      }
      return host;
    },
  };
}

const arming = messages({ arm: { body: { id: T.String(), ms: T.Any() } }, drop: { body: { id: T.String() } }, said: { body: { id: T.String() } } });

const delays: HostedStory = ((): HostedStory => {
  const behaviour = machine({
    context: { heard: [] },
    on: {
      arm: {
        actions: raise(({ event }) => ({ type: "said", id: event.id }), {
          id: ({ event }: { event: { id: string } }) => event.id,
          delay: ({ event }: { event: { ms: number } }) => event.ms,
        }),
      },
      drop: { actions: cancel(({ event }) => event.id) },
      said: { actions: assign({ heard: ({ context, event, self }) => [...context.heard, `${event.id} ${random(self as never).toFixed(9)}`].slice(-12) }) },
    },
  });
  const type = entityType({ root: actorType({ name: "clocked", version: 1, messages: arming, behaviour: behaviour as never }), durability: "events", placement: "vehicle" });
  return {
    name: "delays of every size, replaced and cancelled",
    type,
    live: () => {
      const host = new EntityHost(type);
      const all: readonly (readonly [string, number])[] = [
        ["a", 10],
        ["b", 10],
        ["c", 0],
        ["d", -5],
        ["e", 0.1 + 0.2],
        ["f", 1e9],
        ["g", 2_147_483_648],
        ["h", 99.999_999],
        ["i", 5e11],
      ];
      for (const [id, ms] of all) host.send({ type: "arm", id, ms });
      host.send({ type: "arm", id: "bad", ms: "soon" });
      host.advance(5);
      host.send({ type: "arm", id: "a", ms: 20 });
      host.send({ type: "drop", id: "h" });
      host.advance(2_147_483_700);
      host.advance(5e11);
      return host;
    },
  };
})();

const PUMP = words("GO", "DONE", "POKE", "FAIL");

/** Version n counts in steps of n, and names its states otherwise. */
function pump(version: number, earlier: readonly AnyActorType[]): AnyActorType {
  const run = version === 1 ? "run" : `run${String(version)}`;
  const child = machine({
    context: { pokes: 0 },
    initial: "idle",
    states: {
      idle: {
        after: { 250: { target: "idle", reenter: true, actions: sendParent({ type: "DONE" }) } },
        on: { POKE: { actions: assign({ pokes: ({ context }) => context.pokes + version }) } },
      },
    },
  });
  const behaviour = machine(
    {
      id: "pump",
      context: { n: 0.1, ...(version > 2 ? { notes: [] } : {}) },
      initial: "off",
      on: { FAIL: { actions: assign(() => JSON.parse("no") as never) } },
      states: {
        off: { on: { GO: run } },
        [run]: {
          initial: "slow",
          entry: spawnChild("valve", { id: "valve" }),
          exit: stopChild("valve"),
          on: { DONE: { actions: assign({ n: ({ context }) => context.n * 1.1 + version }) }, POKE: { actions: sendTo("valve", { type: "POKE" }) } },
          after: { LONG: "off" },
          states: { slow: { after: { 400: "fast" } }, fast: { on: { GO: "slow" } }, last: { type: "history" } },
        },
      },
    },
    { actors: { valve: child }, delays: { LONG: 5_000 } },
  );
  return actorType({
    name: "pump",
    version,
    messages: PUMP,
    behaviour: behaviour as never,
    earlier,
    migrate: {
      1: (old: { value: unknown; context: { n: number } }) => ({
        value: typeof old.value === "string" ? old.value : { run2: (old.value as { run: string }).run },
        context: { n: old.context.n / 3 },
      }),
      2: (old: { value: unknown; context: { n: number } }) => ({
        value: typeof old.value === "string" ? old.value : { run3: (old.value as { run2: string }).run2 },
        context: { n: old.context.n * 7, notes: [`was ${old.context.n.toFixed(12)}`] },
      }),
    },
  });
}

const upgraded: HostedStory = ((): HostedStory => {
  const versions: AnyActorType[] = [];
  for (const version of [1, 2, 3]) versions.push(pump(version, [...versions]));
  const typeOf = (root: AnyActorType): EntityType => entityType({ root, durability: "events", placement: "cloud" });
  const [one, two, three] = versions.map(typeOf) as [EntityType, EntityType, EntityType];
  return {
    name: "three versions of a machine with timers and a child",
    type: three,
    live: () => {
      const host = new EntityHost(one);
      host.send("GO");
      host.advance(330);
      host.upgrade(two);
      host.send("POKE");
      host.advance(777);
      host.send("GO");
      host.upgrade(three);
      host.send("POKE");
      host.advance(6_000);
      host.send("GO");
      host.advance(100);
      return host;
    },
  };
})();

export const timerStories = hostedGroup("timers", [...Object.entries(policies).map(([name, policy]) => ticking(name, policy)), delays, upgraded]);
