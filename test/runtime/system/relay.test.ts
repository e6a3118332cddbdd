import { test } from "tap";
import { parseAddress } from "../../../runtime/index.ts";
import { ledgerTypes } from "./ledger.ts";
import { hosting } from "./hosting.ts";
import { begin, entriesOf, LEDGER, twoNodes, WRITER } from "./two-nodes.ts";

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

test("M1. between two entities of one node messages are taken in order, each once", async (t) => {
  const { system, clock } = await hosting({ types: ledgerTypes });
  const ledger = parseAddress("t/ledger/one");
  await system.activate(WRITER, { input: undefined });
  await system.activate(ledger, { input: undefined });
  await Promise.all(numbers(50).map((n) => system.tell(WRITER, { type: "writer.write", to: ledger, n })));
  await clock.advance(5_000);
  t.same(entriesOf({ system }, ledger), numbers(50));
  t.equal(system.metrics().find(({ name, labels }) => name === "drover_outbox_messages" && labels?.["type"] === "writer")?.value, 0);
  await system.stop();
});

test("M1. a receiver that is not active yet is away, not gone: nothing that was committed is lost at a start", async (t) => {
  const first = await hosting({ types: ledgerTypes });
  const ledger = parseAddress("t/ledger/one");
  await first.system.activate(WRITER, { input: undefined });
  await first.system.activate(ledger, { input: undefined });
  await first.system.deactivate(ledger);
  await first.system.tell(WRITER, { type: "writer.write", to: ledger, n: 1 });
  await first.clock.advance(100);
  await first.system.stop();
  const { system, clock } = await hosting({ types: ledgerTypes, disk: first.disk, clock: first.clock });
  await system.activate(WRITER, { input: undefined });
  await clock.advance(1_000);
  await system.activate(ledger, { input: undefined });
  await clock.advance(60_000);
  t.same(entriesOf({ system }, ledger), [1]);
  await system.stop();
});

test("M1. duplicates, overtaking, lost answers and cuts between two nodes: each message is taken once and in order", async (t) => {
  const nodes = twoNodes(7, [1, 20]);
  const a = await nodes.start("a");
  const b = await nodes.start("b");
  await begin(a, WRITER);
  await begin(b, LEDGER);
  nodes.network.setFaults({ drop: 0.3, duplicate: 0.3, reorder: 0.3 });
  for (const n of numbers(30)) {
    await a.system.tell(WRITER, { type: "writer.write", to: LEDGER, n });
    if (n % 7 === 0) {
      nodes.network.cut(n % 2 === 0 ? "a" : "b");
      await nodes.clock.advance(500);
      nodes.network.heal(n % 2 === 0 ? "a" : "b");
    }
    await nodes.clock.advance(20);
  }
  nodes.network.setFaults({});
  await nodes.clock.advance(600_000);
  t.same(entriesOf(b), numbers(30));
  await Promise.all([a.stop(), b.stop()]);
});

test("M1. either side is killed in mid flight: nothing acknowledged is lost, nothing taken twice", async (t) => {
  const nodes = twoNodes(3);
  let a = await nodes.start("a", { commitMs: 3 });
  let b = await nodes.start("b", { commitMs: 3 });
  const started = Promise.all([begin(a, WRITER), begin(b, LEDGER)]);
  await nodes.clock.advance(100);
  await started;
  for (const n of numbers(12)) {
    const told = a.system.tell(WRITER, { type: "writer.write", to: LEDGER, n });
    await nodes.clock.advance(20);
    t.match(await told, { kind: "accepted" });
    if (n % 3 === 0) {
      const side = n % 2 === 0 ? a : b;
      side.kill();
      await nodes.clock.advance(n * 2);
      const again = await nodes.start(side.name, { disk: side.disk, commitMs: 3 });
      const restarted = begin(again, side === a ? WRITER : LEDGER);
      if (side === a) a = again;
      else b = again;
      await nodes.clock.advance(50);
      await restarted;
    }
  }
  await nodes.clock.advance(120_000);
  t.same(entriesOf(b), numbers(12));
  const stopped = Promise.all([a.stop(), b.stop()]);
  await nodes.clock.advance(5_000);
  await stopped;
});

test("M1. a final refusal is handed back and the line goes on behind it, also when it never reached the receiver", async (t) => {
  const nodes = twoNodes();
  const a = await nodes.start("a");
  const b = await nodes.start("b");
  await begin(a, WRITER);
  await begin(b, LEDGER);
  await a.system.tell(WRITER, { type: "writer.write", to: LEDGER, n: 1 });
  await a.system.tell(WRITER, { type: "writer.write", to: LEDGER, n: -1 });
  await a.system.tell(WRITER, { type: "writer.write", to: `${LEDGER}/part/none`, n: 2 });
  await a.system.tell(WRITER, { type: "writer.write", to: LEDGER, n: 3 });
  await nodes.clock.advance(60_000);
  t.same(entriesOf(b), [1, 3]);
  t.match(
    a.system.deadLetters({ limit: 10 }).map(({ to, reason }) => [to, reason]),
    [
      [LEDGER, "refused"],
      [`${LEDGER}/part/none`, "no-such-actor"],
    ],
  );
  await Promise.all([a.stop(), b.stop()]);
});

test("M1. a number that a node's door refused before the entity saw it is skipped: the line goes on", async (t) => {
  const nodes = twoNodes();
  const a = await nodes.start("a");
  const b = await nodes.start("b", {
    door: ({ event }) => (event["n"] === 2 ? { kind: "refuse", refusal: { kind: "refused", accepts: [], reason: "not here" } } : { kind: "pass" }),
  });
  await begin(a, WRITER);
  await begin(b, LEDGER);
  for (const n of [1, 2, 3, 4]) await a.system.tell(WRITER, { type: "writer.write", to: LEDGER, n });
  await nodes.clock.advance(60_000);
  t.same(entriesOf(b), [1, 3, 4]);
  t.match(a.system.deadLetters({ limit: 10 }), [{ to: LEDGER, reason: "refused" }]);
  await Promise.all([a.stop(), b.stop()]);
});

test("E1. what comes under a lower epoch than was seen is refused and not taken; the sender's row stays", async (t) => {
  const nodes = twoNodes();
  const a = await nodes.start("a", { epoch: 5 });
  const b = await nodes.start("b");
  await begin(a, WRITER);
  await begin(b, LEDGER);
  await a.system.tell(WRITER, { type: "writer.write", to: LEDGER, n: 1 });
  await nodes.clock.advance(1_000);
  nodes.network.cut("a");
  await a.system.tell(WRITER, { type: "writer.write", to: LEDGER, n: 2 });
  await a.stop();
  nodes.network.heal("a");
  const old = await nodes.start("a", { epoch: 4, disk: a.disk });
  await begin(old, WRITER);
  t.match(await old.system.tell(WRITER, { type: "writer.write", to: LEDGER, n: 3 }), { kind: "not-stored", reason: /epoch 4 is over/ });
  await nodes.clock.advance(60_000);
  t.same(entriesOf(b), [1], "and what its store holds comes under its epoch, which is not taken");
  await old.stop();
  const present = await nodes.start("a", { epoch: 6, disk: a.disk });
  await begin(present, WRITER);
  await nodes.clock.advance(60_000);
  t.same(entriesOf(b), [1, 2], "whoever owns the entity now relays it under its own epoch");
  await Promise.all([present.stop(), b.stop()]);
});

test("a line that waits is tried at once when other nodes come into reach", async (t) => {
  const nodes = twoNodes();
  const a = await nodes.start("a");
  const b = await nodes.start("b");
  await begin(a, WRITER);
  await begin(b, LEDGER);
  nodes.network.cut("a");
  await a.system.tell(WRITER, { type: "writer.write", to: LEDGER, n: 1 });
  await nodes.clock.advance(120_000);
  nodes.network.heal("a");
  await nodes.clock.advance(10);
  a.system.reachable(WRITER);
  await nodes.clock.advance(50);
  t.same(entriesOf(b), [], "another receiver's coming into reach is no reason");
  a.system.reachable(LEDGER);
  await nodes.clock.advance(50);
  t.same(entriesOf(b), [1]);
  await a.system.tell(WRITER, { type: "writer.write", to: LEDGER, n: 2 });
  await nodes.clock.advance(50);
  nodes.network.cut("a");
  await a.system.tell(WRITER, { type: "writer.write", to: LEDGER, n: 3 });
  await nodes.clock.advance(120_000);
  nodes.network.heal("a");
  await nodes.clock.advance(10);
  a.system.reachable();
  await nodes.clock.advance(50);
  t.same(entriesOf(b), [1, 2, 3], "every receiver is");
  await Promise.all([a.stop(), b.stop()]);
});

test("M1, S5. a line whose receiver is away is tried ever more rarely, and at least every 30 s; once it is taken the next refusal is tried again as soon as the first", async (t) => {
  const { system, clock } = await hosting({ types: ledgerTypes });
  const far = "t/ledger/far";
  const sent: number[] = [];
  let isAway = true;
  system.setRemote({
    route: (entity) => (entity === far ? { node: "b", reachable: true } : undefined),
    send: () => {
      sent.push(clock.monotonic());
      return Promise.resolve(isAway ? { kind: "owner-away" } : { kind: "accepted", durable: "local" });
    },
  });
  await system.activate(WRITER, { input: undefined });
  const waitsSince = (from: number): readonly number[] => sent.slice(from + 1).map((at, index) => at - (sent[from + index] ?? 0));
  await system.tell(WRITER, { type: "writer.write", to: far, n: 1 });
  await clock.advance(1_800_000);
  const waits = waitsSince(0);
  waits.forEach((ms, failure) => {
    const whole = Math.min(30_000, 250 * 2 ** failure);
    t.ok(ms >= whole / 2 && ms <= whole + 1, `${String(failure)}: ${String(ms)} of ${String(whole)} ms`);
  });
  t.ok(waits.length >= 1_800 / 30 && waits.length <= 150, `${String(waits.length)} tries in half an hour`);
  isAway = false;
  await clock.advance(30_000);
  isAway = true;
  const taken = sent.length;
  await system.tell(WRITER, { type: "writer.write", to: far, n: 2 });
  await clock.advance(250);
  t.ok((waitsSince(taken)[0] ?? Number.POSITIVE_INFINITY) <= 250);
  await system.stop();
});
