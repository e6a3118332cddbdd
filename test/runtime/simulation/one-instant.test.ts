// Checkers where several things happen at one time: their places in the history tell what was first.

import { test } from "tap";
import type { JournalRecord } from "../../../runtime/entity/contract.ts";
import { evidenceOf } from "../../../runtime/simulation/checkers/evidence.ts";
import { noMeansNo } from "../../../runtime/simulation/checkers/no-means-no.ts";
import { sendersHear } from "../../../runtime/simulation/checkers/senders-hear.ts";
import type { Fact } from "../../../runtime/simulation/history.ts";

const LIST = "t/list/one";
const AT = { atMs: 5, node: "home", run: 1 };
const TURN = { ...AT, entity: LIST, incarnation: "i1", revision: 1 };
const record = {
  revision: 1,
  inputs: [{ kind: "message", sender: { kind: "outside", id: "add" } }],
  results: [{ kind: "accepted" }],
  outcome: { cells: [] },
} as unknown as JournalRecord;

const sent: Fact = { kind: "sent", atMs: 5, node: "home", id: "add", to: LIST, type: "list.add" };
const refused: Fact = { kind: "told", atMs: 5, node: "home", id: "add", to: LIST, outcome: { kind: "not-stored", reason: "epoch 2 is over" } };
const committed: readonly Fact[] = [
  { kind: "asked", ...TURN, epoch: 3, record, sums: { record: "" } },
  { kind: "written", ...TURN, store: "home" },
];
const kept: Fact = { kind: "kept", atMs: 9, store: "home", entity: LIST, type: "list", incarnation: "i1", revision: 1, records: [record], links: [] };

const found = (...history: readonly Fact[]): number => noMeansNo.check(evidenceOf(history, {}, 0)).length;

test("S3, M2. what is taken when it is repeated was truly not taken before, though both have one time", (t) => {
  t.equal(found(sent, refused, sent, ...committed, kept), 0);
  t.equal(found(sent, ...committed, refused, kept), 1, "it was taken, and told not to be");
  t.end();
});

const unheard: Fact = { kind: "told", atMs: 12_005, node: "home", id: "add", to: LIST, outcome: { kind: "unknown", reason: "the node did not answer in time" }, isUnheard: true };
const node = (what: "paused" | "resumed" | "replaced"): Fact => ({ kind: "node", ...AT, what, epoch: 1, wallMs: 0, store: "home" });
const unanswered = (...history: readonly Fact[]): number => sendersHear.check(evidenceOf(history, {}, 0)).length;

test("S5. who hears nothing by his deadline is a finding, unless the node was paused or replaced meanwhile", (t) => {
  t.equal(unanswered(sent, unheard), 1);
  t.equal(unanswered(node("paused"), node("resumed"), sent, unheard), 1);
  t.equal(unanswered(node("paused"), sent, unheard), 0);
  t.equal(unanswered(sent, { ...node("resumed"), atMs: 6 }, unheard), 0);
  t.equal(unanswered(sent, { ...node("replaced"), atMs: 6 }, sent, unheard), 0);
  t.end();
});
