// What steps change in place, over restarts: what was committed stands, and replay steps what a machine is declared with as its node does (hosting H11; rules R2; promise S9).

import { test } from "tap";

import { createEntity, type Entity, replayTurn, restoreEntity, tryInput } from "../../../runtime/entity/index.ts";
import type { EntityState, Input, InputResult, JournalRecord } from "../../../runtime/entity/contract.ts";
import { anyMessages, EPOCH, ROOT, thingType } from "../entity-host.ts";
import { assign, machine } from "../xstate/loose.ts";

const stamp = (seed: number) => ({ now: EPOCH, elapsed: 0, seed });

/** As a node hosts it: nothing is rehearsed, and nothing is frozen but what is declared. */
class Hosted {
  readonly type: ReturnType<typeof thingType>;
  entity: Entity;
  first: EntityState | undefined;
  readonly records: JournalRecord[] = [];
  readonly states: EntityState[] = [];

  constructor(context: object, more: object = {}) {
    this.type = thingType(machine({ context: context as never, on: { ...ON, ...more } as never }), anyMessages());
    this.entity = createEntity(this.type, ROOT, "history-1");
    this.take({ kind: "start", input: undefined, labels: {} });
  }

  take(input: Input): InputResult {
    const turn = this.entity.turn([input], stamp(this.records.length + 1));
    if (turn.record !== undefined) this.records.push(JSON.parse(JSON.stringify(turn.record)) as JournalRecord);
    this.entity.commit();
    this.states.push(JSON.parse(JSON.stringify(this.entity.state())) as EntityState);
    return turn.results[0] as InputResult;
  }

  send(type: string): InputResult {
    return this.take(message(type, this.records.length));
  }

  /** Over a snapshot of a revision, and the records after it. */
  restored(revision: number): ReturnType<typeof restoreEntity> {
    return restoreEntity(this.type, ROOT, { snapshot: structuredClone(this.states[revision - 1]), records: structuredClone(this.records.slice(revision)) });
  }
}

function message(type: string, seq: number): Extract<Input, { kind: "message" }> {
  return { kind: "message", to: ROOT, event: { type }, sender: { kind: "outside", id: `m${String(seq)}`, author: "tester", expiresAt: EPOCH + 1_000 }, wantsReply: false };
}

const failing = assign({
  l: ({ context }) => {
    context.l.push(1);
    throw new Error("no");
  },
});
const ON = {
  FAIL: { actions: failing },
  ADD: { actions: assign({ l: ({ context }) => [...context.l, 7] }) },
  OTHER: { actions: assign({ n: ({ context }) => context.n + 1 }) },
  DEEP: {
    actions: assign({
      inner: ({ context }) => {
        context.inner.deep.list.push(1);
        throw new Error("no");
      },
    }),
  },
};
const fresh = (): object => ({ l: [], n: 0, inner: { a: 1, deep: { list: [] } } });
const contextOf = (entity: Entity): unknown => entity.view(ROOT)?.context;

test("S9, H11. failed inputs that write into the declared context come to nothing in every replay, as on the node", (t) => {
  const host = new Hosted(fresh());
  for (const event of ["OTHER", "FAIL", "FAIL", "DEEP", "OTHER"]) host.send(event);
  t.same(contextOf(host.entity), { ...fresh(), n: 2 });
  for (let revision = 0; revision <= host.records.length; revision++) {
    const { entity, divergences } = host.restored(revision);
    t.same(divergences, [], `from revision ${String(revision)}`);
    t.same(contextOf(entity), contextOf(host.entity), `from revision ${String(revision)}`);
  }
  t.end();
});

test("S9, H11. after a restart the same input fails with the same cause", (t) => {
  const host = new Hosted(fresh());
  host.send("OTHER");
  const { entity } = host.restored(host.records.length);
  const [result] = entity.turn([message("FAIL", 100)], stamp(100)).results;
  t.match(result, { kind: "faulted", error: /not extensible/ });
  t.match(host.send("FAIL"), { kind: "faulted", error: /not extensible/ });
  entity.rollback();
  t.match(contextOf(entity), { l: [] });
  t.end();
});

test("S9, H11. time travel and a dry run step the declared context frozen", (t) => {
  const host = new Hosted(fresh());
  host.send("OTHER");
  host.send("FAIL");
  const at = host.records.length - 1;
  t.equal(replayTurn(host.type, ROOT, host.states[at - 1], host.records[at] as JournalRecord).differs, undefined);
  const tried = tryInput(host.type, ROOT, host.states[1] as EntityState, message("FAIL", 100), stamp(100));
  t.match(tried.results, [{ kind: "faulted", error: /not extensible/ }]);
  t.end();
});

test("R2. what a failed step wrote in place of a part of its own is not there after a restart, and is told", (t) => {
  const host = new Hosted(fresh());
  host.send("ADD");
  t.match(host.send("FAIL"), { kind: "faulted", error: "no" });
  const { entity, divergences } = host.restored(2);
  t.match(contextOf(entity), { l: [7] });
  t.match(divergences, [{ revision: 3, reason: /^acme\/thing\/one: a step changed its context in place and came to nothing: context\/l\/1/ }]);
  t.end();
});

test("R2. what a guard wrote in place, and what a replay that differs wrote, is not there after a restart", (t) => {
  const peek = {
    PEEK: {
      guard: ({ context }: { readonly context: { readonly l: number[] } }) => {
        context.l.push(9);
        return false;
      },
      actions: assign({ n: 5 }),
    },
  };
  const host = new Hosted(fresh(), peek);
  for (const event of ["ADD", "PEEK", "OTHER"]) host.send(event);
  const committed = host.records.slice(0, 3);
  const { entity, divergences } = restoreEntity(host.type, ROOT, { snapshot: structuredClone(host.states[1]), records: structuredClone(committed.slice(2)) });
  t.match(contextOf(entity), { l: [7] });
  t.equal(divergences.length, 1);
  const record = structuredClone(host.records[2]) as JournalRecord;
  const other = { ...record, results: [{ kind: "accepted" }] as readonly InputResult[], outcome: { ...record.outcome, emitted: [{ cell: ROOT, event: { type: "X" } }] } };
  const differing = restoreEntity(host.type, ROOT, { snapshot: structuredClone(host.states[1]), records: [other] });
  t.match(contextOf(differing.entity), { l: [7] });
  t.equal(differing.divergences.length, 1);
  t.end();
});
