// What some checkers take for a broken promise, and what they leave alone because nobody promised it: histories of a few facts, one beside the other.

import { test } from "tap";
import { actorType, entityType, messages, reducer, T } from "../../../runtime/index.ts";
import type { Input, InputResult, JournalRecord } from "../../../runtime/entity/contract.ts";
import { onceSettled } from "../../../runtime/simulation/checkers/effects-settled.ts";
import { evidenceOf } from "../../../runtime/simulation/checkers/evidence.ts";
import { sameAnswer } from "../../../runtime/simulation/checkers/same-answer.ts";
import { senderOrder } from "../../../runtime/simulation/checkers/sender-order.ts";
import type { Fact, NodeFact } from "../../../runtime/simulation/history.ts";
import { type Checker, explain, simulateSeeds } from "../../../runtime/simulation/index.ts";
import { form } from "../../forms.ts";
import { belfry } from "./belfry.ts";

const LIST = "t/list/one";
const body = { body: { n: T.Integer() } };
const list = entityType({
  root: actorType({
    name: "list",
    version: 1,
    messages: messages({ "list.add": body, "list.drop": body, "list.stop": { ...body, lane: "control" } }),
    behaviour: reducer({ initial: () => 0, step: (state) => state }),
  }),
  durability: "events",
  placement: "cloud",
});

const found = (checker: Checker, history: readonly Fact[]): readonly string[] => checker.check(evidenceOf(history, { home: [list] }, 0)).map(({ what }) => what);

const node = (what: NodeFact["what"], run = 1, atMs = 0): Fact => ({ kind: "node", atMs, node: "home", run, what, epoch: run, wallMs: 0, store: "home" });
const sent = (id: string, more: Partial<Extract<Fact, { kind: "sent" }>> = {}): Fact => ({ kind: "sent", atMs: 1, node: "home", id, to: LIST, type: "list.add", ...more });

interface Turn {
  readonly inputs?: readonly unknown[];
  readonly results?: readonly InputResult["kind"][];
  readonly rest?: Readonly<Record<string, readonly (readonly [string, unknown?])[]>>;
  readonly run?: number;
  readonly incarnation?: string;
}

function turn(revision: number, { inputs = [], results = [], rest = {}, run = 1, incarnation = "i1" }: Turn): readonly Fact[] {
  const record = { revision, inputs, results: inputs.map((_, at) => ({ kind: results[at] ?? "accepted" })), outcome: { cells: [], rest } } as unknown as JournalRecord;
  const at = { atMs: 2, node: "home", run, entity: LIST, incarnation, revision };
  return [
    { kind: "asked", ...at, epoch: 1, record, sums: { record: "" } },
    { kind: "written", ...at, store: "home" },
  ];
}

const message = (id: string, type = "list.add", more: Readonly<Record<string, unknown>> = {}, author = "ann"): unknown => ({
  kind: "message",
  to: LIST,
  event: { type },
  sender: { kind: "outside", id, author },
  ...more,
});

test("M1. what one sender told one actor in order and was taken otherwise is a finding", (t) => {
  const both = [node("starting"), sent("a"), sent("b")];
  t.same(found(senderOrder, [...both, ...turn(1, { inputs: [message("a"), message("b")] })]), []);
  t.same(found(senderOrder, [...both, ...turn(1, { inputs: [message("b"), message("a")] })]), ["t/list/one took a (list.add) after b, which the same sender had told it later"]);
  t.equal(
    found(senderOrder, [...both, ...turn(1, { inputs: [message("b")] }), ...turn(2, { inputs: [message("a", "list.drop")] })]).length,
    1,
    "in two turns, of two types of one lane",
  );
  const shelf = (id: string): Turn => ({ inputs: [message(id, "list.add", { shelve: { bytes: 1 } })], rest: { shelf: [[id, { input: message(id) }]] } });
  const back = (key: string): Turn => ({ inputs: [{ kind: "shelved", key }], rest: { shelf: [[key]] } });
  const shelved = [...both, ...turn(1, shelf("a")), ...turn(2, shelf("b"))];
  t.equal(found(senderOrder, [...shelved, ...turn(3, back("b")), ...turn(4, back("a"))]).length, 1, "from the shelf");
  t.same(found(senderOrder, [...both, ...turn(1, shelf("b")), ...turn(2, { inputs: [message("a")] }), ...turn(3, back("b"))]), [], "it counts when it comes back");
  t.end();
});

test("M1. what nobody promised to keep in order is left alone", (t) => {
  const turned = turn(1, { inputs: [message("b"), message("a")] });
  const both = [node("starting"), sent("a"), sent("b")];
  const cases: readonly (readonly [string, readonly Fact[]])[] = [
    ["the control lane overtakes", [...both, ...turn(1, { inputs: [message("b", "list.stop"), message("a")] })]],
    ["two senders", [...both, ...turn(1, { inputs: [message("b", "list.add", {}, "bob"), message("a")] })]],
    ["a repetition", [node("starting"), sent("a"), sent("b"), sent("a"), ...turned]],
    ["by way of another node", [node("starting"), sent("a", { node: "away" }), sent("b"), ...turned]],
    ["another run", [...both, node("killed"), node("starting", 2), ...turn(1, { inputs: [message("b"), message("a")], run: 2 })]],
    ["while it was paused", [node("starting"), node("paused"), sent("a"), node("resumed"), sent("b"), ...turned]],
    ["which may create its entity", [node("starting"), sent("a", { creates: true }), sent("b"), ...turned]],
    ["which made its actor fail", [...both, ...turn(1, { inputs: [message("a")], results: ["faulted"] }), ...turn(2, { inputs: [message("b"), message("a")] })]],
    ["which ended a process before", [...both, ...turn(1, { inputs: [{ kind: "attempt", of: message("a") }] }), ...turn(2, { inputs: [message("b"), message("a")] })]],
    ["refused", [...both, ...turn(1, { inputs: [message("b"), message("a")], results: ["accepted", "refused"] })]],
  ];
  for (const [what, history] of cases) t.same(found(senderOrder, history), [], what);
  t.end();
});

const replied = (value: unknown): Fact => ({ kind: "told", atMs: 3, node: "home", id: "a", to: LIST, outcome: { kind: "replied", value } });
const kept = (revision: number, incarnation = "i1"): Fact => ({ kind: "kept", atMs: 9, store: "home", entity: LIST, type: "list", incarnation, revision, records: [] });
const answered = (answer: unknown): Turn => ({ inputs: [message("a")], rest: { taken: [["a", { id: "a", answer }]] } });

test("M2. an answer that is not the first one recorded under its id is a finding", (t) => {
  const one = turn(1, answered({ kind: "replied", value: { n: 1 } }));
  t.same(found(sameAnswer, [...one, replied({ n: 1 }), replied({ n: 1, m: undefined }), kept(1)]), []);
  t.same(found(sameAnswer, [...one, replied({ n: 1 }), replied({ n: 2 }), kept(1)]), ['a to t/list/one was answered with {"n":2}; its entity has recorded {"n":1}']);
  t.equal(found(sameAnswer, [...one, replied({ n: 1 }), ...turn(2, answered({ kind: "replied", value: { n: 2 } })), replied({ n: 2 }), kept(2)]).length, 1, "recorded twice");
  t.same(found(sameAnswer, [...turn(1, answered({ kind: "refused", accepts: [] })), replied(undefined), kept(1)]), [
    "a to t/list/one was answered with null; its entity has recorded refused",
  ]);
  const expired = turn(2, { inputs: [message("b")], rest: { taken: [["a"]] } });
  t.same(
    found(sameAnswer, [...one, replied({ n: 1 }), ...expired, ...turn(3, answered({ kind: "replied", value: { n: 2 } })), replied({ n: 2 }), kept(3)]),
    [],
    "its outcome had expired",
  );
  const anew = turn(1, { ...answered({ kind: "replied", value: { n: 2 } }), incarnation: "i2" });
  t.same(found(sameAnswer, [...one, replied({ n: 1 }), ...anew, replied({ n: 2 }), kept(1, "i2")]), [], "its history was begun anew");
  t.same(found(sameAnswer, [replied({ n: 1 }), replied({ n: 2 })]), [], "of a volatile one nothing is recorded");
  t.end();
});

const KEY = `${LIST}#i1.1.0`;
const rung = turn(1, { rest: { pending: [[KEY, { class: "once", name: "ring", cell: LIST }]] } });
const ring = (what: "attempt" | "confirmed" | "failed", run = 1): Fact => ({ kind: "effect", atMs: 2, node: "home", run, what, key: KEY, name: "ring", actor: LIST });
const closed = (outcome: Extract<Input, { kind: "performed" }>["outcome"], run = 1): readonly Fact[] =>
  turn(2, { inputs: [{ kind: "performed", key: KEY, outcome }], rest: { pending: [[KEY]] }, run });

test("S3, F1. a once effect that is closed by a guess is a finding", (t) => {
  const cases: readonly (readonly [number, string, readonly Fact[]])[] = [
    [0, "confirmed", [ring("attempt"), ring("confirmed"), ...closed({ kind: "done" })]],
    [1, "never confirmed", [ring("attempt"), ...closed({ kind: "done" })]],
    [1, "confirmed in a run that told nobody", [ring("attempt"), ring("confirmed"), ...closed({ kind: "done" }, 2)]],
    [0, "failed", [ring("attempt"), ring("failed"), ...closed({ kind: "failed", error: "no" })]],
    [1, "never failed", [ring("attempt"), ...closed({ kind: "failed", error: "no" }, 2)]],
    [0, "not supplied", [{ ...ring("attempt"), key: "another" } as Fact, ...closed({ kind: "failed", error: "nobody supplies it" })]],
    [0, "unknown", [ring("attempt"), ...closed({ kind: "unknown" }, 2)]],
    [1, "dropped", [ring("attempt"), ...closed({ kind: "dropped" }, 2)]],
    [1, "gone without a word", [ring("attempt"), ...turn(2, { inputs: [message("a")], rest: { pending: [[KEY]] } })]],
    [
      0,
      "set aside, as its actor failed on the word",
      [ring("attempt"), ...turn(2, { inputs: [{ kind: "performed", key: KEY }], results: ["faulted"], rest: { pending: [[KEY]] } })],
    ],
    [0, "of a node that notes nothing", closed({ kind: "done" })],
  ];
  for (const [count, what, facts] of cases) t.equal(found(onceSettled, [...rung, ...facts, kept(2)]).length, count, what);
  t.end();
});

test("F2. a once effect that is left open by the run after is a finding, once that had the time to close it", (t) => {
  const loaded: Fact = { kind: "loaded", atMs: 1_100, node: "home", run: 2, store: "home", sinceMs: 1_000, entity: LIST, head: undefined, snapshot: undefined, records: [] };
  const live = (atMs: number, run: number): Fact => ({ kind: "live", atMs, node: "home", run, entity: LIST, incarnation: "i1", revision: 1, state: new Uint8Array() });
  const again = [node("starting"), node("started"), ...rung, node("killed", 1, 500), node("starting", 2, 1_000), node("started", 2, 1_000)];
  t.same(found(onceSettled, [...again, loaded, live(9_000, 2), kept(1)]).length, 1);
  t.same(found(onceSettled, [...again, loaded, ...closed({ kind: "unknown" }, 2), live(9_000, 2), kept(2)]), []);
  t.same(found(onceSettled, [...again, loaded, live(5_000, 2), kept(1)]), [], "it has not had the time");
  t.same(found(onceSettled, [...again, live(9_000, 2), kept(1)]), [], "it was not recovered");
  t.same(found(onceSettled, [node("starting"), node("started"), ...rung, live(9_000, 1), kept(1)]), [], "it may be under way");
  t.end();
});

for (const passivateAfterMs of [undefined, 150])
  test(`F1, F2, M1, M2. a node that keeps these promises through kills has no finding${passivateAfterMs === undefined ? "" : ", also where its actor leaves memory"}`, async (t) => {
    let unknown = 0;
    let answeredAgain = 0;
    const { failed } = await simulateSeeds((seed) => belfry(seed, {}, passivateAfterMs), {
      count: form(10, 100),
      each: ({ history }) => {
        const answered = new Set<string>();
        for (const fact of history) {
          if (fact.kind === "asked") for (const input of fact.record?.inputs ?? []) unknown += input.kind === "performed" && input.outcome.kind === "unknown" ? 1 : 0;
          if (fact.kind !== "told" || fact.outcome.kind !== "replied") continue;
          answeredAgain += answered.has(fact.id) ? 1 : 0;
          answered.add(fact.id);
        }
      },
    });
    t.same(failed.map(explain), []);
    t.ok(unknown > 5 && answeredAgain > 100, `${String(unknown)} effects of which nobody knew, ${String(answeredAgain)} repeated answers`);
  });
