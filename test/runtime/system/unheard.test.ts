// What reaches nobody inside an entity is counted and told: as numbers of the node, and where one looks into its actors (hosting H5; promise S5).

import { test } from "tap";
import { type ActorRefFrom, assign, fromCallback, fromPromise, raise, sendTo, setup, stopChild } from "xstate";
import { actorType, effect, entityType, messages, parseAddress, reply, type ReplyTo, type System, T } from "../../../runtime/index.ts";
import { ManualClock, MemoryDisk, settle } from "../../../runtime/simulation/index.ts";
import { hosting } from "./hosting.ts";

const types = ["stop", "poke", "poke.fail", "leave", "enter", "hold", "answer", "blow"] as const;
const words = messages({
  ...Object.fromEntries(types.filter((type) => type !== "hold").map((type) => [type, { body: {} }])),
  hold: { body: {}, reply: T.Integer() },
  said: { body: {}, internal: true },
});

interface PumpContext {
  readonly kid: ActorRefFrom<typeof kid> | undefined;
  readonly to: ReplyTo<number> | undefined;
}

const kid = setup({}).createMachine({ on: { hello: {} } });

/** What the source of the state "on" keeps of it. */
interface Kept {
  say?: () => void;
  resolve?: (value: unknown) => void;
}

function pump(kept: Kept) {
  const behaviour = setup({
    types: { context: {} as PumpContext, events: {} as { readonly type: (typeof types)[number] | "said"; readonly replyTo?: ReplyTo<number> } },
    actors: {
      kid,
      talker: fromCallback(({ sendBack }) => {
        kept.say = () => {
          sendBack({ type: "said" });
        };
      }),
      aborted: fromPromise(async ({ signal }) => {
        await new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            reject(signal.reason as Error);
          });
        });
      }),
      stubborn: fromPromise(
        async () =>
          new Promise((resolve) => {
            kept.resolve = resolve;
          }),
      ),
    },
    actions: {
      blow: effect({ class: "once" }),
      poke: sendTo(({ context }) => context.kid as ActorRefFrom<typeof kid>, { type: "hello" }),
      answer: sendTo(
        ({ context }) => context.to as ReplyTo<number>,
        () => reply(7),
      ),
    },
  }).createMachine({
    context: ({ spawn }) => ({ kid: spawn("kid", { id: "k" }), to: undefined }),
    initial: "on",
    on: {
      stop: { actions: stopChild("k") },
      poke: { actions: "poke" },
      "poke.fail": { actions: ["poke", raise({ type: "said" }, { delay: Number.NaN })] },
      hold: { actions: assign({ to: ({ event }) => event.replyTo }) },
      answer: { actions: "answer" },
      blow: { actions: "blow" },
      said: {},
    },
    states: {
      on: { invoke: [{ src: "talker" }, { src: "aborted" }, { src: "stubborn" }], on: { leave: "off" } },
      off: { on: { enter: "on" } },
    },
  });
  const type = actorType({ name: "pump", version: 1, messages: words, behaviour: behaviour as never });
  return [entityType({ root: type, durability: "events", placement: "cloud" }), type.with({ effects: { blow: () => Promise.reject(new Error("no fuse")) } } as never)];
}

const P = parseAddress("acme/pump/p");

function unheard(system: System): Readonly<Record<string, number>> {
  return Object.fromEntries(system.metrics().flatMap(({ name, labels, value }) => (name === "drover_unheard_total" ? [[labels?.["kind"] ?? "", value]] : [])));
}

test("H5. S5. what reaches nobody inside an entity is counted by what it was, and shown where one looks into its actor", async (t) => {
  const kept: Kept = {};
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const { system } = await hosting({ types: pump(kept), clock, disk });
  await system.activate(P, { input: undefined });
  await settle();
  const tell = async (type: string): Promise<void> => {
    t.match(await system.tell(P, { type }), { kind: "accepted" }, type);
    await settle();
  };
  await tell("poke");
  t.same(unheard(system), {}, "it lives");
  await tell("stop");
  await tell("poke");
  t.same(unheard(system), { event: 1 }, "an old ref");
  t.match(await system.tell(P, { type: "poke.fail" }), { kind: "refused" });
  t.same(unheard(system), { event: 1 }, "what failed has said nothing");

  await tell("leave");
  t.same(unheard(system), { event: 1 }, "a promise that was called off is no news");
  kept.say?.();
  kept.resolve?.(1);
  await settle();
  t.same(unheard(system), { event: 1, source: 2 }, "a late word and a late result");

  const asked = system.ask(P, { type: "hold" }, { withinMs: 1_000, id: "q" });
  await settle();
  await tell("answer");
  t.match(await asked, { kind: "replied", value: 7 });
  await tell("answer");
  await tell("blow");
  const all = { event: 1, source: 2, reply: 1, "effect-outcome": 1 };
  t.same(unheard(system), all);
  t.same((await system.inspection.inspect(P))?.unheard, all);
  await system.stop();

  const again = await hosting({ types: pump({}), clock, disk });
  await again.system.activate(P, { input: undefined });
  t.same(unheard(again.system), {}, "what a recovery runs again was counted before");
  t.same((await again.system.inspection.inspect(P))?.unheard, {});
  await again.system.stop();
});
