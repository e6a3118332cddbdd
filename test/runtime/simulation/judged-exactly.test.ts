// What some checkers take for a broken promise, and what they leave alone because nobody promised it: histories of a few facts, one beside the other.

import { test } from "tap";
import { actorType, entityType, messages, reducer, T } from "../../../runtime/index.ts";
import type { Input, InputResult, JournalRecord } from "../../../runtime/entity/contract.ts";
import { actedOn } from "../../../runtime/simulation/checkers/acted-on.ts";
import { onceSettled } from "../../../runtime/simulation/checkers/effects-settled.ts";
import { askedFor } from "../../../runtime/simulation/checkers/asked-for.ts";
import { evidenceOf } from "../../../runtime/simulation/checkers/evidence.ts";
import { outcomesKept } from "../../../runtime/simulation/checkers/outcomes-kept.ts";
import { sameAnswer } from "../../../runtime/simulation/checkers/same-answer.ts";
import { senderOrder } from "../../../runtime/simulation/checkers/sender-order.ts";
import { timersByPolicy } from "../../../runtime/simulation/checkers/timers-by-policy.ts";
import { timersInTime } from "../../../runtime/simulation/checkers/timers-in-time.ts";
import { timersInOrder } from "../../../runtime/simulation/checkers/timers-in-order.ts";
import type { Fact, NodeFact } from "../../../runtime/simulation/history.ts";
import { type Checker, explain, simulateSeeds } from "../../../runtime/simulation/index.ts";
import type { Wish } from "../../../runtime/simulation/offered-messages.ts";
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
  readonly cells?: readonly unknown[];
  /** Whether their actors took them. */
  readonly offered?: Readonly<Record<string, boolean>>;
  /** What their steps asked for. */
  readonly wishes?: readonly Wish[];
}

function turn(revision: number, { inputs = [], results = [], rest = {}, run = 1, incarnation = "i1", cells = [], offered, wishes }: Turn): readonly Fact[] {
  const said = inputs.map((_, at) => ({ kind: results[at] ?? "accepted", again: results[at] === "faulted" }));
  const record = { revision, inputs, results: said, stamp: { now: 1_000, elapsed: 0, seed: 0 }, outcome: { cells, ended: [], rest } } as unknown as JournalRecord;
  const at = { atMs: 2, node: "home", run, entity: LIST, incarnation, revision };
  return [
    {
      kind: "asked",
      ...at,
      epoch: 1,
      record,
      sums: { record: "" },
      ...(offered === undefined && wishes === undefined ? {} : { steps: { offered: new Map(Object.entries(offered ?? {})), wishes } }),
    },
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
const kept = (revision: number, incarnation = "i1"): Fact => ({ kind: "kept", atMs: 9, store: "home", entity: LIST, type: "list", incarnation, revision, records: [], links: [] });
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

const came = (key: string): unknown => ({ kind: "postponed", key });
const off = (key: string): unknown => ({ kind: "shelved", key });
const stash = (...rows: readonly (readonly [key: string, id: string, isReleased?: boolean])[]): NonNullable<Turn["rest"]> => ({
  stash: rows.map(([key, id, isReleased = false]) => [key, { input: message(id), isReleased }] as const),
});
const cell = (value: unknown, context: unknown = 0): unknown => ({ address: LIST, incarnation: 1, status: "active", value, context });

test("S3. what was accepted and neither taken by its actor nor kept is a finding", (t) => {
  const shelving = message("a", "list.add", { shelve: { bytes: 1 } });
  const shelf = { shelf: [["1", { input: message("a") }]] } as const;
  const postponed = turn(1, { inputs: [message("a")], rest: stash(["1", "a"]), offered: { "outside a": false } });
  const shelved = turn(1, { inputs: [shelving], rest: shelf });
  const fromEntity = { kind: "message", to: LIST, event: { type: "list.add" }, sender: { kind: "entity", entity: "t/list/two", incarnation: "j", seq: 3 } };
  const local = { ...fromEntity, sender: { kind: "local", name: "clock" } };
  const cases: readonly (readonly [number, string, readonly Fact[]])[] = [
    [0, "taken", turn(1, { inputs: [message("a")], offered: { "outside a": true } })],
    [1, "not taken", turn(1, { inputs: [message("a")], offered: { "outside a": false } })],
    [1, "never offered", turn(1, { inputs: [fromEntity], offered: {} })],
    [0, "nobody watches", turn(1, { inputs: [message("a")] })],
    [0, "refused", turn(1, { inputs: [message("a")], results: ["refused"], offered: {} })],
    [0, "of its own node", turn(1, { inputs: [local], offered: {} })],
    [0, "an answer", turn(1, { inputs: [{ ...fromEntity, answers: "k" }], offered: {} })],
    [0, "postponed", postponed],
    [1, "another one is postponed", turn(1, { inputs: [message("a")], rest: stash(["1", "b"]), offered: { "outside a": false } })],
    [0, "shelved", shelved],
    [1, "shelved nowhere", turn(1, { inputs: [shelving] })],
    [0, "postponed, and taken later", [...postponed, ...turn(2, { inputs: [came("1")], rest: { stash: [["1"]] }, offered: { "postponed 1": true } })]],
    [1, "postponed, and dropped later", [...postponed, ...turn(2, { inputs: [came("1")], rest: { stash: [["1"]] }, offered: { "postponed 1": false } })]],
    [0, "postponed once more", [...postponed, ...turn(2, { inputs: [came("1")], rest: stash(["1", "a"]), offered: { "postponed 1": false } })]],
    [0, "postponed, and too old later", [...postponed, ...turn(2, { inputs: [came("1")], results: ["dropped"], rest: { stash: [["1"]] }, offered: {} })]],
    [1, "postponed, and gone", [...postponed, ...turn(2, { inputs: [message("b")], rest: { stash: [["1"]] } })]],
    [1, "failed, to come again, and gone", [...postponed, ...turn(2, { inputs: [came("1")], results: ["faulted"], rest: { stash: [["1"]] } })]],
    [0, "set aside as it ends processes", [...postponed, ...turn(2, { inputs: [{ kind: "attempt", of: came("1") }], rest: { stash: [["1"]] } })]],
    [0, "shelved, and taken later", [...shelved, ...turn(2, { inputs: [off("1")], rest: { shelf: [["1"]] }, offered: { "outside a": true } })]],
    [0, "shelved, and postponed later", [...shelved, ...turn(2, { inputs: [off("1")], rest: { shelf: [["1"]], ...stash(["1", "a"]) }, offered: { "outside a": false } })]],
    [1, "shelved, and dropped later", [...shelved, ...turn(2, { inputs: [off("1")], rest: { shelf: [["1"]] }, offered: {} })]],
    [1, "shelved, and gone", [...shelved, ...turn(2, { inputs: [message("b")], rest: { shelf: [["1"]] } })]],
    [0, "of a history that was replaced", [...postponed, ...turn(1, { inputs: [came("1")], rest: { stash: [["1"]] }, offered: {}, incarnation: "i2" }), kept(1, "i2")]],
  ];
  for (const [count, what, facts] of cases) t.equal(found(actedOn, [...facts, ...(facts.some(({ kind }) => kind === "kept") ? [] : [kept(2)])]).length, count, what);
  t.end();
});

test("S3. what was postponed and does not come back when it should, or not in its order, is a finding", (t) => {
  const first = turn(1, { inputs: [message("a"), message("b")], rest: stash(["1", "a"], ["2", "b"]), cells: [cell("shut")] });
  const opened = turn(2, { inputs: [message("c")], rest: stash(["1", "a", true], ["2", "b", true]), cells: [cell("open")] });
  const taken = (...keys: readonly string[]): Turn => ({ inputs: keys.map(came), rest: { stash: keys.map((key) => [key] as const) } });
  const failed = turn(3, { inputs: [came("1")], results: ["faulted"] });
  const cases: readonly (readonly [number, string, readonly Fact[]])[] = [
    [0, "on its way", [...first, ...opened]],
    [2, "left where it is", [...first, ...turn(2, { inputs: [message("c")], cells: [cell("open")] })]],
    [0, "another context of a machine", [...first, ...turn(2, { inputs: [message("c")], cells: [cell("shut", 1)] })]],
    [0, "another actor", [...first, ...turn(2, { inputs: [message("c")], cells: [{ ...(cell("open") as object), address: `${LIST}/part/one` }] })]],
    [2, "begun anew", [...first, ...turn(2, { inputs: [message("c")], cells: [{ ...(cell("shut") as object), incarnation: 2 }] })]],
    [1, "another state of a reducer", [...turn(1, { inputs: [message("a")], rest: stash(["1", "a"]), cells: [cell(null)] }), ...turn(2, { cells: [cell(null, 1)] })]],
    [0, "in their order", [...first, ...opened, ...turn(3, taken("1", "2"))]],
    [1, "not in their order", [...first, ...opened, ...turn(3, taken("2", "1"))]],
    [1, "not in their order, in two turns", [...first, ...opened, ...turn(3, taken("2")), ...turn(4, taken("1"))]],
    [0, "after it made its actor fail", [...first, ...opened, ...failed, ...turn(4, taken("2")), ...turn(5, taken("1"))]],
  ];
  for (const [count, what, facts] of cases) t.equal(found(actedOn, [...facts, kept(5)]).length, count, what);

  const live = (atMs: number, more: Partial<Extract<Fact, { kind: "live" }>> = {}): Fact => ({
    ...{ kind: "live", atMs, node: "home", run: 1, entity: LIST, incarnation: "i1", revision: 2, state: new Uint8Array() },
    ...more,
  });
  const there = [node("starting"), node("started"), ...first, ...opened];
  t.equal(found(actedOn, [...there, live(9_000), kept(2)]).length, 2, "never offered again");
  t.same(found(actedOn, [...there, ...turn(3, taken("1", "2")), live(9_000), kept(3)]), [], "offered again");
  t.same(found(actedOn, [...there, live(4_000), kept(2)]), [], "it has not had the time");
  t.same(found(actedOn, [...there, live(9_000, { incarnation: "i2" }), kept(2)]), [], "another history is there");
  t.same(found(actedOn, [...there, kept(2)]), [], "nobody hosts it");
  t.same(found(actedOn, [...there, live(9_000, { run: 7 }), kept(2)]), [], "a run that nobody knows");
  t.end();
});

test("S2, S3, S7. what a step asked for and its turn does not have is a finding", (t) => {
  const send: Wish = { kind: "send", receiver: "t/list/two", type: "list.add" };
  const timer = { timer: "tick", actor: LIST, incarnation: 1 } as const;
  const sent = (seq: number): readonly [string, unknown] => [`t/list/two ${String(seq)}`, { receiver: "t/list/two", seq, event: { type: "list.add" } }];
  const none = { timers: [["1:tick"]] } as const;
  const before = turn(1, { inputs: [message("a")], rest: { timers: [["1:tick", { generation: 1 }]] } });
  const cases: readonly (readonly [number, string, Turn])[] = [
    [0, "nothing", { wishes: [] }],
    [0, "sent twice", { wishes: [send, send], rest: { outbox: [sent(1), sent(2)] } }],
    [1, "sent once", { wishes: [send, send], rest: { outbox: [sent(1), ["t/list/two 0"]] } }],
    [0, "performed", { wishes: [{ kind: "perform", name: "ring" }], rest: { pending: [["k", { name: "ring" }]] } }],
    [1, "not performed", { wishes: [{ kind: "perform", name: "ring" }], rest: { pending: [["k", { name: "light" }]] } }],
    [0, "armed anew", { wishes: [{ kind: "arm", ...timer }], rest: { timers: [["1:tick", { generation: 2 }]] } }],
    [1, "left as it was armed", { wishes: [{ kind: "arm", ...timer }] }],
    [0, "cancelled", { wishes: [{ kind: "cancel", ...timer }], rest: none }],
    [1, "still armed", { wishes: [{ kind: "cancel", ...timer }] }],
    [0, "cancelled what is not armed", { wishes: [{ kind: "cancel", ...timer, timer: "tock" }] }],
    [
      0,
      "armed, then cancelled",
      {
        wishes: [
          { kind: "arm", ...timer },
          { kind: "cancel", ...timer },
        ],
        rest: none,
      },
    ],
    [
      1,
      "cancelled, then armed, and not armed",
      {
        wishes: [
          { kind: "cancel", ...timer },
          { kind: "arm", ...timer },
        ],
        rest: none,
      },
    ],
    [0, "its actor has ended", { wishes: [{ kind: "arm", ...timer }], cells: [{ ...(cell(null) as object), status: "done" }] }],
    [0, "its input came to nothing", { wishes: [send], inputs: [message("b")], results: ["faulted"] }],
    [0, "an upgrade", { wishes: [send], inputs: [{ kind: "upgrade" }] }],
  ];
  for (const [count, what, second] of cases) t.equal(found(askedFor, [...before, ...turn(2, second), kept(2)]).length, count, what);
  t.end();
});

test("M2. an outcome that goes before it expires, and a message that is taken after it has expired, are findings", (t) => {
  const taken = (expiresAt: number, id = "a"): readonly Fact[] => turn(1, { inputs: [message(id)], rest: { taken: [[id, { id, expiresAt }]] } });
  const forgotten = (id = "a"): readonly Fact[] => turn(2, { inputs: [message("b")], rest: { taken: [[id]] } });
  t.same(found(outcomesKept, [...taken(1_500), ...forgotten(), kept(2)]), ["t/list/one has forgotten a 500 ms before it expires"]);
  t.same(found(outcomesKept, [...taken(1_000), ...forgotten(), kept(2)]), []);
  t.same(found(outcomesKept, [...taken(1_500, "dead-letter.x"), ...forgotten("dead-letter.x"), kept(2)]), [], "sent again, and judged anew");

  const late = (expiresAt: number): unknown => ({ kind: "message", to: LIST, event: { type: "list.add" }, sender: { kind: "outside", id: "a", author: "ann", expiresAt } });
  t.same(found(actedOn, [...turn(1, { inputs: [late(900)] }), kept(1)]), ["a to t/list/one (list.add) was taken 100 ms after it had expired"]);
  t.same(found(actedOn, [...turn(1, { inputs: [late(1_001)] }), kept(1)]), []);
  const waits = turn(1, { inputs: [message("b")], rest: { shelf: [["1", { input: late(900) }]] } });
  t.equal(found(actedOn, [...waits, ...turn(2, { inputs: [off("1")], rest: { shelf: [["1"]] } }), kept(2)]).length, 1, "from the shelf");
  t.end();
});

test("K1. of equal deadlines the one that was armed later and fires first is a finding", (t) => {
  const due = (name: string, generation: number, dueAt = 500, clock = "elapsed"): readonly [string, unknown] => [name, { name, generation, due: dueAt, clock, owner: LIST }];
  const fires = (timer: string, generation: number): unknown => ({ kind: "timer", timer, generation });
  const armed = turn(1, { inputs: [message("a")], rest: { timers: [due("x", 1), due("y", 2), due("later", 3, 900), due("wall", 4, 500, "wall")] } });
  const gone = (...names: readonly string[]): NonNullable<Turn["rest"]> => ({ timers: names.map((name) => [name] as const) });
  const cases: readonly (readonly [number, string, readonly Fact[]])[] = [
    [0, "in their order", turn(2, { inputs: [fires("x", 1), fires("y", 2)], rest: gone("x", "y") })],
    [1, "not in their order", turn(2, { inputs: [fires("y", 2), fires("x", 1)], rest: gone("x", "y") })],
    [1, "in two turns", [...turn(2, { inputs: [fires("y", 2)], rest: gone("y") }), ...turn(3, { inputs: [fires("x", 1)], rest: gone("x") })]],
    [0, "other deadlines, other clocks", turn(2, { inputs: [fires("wall", 4), fires("x", 1), fires("later", 3)], rest: gone("wall", "x", "later") })],
    [0, "taken back before it", turn(2, { inputs: [message("b"), fires("y", 2)], rest: gone("x", "y") })],
    [0, "armed anew before it", turn(2, { inputs: [message("b"), fires("y", 2)], rest: { timers: [["y"], due("x", 9)] } })],
    [0, "armed anew for the same time", [...turn(2, { rest: { timers: [due("x", 9)] } }), ...turn(3, { inputs: [fires("y", 2)], rest: gone("y") })]],
    [0, "it made its actor fail", [...turn(2, { inputs: [fires("x", 1)], results: ["faulted"] }), ...turn(3, { inputs: [fires("y", 2)], rest: gone("y") })]],
    [0, "it ended a process", [...turn(2, { inputs: [{ kind: "attempt", of: fires("x", 1) }] }), ...turn(3, { inputs: [fires("y", 2)], rest: gone("y") })]],
    [0, "it does not fire", turn(2, { inputs: [fires("y", 2)], results: ["dropped"] })],
    [0, "another history", [...turn(1, { inputs: [fires("y", 2)], incarnation: "i2" }), kept(1, "i2")]],
  ];
  for (const [count, what, facts] of cases)
    t.equal(found(timersInOrder, [...armed, ...facts, ...(facts.some(({ kind }) => kind === "kept") ? [] : [kept(3)])]).length, count, what);
  t.end();
});

const HOUR_MS = 3_600_000;
const EVERY_MS = 60_000;

/** A timer that keeps a rhythm of a minute, armed at 1,000; the stamp of all turns is that. */
const rhythm = (generation: number, due: number): readonly [string, unknown] => [
  "x",
  { name: "x", generation, due, clock: "wall", owner: LIST, rhythm: { every: EVERY_MS, atMost: 0, late: 0 } },
];
const beats = (...[generation, missed]: readonly [number, true?]): unknown => ({ kind: "timer", timer: "x", generation, ...(missed === undefined ? {} : { missed }) });
/** By the second run its wall clock was set back to nothing. */
const setBack = (untilMs: number): readonly Fact[] => [
  { ...node("killed", 1, 10_000), wallMs: HOUR_MS } as Fact,
  { ...node("starting", 2, 20_000), wallMs: 1_000 } as Fact,
  { ...node("started", 2, 20_000), wallMs: 1_000 } as Fact,
  { ...node("killed", 2, untilMs), wallMs: untilMs - 19_000 } as Fact,
];

test("S7, K1. a rhythm that stays silent where the clock was set back is a finding, and one that is put right is none", (t) => {
  const before = [node("starting"), node("started"), ...turn(1, { inputs: [message("a")], rest: { timers: [rhythm(1, HOUR_MS)] } })];
  const inSecond = (given: Turn): readonly Fact[] => turn(2, { ...given, run: 2 }).map((fact) => ({ ...fact, atMs: 20_000 }));
  const putRight = (due: number): readonly Fact[] => inSecond({ inputs: [beats(1, true)], rest: { timers: [rhythm(2, due)] } });
  t.same(found(timersInTime, [...before, ...setBack(20_000 + EVERY_MS)]), [], "within a period");
  t.match(found(timersInTime, [...before, ...setBack(20_000 + 2 * EVERY_MS)]), [/^the timer x of t\/list\/one was due for \d+ ms while its owner was there and has not fired$/]);
  t.same(found(timersInTime, [...before, ...setBack(20_000 + EVERY_MS), ...putRight(EVERY_MS)]), []);
  t.match(
    found(timersInTime, [...before, ...setBack(20_000 + EVERY_MS), ...inSecond({ inputs: [beats(1)], rest: { timers: [["x"]] } })]),
    [/before it was due$/],
    "nor does it fire for that",
  );

  const own = [node("starting", 2), node("started", 2), ...before.slice(2)];
  t.same(found(timersByPolicy, [...own, ...putRight(EVERY_MS)]), []);
  t.match(found(timersByPolicy, [...own, ...putRight(EVERY_MS + 2_000)]), [/was armed more than a period before$/]);
  const near = turn(1, { inputs: [message("a")], rest: { timers: [rhythm(1, 1_000 + EVERY_MS)] }, run: 2 });
  t.match(
    found(timersByPolicy, [node("starting", 2), node("started", 2), ...near, ...putRight(1_000 + EVERY_MS)]),
    [/was skipped, and its time was watched$/],
    "no clock was set back",
  );
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
