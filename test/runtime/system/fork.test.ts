// An entity that goes on as a new incarnation: what waits in its outbox keeps its numbers, new lines begin at 1 (rules T1, M1).

import { test } from "tap";
import { decodeState } from "../../../runtime/entity/index.ts";
import { type Address, parseAddress, type System } from "../../../runtime/index.ts";
import { type Hosting, hosting } from "./hosting.ts";
import { ledgerTypes } from "./ledger.ts";
import { entriesOf, WRITER } from "./two-nodes.ts";

const [ONE, TWO] = [parseAddress("t/ledger/one"), parseAddress("t/ledger/two")];

/** Both ledgers are known, and away. */
async function writing(): Promise<Hosting> {
  const hosted = await hosting({ types: ledgerTypes });
  for (const entity of [WRITER, ONE, TWO]) await hosted.system.activate(entity, { input: undefined });
  await write(hosted, ONE, 1);
  await write(hosted, TWO, 2);
  await hosted.clock.advance(1_000);
  for (const entity of [ONE, TWO]) await hosted.system.deactivate(entity);
  return hosted;
}

async function write({ system }: Hosting, to: Address, ...numbers: readonly number[]): Promise<void> {
  for (const n of numbers) if ((await system.tell(WRITER, { type: "writer.write", to, n })).kind !== "accepted") throw new Error("not written");
}

const incarnationOf = (system: System): string => system.read(WRITER)?.incarnation ?? "";

async function forked({ system }: Hosting): Promise<void> {
  const before = system.read(WRITER);
  const told = await system.fork(WRITER, before?.incarnation ?? "", before?.revision ?? 0);
  if (told.kind !== "accepted") throw new Error(told.kind);
}

/** Of the sender's line, as the receiver keeps it. */
async function lineIn(hosted: Hosting, ledger: Address): Promise<unknown> {
  const { encoded } = (await hosted.system.settledStateOf(ledger)) ?? { encoded: new Uint8Array() };
  const rest = decodeState(encoded).rest as { readonly senders: readonly (readonly [string, unknown])[] };
  return rest.senders.find(([sender]) => sender === WRITER)?.[1];
}

test("T1, M1. what waits when the incarnation is replaced is taken once and first; new messages are numbered from 1", async (t) => {
  const hosted = await writing();
  const { system, clock } = hosted;
  const old = incarnationOf(system);
  await write(hosted, ONE, 3, 4);
  await write(hosted, TWO, 5);
  await forked(hosted);
  t.not(incarnationOf(system), old);
  await write(hosted, ONE, 6, 7);
  await clock.advance(1_000);
  t.equal(system.metrics().find(({ name, labels }) => name === "drover_outbox_messages" && labels?.["type"] === "writer")?.value, 5);
  await Promise.all([ONE, TWO].map((entity) => system.activate(entity, { input: undefined })));
  await clock.advance(120_000);
  t.same(entriesOf(hosted, ONE), [1, 3, 4, 6, 7]);
  t.same(entriesOf(hosted, TWO), [2, 5]);
  t.match(await lineIn(hosted, ONE), { incarnation: incarnationOf(system), seq: 2, past: [old] });
  t.match(await lineIn(hosted, TWO), { incarnation: old, seq: 2 });
  await write(hosted, TWO, 8);
  await clock.advance(1_000);
  t.match(await lineIn(hosted, TWO), { incarnation: incarnationOf(system), seq: 1, past: [old] });
  t.equal(system.metrics().find(({ name, labels }) => name === "drover_outbox_messages" && labels?.["type"] === "writer")?.value, 0, "and every row had its receipt");
  await system.stop();
});

test("T1, M1. after two new incarnations and a kill what waited goes out in its order, oldest first", async (t) => {
  const first = await writing();
  await write(first, ONE, 3, 4);
  await forked(first);
  await write(first, ONE, 5, 6);
  await forked(first);
  await write(first, ONE, 7);
  first.store.crash();
  const again = await hosting({ types: ledgerTypes, disk: first.disk, clock: first.clock });
  await again.system.activate(WRITER, { input: undefined });
  await again.clock.advance(1_000);
  await again.system.activate(ONE, { input: undefined });
  await again.clock.advance(120_000);
  t.same(entriesOf(again, ONE), [1, 3, 4, 5, 6, 7]);
  t.match(await lineIn(again, ONE), { incarnation: incarnationOf(again.system), seq: 1 });
  await again.system.stop();
});

test("T1, M1. a message whose answer comes after the incarnation was replaced is taken once, and its row goes", async (t) => {
  const hosted = await writing();
  const { system, clock } = hosted;
  await write(hosted, ONE, 3, 4);
  await system.activate(ONE, { input: undefined });
  system.reachable();
  // The first of the line is on its way.
  const change = forked(hosted);
  await clock.advance(5_000);
  await change;
  await write(hosted, ONE, 5);
  await clock.advance(60_000);
  t.same(entriesOf(hosted, ONE), [1, 3, 4, 5]);
  t.equal(system.metrics().find(({ name, labels }) => name === "drover_outbox_messages" && labels?.["type"] === "writer")?.value, 0);
  await system.stop();
});

test("T1. the history that is left is left once; who knows another one changes nothing", async (t) => {
  const hosted = await writing();
  const { system } = hosted;
  const { incarnation = "", revision = 0 } = system.read(WRITER) ?? {};
  const both = await Promise.all([system.fork(WRITER, incarnation, 1), system.fork(WRITER, incarnation, 1)]);
  t.same(both.map(({ kind }) => kind).sort(), ["accepted", "no-such-actor"]);
  t.equal(system.read(WRITER)?.revision, revision + 1);
  t.match(await system.fork(parseAddress("t/writer/nobody"), incarnation, 1), { kind: "owner-away" });
  t.match(decodeState((await system.settledStateOf(WRITER))?.encoded as Uint8Array), { fork: { left: { incarnation, revision }, known: 1, nth: 1 } });
  await system.stop();
});
