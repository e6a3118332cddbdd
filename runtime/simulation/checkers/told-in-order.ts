// M1, S5. What one sender outside tells one actor on one node is acted on in the order of telling (system/mailbox.ts B3): gaps are allowed, swaps are not.
//
// T1. Of one lane, in one run, of one author, to one actor: `control` overtakes, other nodes and other runs have a mailbox of their own. Which may create their entity wait for its
//     beginning, outside of its mailbox: the others may come before them.
// T2. One that was sent once. A repetition under the same id has its place behind what was said meanwhile; so has one that made its actor fail and was stepped again.
// T3. One that was shelved is acted on when it comes back from the shelf. One that is postponed has had its turn: it counts from there.
// T4. What is sent to a process that is paused waits before its door, not in a mailbox.

import { entityOf, parseAddress } from "../../address.ts";
import type { Input, InputResult } from "../../entity/contract.ts";
import type { History } from "../history.ts";
import { rowsOf } from "../open-work.ts";
import type { CommittedTurn, Evidence } from "./evidence.ts";

type Message = Extract<Input, { kind: "message" }>;

/** How it entered a node. */
interface Entry {
  /** Its place in the history. */
  readonly at: number;
  readonly node: string;
  readonly run: number;
  readonly creates: boolean;
}

export function toldInOrder(evidence: Evidence): readonly { readonly atMs: number; readonly what: string }[] {
  const entries = enteredOnce(evidence.history);
  const laneOf = lanes(evidence);
  const shelved = new Map<string, Message>();
  const failed = new Set<string>();
  const newest = new Map<string, { readonly at: number; readonly id: string }>();
  const found: { atMs: number; what: string }[] = [];
  for (const turn of evidence.turns) {
    const { atMs, store, node, run, entity, incarnation, record } = turn;
    for (const [number, value] of rowsOf(record, "shelf"))
      if (value !== undefined) shelved.set(`${store} ${entity} ${incarnation} ${number}`, (value as { readonly input: Message }).input);
    record.inputs.forEach((input, index) => {
      const message = messageOf(input, turn, shelved);
      if (message?.sender.kind !== "outside") return;
      const { to, event, sender } = message;
      const { id, author } = sender;
      if (input.kind === "attempt" || record.results[index]?.kind === "faulted") failed.add(`${entity} ${id}`);
      if (!isActedOn(input, record.results[index]) || failed.has(`${entity} ${id}`)) return;
      const entry = entries.get(`${entity} ${id}`);
      if (entry?.node !== node || entry.run !== run) return;
      const line = `${store} ${incarnation} ${node} ${String(run)} ${to} ${laneOf(store, entity, event.type)} ${String(entry.creates)} ${author}`;
      const before = newest.get(line);
      if (before === undefined || before.at < entry.at) newest.set(line, { at: entry.at, id });
      else found.push({ atMs, what: `${to} took ${id} (${event.type}) after ${before.id}, which the same sender had told it later` });
    });
  }
  return found;
}

/** T2, T4. By entity and id; undefined where its order is nobody's promise. */
function enteredOnce(history: History): ReadonlyMap<string, Entry | undefined> {
  const entries = new Map<string, Entry | undefined>();
  const runs = new Map<string, number>();
  const paused = new Set<string>();
  history.forEach((fact, at) => {
    if (fact.kind === "node") {
      if (fact.what === "starting") runs.set(fact.node, fact.run);
      if (fact.what === "paused") paused.add(fact.node);
      else if (fact.run === runs.get(fact.node)) paused.delete(fact.node);
    } else if (fact.kind === "sent") {
      const message = `${entityOf(parseAddress(fact.to))} ${fact.id}`;
      const run = runs.get(fact.node);
      entries.set(message, entries.has(message) || run === undefined || paused.has(fact.node) ? undefined : { at, node: fact.node, run, creates: fact.creates === true });
    }
  });
  return entries;
}

/** T1. Where versions or actor types of an entity differ in it, each type of message is a lane of its own. */
function lanes({ typeAt }: Evidence): (store: string, entity: string, type: string) => string {
  const known = new Map<string, string>();
  return (store, entity, type) => {
    const kind = entity.split("/")[1] ?? "";
    const key = `${store} ${kind} ${type}`;
    let lane = known.get(key);
    if (lane === undefined) {
      const members = [...(typeAt(store, kind)?.types.values() ?? [])].flatMap((member) => [member, ...member.earlier]);
      const of = new Set(members.flatMap(({ messages }) => messages.specOf(type) ?? []).map((spec) => spec.lane ?? "user"));
      const [only] = of;
      known.set(key, (lane = only !== undefined && of.size === 1 ? only : `of ${type}`));
    }
    return lane;
  };
}

/** T3. */
function messageOf(input: Input, { store, entity, incarnation }: CommittedTurn, shelved: ReadonlyMap<string, Message>): Message | undefined {
  const meant = input.kind === "attempt" ? input.of : input;
  if (meant.kind === "message") return meant;
  return meant.kind === "shelved" ? shelved.get(`${store} ${entity} ${incarnation} ${meant.key}`) : undefined;
}

/** T3. */
function isActedOn(input: Input, result: InputResult | undefined): boolean {
  return result?.kind === "accepted" && (input.kind === "shelved" || (input.kind === "message" && input.shelve === undefined));
}
