// A journal of the corpus run again, in each way that a recovery may go (rules R1, R2, H2; promise S9).
//
// P1. From its beginning, from its snapshot, and turn by turn with the state through its stored form between: no turn comes out otherwise, no sender would hear anything else.
// P2. The state after each turn has the hash that was recorded for it.
// P3. A record is run by the versions that made it. One that is not registered any more is told: a journal names it (rules T4).

import type { EntityType } from "../../runtime/actor/index.ts";
import type { EntityState, Turn } from "../../runtime/entity/contract.ts";
import { decodeRecord, decodeState, difference, encodeState, type RestoreGuide, restoreEntity } from "../../runtime/entity/index.ts";
import type { HostedEntity } from "../../runtime/entity/entity.ts";
import { hashOf } from "../../runtime/entity/state-hash.ts";
import type { TurnGuide } from "../../runtime/entity/turn.ts";
import { typeAt, versionsOf } from "../../runtime/entity/versions.ts";
import { decodeData } from "../../runtime/xstate/index.ts";
import type { CorpusJournal } from "./journal-file.ts";

/** @returns what came out otherwise, in words; none: it replays. */
export function problemsOf(type: EntityType, journal: CorpusJournal): readonly string[] {
  const problems: string[] = [];
  const records = journal.turns.map(({ record }) => decodeRecord(record));
  const { entity } = journal;
  let state: EntityState | undefined;
  let last = type;
  for (const [index, record] of records.entries()) {
    const at = `revision ${String(record.revision)}`;
    const then = typeAt(type, { ...(state === undefined ? {} : versionsOf(state)), ...record.versions });
    if (then === undefined) return [...problems, `${at} was made by versions that are not registered: ${JSON.stringify(record.versions)}`];
    const restored = restoreEntity(
      then,
      entity,
      { snapshot: state, records: [record] },
      undefined,
      hearing((said) => problems.push(`${at}, said to senders${said}`)),
    );
    for (const { reason } of restored.divergences) problems.push(`${at}, turn by turn: ${reason}`);
    state = decodeState(encodeState(restored.entity.state()));
    const hash = hashOf(state);
    const expected = journal.turns[index]?.hash;
    if (hash.cells !== expected?.cells || hash.rest !== expected.rest) problems.push(`${at} has the state ${JSON.stringify(hash)}, recorded is ${JSON.stringify(expected)}`);
    last = then;
  }
  const snapshot = decodeState(journal.snapshot);
  const ways = {
    "from its beginning": { snapshot: undefined, records },
    "from its snapshot": { snapshot, records: records.filter(({ revision }) => revision > snapshot.revision) },
  };
  for (const [way, stored] of Object.entries(ways)) {
    const restored = restoreEntity(last, entity, stored);
    for (const { revision, reason } of restored.divergences) problems.push(`revision ${String(revision)}, ${way}: ${reason}`);
    const differs = difference(state, decodeState(encodeState(restored.entity.state())), "");
    if (differs !== undefined) problems.push(`${way} it comes to another state: ${differs}`);
  }
  return problems;
}

const unguided: TurnGuide = { begins: () => undefined, isOver: () => false };

/** @param otherwise where what senders would hear now differs from what they heard */
function hearing(otherwise: (said: string) => void): RestoreGuide {
  return {
    replay: (entity, record, run) => {
      const turn = run(unguided);
      const differs = difference(decodeData(record.results, (entity as HostedEntity).interior), (turn as Turn).results, "");
      if (differs !== undefined) otherwise(differs);
      return turn;
    },
    upgrade: (run) => run(() => undefined),
    check: (_cell, run) => run(),
  };
}
