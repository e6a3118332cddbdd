import { test } from "tap";
import { parseAddress } from "../../../runtime/index.ts";
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
