// What is broken within the runtime, where no port lies between: a part of it is replaced while some seeds run, and the checkers must find each.

import { test } from "tap";
import { HostedEntity } from "../../../runtime/entity/entity.ts";
import { Rest } from "../../../runtime/entity/rest.ts";
import type { StashRow, TableName, TimerRow } from "../../../runtime/entity/rest-tables.ts";
import { explain, simulate, simulateSeeds } from "../../../runtime/simulation/index.ts";
import { form } from "../../forms.ts";
import { harbour } from "./harbour.ts";

const MOST_SEEDS = 500;

/** @returns what puts it back */
function replace<C extends object, N extends keyof C>(of: C, name: N, make: (was: C[N]) => C[N]): () => void {
  const was = of[name];
  of[name] = make(was);
  return () => {
    of[name] = was;
  };
}

/** Rows of entities that are put nowhere. */
function dropsRows(isDropped: (rest: Rest, table: TableName, key: string, row: unknown) => boolean): () => void {
  return replace(
    Rest.prototype,
    "put",
    (put) =>
      function (this: Rest, table, key, row) {
        if (!isDropped(this, table, key, row)) put.call(this, table, key, row);
      },
  );
}

/** What was postponed comes back in the order that is opposite to its postponing. */
function offersBackwards(): () => void {
  return replace(
    HostedEntity.prototype,
    "released",
    (released) =>
      function (this: HostedEntity) {
        return released.call(this).toReversed();
      },
  );
}

/** Equal deadlines of an entity come in the order that is opposite to their arming. */
function firesBackwards(): () => void {
  return replace(
    HostedEntity.prototype,
    "due",
    (due) =>
      function (this: HostedEntity, at) {
        const rowOf = (timer: string): TimerRow => this.interior.rest.get("timers", timer) as TimerRow;
        return due.call(this, at).toSorted((one, other) => {
          if (one.kind !== "timer" || other.kind !== "timer") return 0;
          const [a, b] = [rowOf(one.timer), rowOf(other.timer)];
          return a.clock === b.clock && a.due === b.due ? b.generation - a.generation : 0;
        });
      },
  );
}

const ACTED_ON = "what was accepted is acted on";
const ASKED_FOR = "what a step asks for is committed";

const cases: readonly (readonly [title: string, checker: string, breaks: () => () => void])[] = [
  ["S3. a postponed message that is kept nowhere", ACTED_ON, () => dropsRows((rest, table, key) => table === "stash" && !rest.has(table, key))],
  ["S3. every other shelved message that is kept nowhere", ACTED_ON, () => dropsRows((_, table, key) => table === "shelf" && Number(key) % 2 === 0)],
  ["S3. a postponed message that is not offered again", ACTED_ON, () => dropsRows((_, table, __, row) => table === "stash" && (row as StashRow).isReleased)],
  ["S3. postponed messages that come back newest first", ACTED_ON, offersBackwards],
  ["S2, S3. some messages to others that are put into no outbox", ASKED_FOR, () => dropsRows((_, table, key) => table === "outbox" && key.endsWith("2"))],
  ["S7. some timers that are not armed", ASKED_FOR, () => dropsRows((_, table, __, row) => table === "timers" && (row as TimerRow).generation % 5 === 0)],
  ["K1. equal deadlines that fire backwards", "equal deadlines fire in arming order", firesBackwards],
];

for (const [title, checker, breaks] of cases) {
  test(`${title} is found`, { timeout: 120_000 }, async (t) => {
    t.teardown(breaks());
    const found = await firstSeed(checker);
    t.ok(found !== undefined, `within ${String(MOST_SEEDS)} seeds`);
    t.comment(found);
  });
}

async function firstSeed(checker: string): Promise<string | undefined> {
  for (let seed = 1; seed <= MOST_SEEDS; seed++) {
    const violation = (await simulate(harbour(seed))).violations.find((found) => found.checker === checker);
    if (violation !== undefined) return `seed ${String(seed)}: ${violation.what}`;
  }
  return undefined;
}

for (const durability of ["events", "snapshot", "volatile"] as const)
  test(`S3, K1. a harbour of durability ${durability} that keeps these promises has no finding`, { timeout: 120_000 }, async (t) => {
    let waited = 0;
    const { failed } = await simulateSeeds((seed) => harbour(seed, { durability }), {
      count: form(8, 30),
      each: ({ history }) => {
        for (const fact of history) if (fact.kind === "asked") for (const { kind } of fact.record?.inputs ?? []) waited += kind === "postponed" || kind === "shelved" ? 1 : 0;
      },
    });
    t.same(failed.map(explain), []);
    t.ok(durability === "volatile" || waited > 100, `${String(waited)} messages that had waited`);
  });
