// A history that has parted from what others hold of it goes on as a new incarnation (rules T1): the copy that runs came back from an older store, and its former turns are known elsewhere.
//
// K1. The turn that opens it is the first record of the new incarnation, and links to the record that it goes on from. State, timers, asks, kept outcomes and children stay as they are: their
//     names do not count on the incarnation, and the keys of effects and asks stay different, since revisions go on.
// K2. Messages that wait in the outbox keep the incarnation under which they were numbered, and go first; new ones are numbered from 1. So a receiver takes each of them once (rules M1).

import type { Input, InputResult, OutboxRow } from "./contract.ts";
import type { Interior } from "./interior.ts";
import { rowKey } from "./outward.ts";

export function fork(interior: Interior, { as, left, known }: Extract<Input, { kind: "forked" }>): InputResult {
  const { incarnation, revision, stamp, rest } = interior;
  if (incarnation !== left) return { kind: "dropped", reason: `incarnation ${left} was left before` };
  const nth = (interior.fork?.nth ?? 0) + 1;
  interior.setFork({ as, left: { incarnation, revision }, known, at: stamp.now, nth });
  // K2.
  const under: OutboxRow["under"] = { incarnation, nth };
  for (const [key, row] of [...rest.entries("outbox")]) {
    if (row.under !== undefined) continue;
    rest.delete("outbox", key);
    rest.put("outbox", rowKey(row.receiver, row.seq, incarnation), { ...row, under });
  }
  for (const [receiver] of [...rest.entries("lines")]) rest.delete("lines", receiver);
  interior.effects.push({ kind: "forked", under });
  return { kind: "accepted" };
}
