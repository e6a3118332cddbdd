// What a node's log says of recovered turns that did not come out as they were committed.

import { test } from "tap";
import { assign, setup } from "xstate";
import { actorType, type AnyActorType, entityType, messages, parseAddress, T } from "../../../runtime/index.ts";
import type { Log } from "../../../runtime/ports/index.ts";
import { type Hosting, hosting } from "./hosting.ts";

const A = parseAddress("acme/sum/a");
const TURNS = 40;

function sum(version: 1 | 2, step = 1): AnyActorType {
  const behaviour = setup({ types: { context: {} as { readonly n: number } } }).createMachine({
    id: "sum",
    context: { n: 0 },
    on: { add: { actions: assign({ n: ({ context }) => context.n + step }) } },
  });
  return actorType({ name: "sum", version, messages: messages({ add: { body: {} } }), behaviour: behaviour as never, contextSchema: T.Object({ n: T.Integer() }) });
}

type Line = readonly [level: "warn" | "error", fields: Readonly<Record<string, unknown>>, words: string];

async function recoveredAs(type: AnyActorType): Promise<{ readonly lines: readonly Line[]; readonly hosted: Hosting }> {
  const before = await hosting({ types: [entityType({ root: sum(1), durability: "events", placement: "cloud" })] });
  await before.system.activate(A, { input: undefined });
  for (let turn = 0; turn < TURNS; turn++) await before.system.tell(A, { type: "add" });
  before.store.crash();
  const lines: Line[] = [];
  const keep =
    (level: "warn" | "error") =>
    (fields: Readonly<Record<string, unknown>>, words: string): void =>
      void lines.push([level, fields, words]);
  const log: Log = { debug: () => undefined, info: () => undefined, warn: keep("warn"), error: keep("error"), child: () => log };
  const hosted = await hosting({ disk: before.disk, clock: before.clock, log, types: [entityType({ root: type, durability: "events", placement: "cloud" })] });
  await hosted.system.activate(A, { input: undefined });
  return { lines: lines.filter(([, , words]) => /turns? /.test(words)), hosted };
}
const diverged = ({ system }: Hosting): number | undefined => system.metrics().find(({ name }) => name === "drover_replay_divergences_total")?.value;

test("T4. turns of a version that is not registered any more are told once, as no fault: what was committed stands", async (t) => {
  const { lines, hosted } = await recoveredAs(sum(2));
  t.match(lines, [["warn", { entity: A, turns: TURNS, firstRevision: 2, reason: /made by version 1 of sum, registered is 2/ }, /were not run again; what was committed stands/]]);
  t.equal(lines.length, 1);
  t.equal(diverged(hosted), 0);
  t.match(hosted.system.read(A)?.context, { n: TURNS });
  await hosted.system.stop();
});

test("R1. of many turns that differ the first are told in full, and how many they were", async (t) => {
  const { lines, hosted } = await recoveredAs(sum(1, 2));
  const told = lines.filter(([level]) => level === "error");
  t.equal(told.length, 6);
  t.match(told[0], ["error", { entity: A, revision: 2, reason: /1 was recorded, 2 came/ }, /a replayed turn differed/]);
  t.match(told[5], ["error", { entity: A, turns: TURNS }, /more replayed turns differed/]);
  t.equal(diverged(hosted), TURNS);
  t.match(hosted.system.read(A)?.context, { n: TURNS });
  await hosted.system.stop();
});
