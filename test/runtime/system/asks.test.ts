import { test } from "tap";
import { assign, sendTo, setup } from "xstate";
import { actorType, ask, entityType, type EventOf, messages, parseAddress, type ReplyTo, reply, T } from "../../../runtime/index.ts";
import { hosting } from "./hosting.ts";
import { ledgerRoot, ledgerTypes } from "./ledger.ts";
import { begin, LEDGER, type Node, type Nodes, twoNodes } from "./two-nodes.ts";

const ASKER = parseAddress("t/asker/a-1");
const got = (node: Node): unknown => (node.system.read(ASKER)?.context as { got: unknown }).got;

async function asking(nodes: Nodes, node: Node, more: { readonly withinMs: number; readonly mute?: boolean }): Promise<void> {
  const told = node.system.tell(ASKER, { type: "asker.go", to: LEDGER, ...more });
  await nodes.clock.advance(5);
  await told;
}

test("an entity asks another on another node and hears its reply", async (t) => {
  const nodes = twoNodes();
  const [a, b] = [await nodes.start("a"), await nodes.start("b")];
  await begin(a, ASKER);
  await begin(b, LEDGER);
  await asking(nodes, a, { withinMs: 5_000 });
  await nodes.clock.advance(1_000);
  t.same(got(a), { count: 0 });
  t.equal(a.system.read(ASKER)?.state, "idle");
  await Promise.all([a.stop(), b.stop()]);
});

test("F2. the reply comes although asker and answerer are killed in between", async (t) => {
  const nodes = twoNodes(5, 10);
  let [a, b] = [await nodes.start("a"), await nodes.start("b")];
  await begin(a, ASKER);
  await begin(b, LEDGER);
  await asking(nodes, a, { withinMs: 600_000 });
  a.kill();
  a = await nodes.start("a", { disk: a.disk });
  await begin(a, ASKER);
  await nodes.clock.advance(25);
  b.kill();
  b = await nodes.start("b", { disk: b.disk });
  await begin(b, LEDGER);
  await nodes.clock.advance(60_000);
  t.same(got(a), { count: 0 });
  await Promise.all([a.stop(), b.stop()]);
});

test("F2. an ask without an answer is unknown at its deadline, also when the asker was down over it", async (t) => {
  const nodes = twoNodes();
  let a = await nodes.start("a");
  const b = await nodes.start("b");
  await begin(a, ASKER);
  await begin(b, LEDGER);
  await asking(nodes, a, { withinMs: 5_000, mute: true });
  await nodes.clock.advance(5_100);
  t.match(got(a), { kind: "unknown" });
  await asking(nodes, a, { withinMs: 5_000, mute: true });
  await a.stop();
  await nodes.clock.advance(60_000);
  a = await nodes.start("a", { disk: a.disk });
  await begin(a, ASKER);
  await nodes.clock.advance(100);
  t.match(got(a), { kind: "unknown" });
  t.equal(a.system.read(ASKER)?.state, "idle");
  await Promise.all([a.stop(), b.stop()]);
});

test("O2. an ask that reaches its receiver past its expiry is refused there and its line goes on", async (t) => {
  const nodes = twoNodes();
  const [a, b] = [await nodes.start("a"), await nodes.start("b")];
  await begin(a, ASKER);
  await begin(b, LEDGER);
  nodes.network.cut("b");
  await asking(nodes, a, { withinMs: 1_000 });
  await nodes.clock.advance(30_000);
  t.match(got(a), { kind: "unknown" });
  nodes.network.heal("b");
  await asking(nodes, a, { withinMs: 120_000 });
  await nodes.clock.advance(100_000);
  t.same(got(a), { count: 0 }, "the late one was not answered, the next one was");
  t.match(a.system.deadLetters({ limit: 10 }), [{ reason: "too-old" }]);
  await Promise.all([a.stop(), b.stop()]);
});

test("an ask of a message without a reply is told so at once, and nothing is done", async (t) => {
  const { system } = await hosting({ types: ledgerTypes });
  await system.activate(LEDGER, { input: undefined });
  t.match(await system.ask(LEDGER, { type: "ledger.enter", n: 1 }, { withinMs: 60_000 }), { kind: "invalid", problems: [{ path: "/type", message: /has no reply/ }] });
  t.match(system.read(LEDGER)?.context, { entries: [] });
  await system.stop();
});

test("F2. an ask that is made while an ask is handled waits no longer than who asked first", async (t) => {
  const relayMessages = messages({ "relay.count": { body: { of: T.String() }, reply: T.Any() } });
  const machine = setup({
    types: { context: {} as { of: string; replyTo: ReplyTo<unknown> | undefined }, events: {} as EventOf<typeof relayMessages> },
    actors: { mute: ask(ledgerRoot, "ledger.mute") },
    actions: {
      note: assign({ of: ({ event }) => event.of, replyTo: ({ event }) => event.replyTo }),
      answer: sendTo(
        ({ context }) => context.replyTo as ReplyTo<unknown>,
        ({ event }) => reply((event as unknown as { error: unknown }).error),
      ),
    },
  }).createMachine({
    context: { of: "", replyTo: undefined },
    initial: "idle",
    states: {
      idle: { on: { "relay.count": { target: "asking", actions: "note" } } },
      asking: { invoke: { src: "mute", input: ({ context }) => ({ to: context.of, body: {}, withinMs: 3_600_000 }), onError: { target: "idle", actions: "answer" } } },
    },
  });
  const root = actorType({ name: "relay", version: 1, messages: relayMessages, behaviour: machine });
  const { system, clock } = await hosting({ types: [...ledgerTypes, entityType({ root, durability: "events", placement: "cloud" })] });
  const RELAY = parseAddress("acme/relay/r");
  for (const entity of [LEDGER, RELAY]) await system.activate(entity, { input: undefined });
  const asked = system.ask(RELAY, { type: "relay.count", of: LEDGER }, { id: "first", withinMs: 2_000 });
  await clock.advance(2_500);
  t.match(await asked, { kind: "unknown" });
  t.match(await system.ask(RELAY, { type: "relay.count", of: LEDGER }, { id: "first", withinMs: 10 }), { kind: "replied", value: { kind: "unknown" } }, "not after an hour");
  t.equal(system.read(RELAY)?.state, "idle");
  await system.stop();
});
