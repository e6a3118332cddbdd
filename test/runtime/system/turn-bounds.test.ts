// What one turn takes: so that a hot entity does not keep the others waiting (hosting H1), and small notes do not wear a card out (rules L4).

import { test } from "tap";
import { actorType, entityType, messages, parseAddress, reducer } from "../../../runtime/index.ts";
import { ManualClock } from "../../../runtime/simulation/index.ts";
import { hosting, type Hosting } from "./hosting.ts";
import { workerEntity, workerRoot } from "./ledger.ts";

const W = parseAddress("t/worker/w");
const S = parseAddress("t/stone/s");
/** Notes of what was done ride with the next turn, or come after this long. */
const NOTED_WITHIN_MS = 250;

/** Steps cost time on it. */
class BusyClock extends ManualClock {
  #spentMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.#spentMs;
  }

  spend(ms: number): void {
    this.#spentMs += ms;
  }
}

/** Kinds of the inputs of each turn from here on. */
function turnsOf({ system }: Hosting): string[][] {
  const turns: string[][] = [];
  system.watch(({ record }) => turns.push(record?.inputs.map(({ kind }) => kind) ?? []));
  return turns;
}

test("H1. a turn takes at most 64 inputs, and no further one once it has taken 5 ms", async (t) => {
  for (const [stepMs, most] of [
    [0, 64],
    [1, 5],
    [2, 3],
    [50, 1],
  ] as const) {
    const clock = new BusyClock();
    const root = actorType({
      name: "stone",
      version: 1,
      messages: messages({ "stone.turn": { body: {} } }),
      behaviour: reducer<number, { readonly type: string }>({
        initial: () => 0,
        step: (turned) => {
          clock.spend(stepMs);
          return turned + 1;
        },
      }),
    });
    const node = await hosting({ types: [entityType({ root, durability: "events", placement: "cloud" })], clock });
    await node.system.activate(S, { input: undefined });
    const turns = turnsOf(node);
    const told = await Promise.all(Array.from({ length: 200 }, () => node.system.tell(S, { type: "stone.turn" }, { withinMs: 60_000 })));
    t.ok(told.every(({ kind }) => kind === "accepted"));
    t.equal(turns.flat().length, 200);
    t.equal(Math.max(...turns.map(({ length }) => length)), most, `steps of ${String(stepMs)} ms`);
    await node.system.stop();
  }
});

async function painting(): Promise<{ readonly node: Hosting; readonly confirm: (count?: number) => void }> {
  const open: (() => void)[] = [];
  const paint = (): Promise<void> => new Promise((resolve) => open.push(resolve));
  const node = await hosting({ types: [workerEntity, workerRoot.with({ effects: { paint, fire: () => undefined, hold: () => undefined } })] });
  await node.system.activate(W, { input: undefined });
  const confirm = (count = 1): void => {
    for (const done of open.splice(0, count)) done();
  };
  return { node, confirm };
}

const paint = (n: number): { type: string; what: string; n: number } => ({ type: "worker.do", what: "paint", n });

test("L4, F1. what was done is noted by one commit for all of it within 250 ms, or by the next turn where one comes before", async (t) => {
  const { node, confirm } = await painting();
  const { system, clock } = node;
  for (let n = 0; n < 8; n++) await system.tell(W, paint(n));
  const turns = turnsOf(node);
  for (let n = 0; n < 4; n++) {
    confirm();
    await clock.advance(60);
  }
  t.same(turns, [], "nothing yet");
  await clock.advance(NOTED_WITHIN_MS - 4 * 60);
  t.same(turns, [["performed", "performed", "performed", "performed"]]);
  confirm(2);
  await clock.advance(60);
  await system.tell(W, paint(9));
  t.same([...(turns[1] ?? [])].sort(), ["message", "performed", "performed"], "with the turn that came");
  await clock.advance(NOTED_WITHIN_MS);
  t.equal(turns.length, 2, "and no commit of their own");
  confirm(8);
  await clock.advance(NOTED_WITHIN_MS);
  t.equal(turns.length, 3);
  await system.stop();
});

test("H1, L4. of such notes at most 32 go with one turn, so that messages find room in it; none is left behind", async (t) => {
  const { node, confirm } = await painting();
  const { system, clock } = node;
  for (let n = 0; n < 100; n++) await system.tell(W, paint(n));
  const turns = turnsOf(node);
  confirm(100);
  await clock.advance(60);
  await system.tell(W, paint(100));
  t.equal(turns[0]?.filter((kind) => kind === "performed").length, 32);
  t.ok(turns[0]?.includes("message") === true);
  await clock.advance(NOTED_WITHIN_MS * 8);
  t.equal(turns.flat().filter((kind) => kind === "performed").length, 100);
  t.ok(turns.every((kinds) => kinds.filter((kind) => kind === "performed").length <= 32));
  await system.stop();
});
