// S9. Replay is exact: each journal, run again from its beginning by the registered types, comes to what was committed and to what the living entity held.

import { decodeState, encodeState, restoreEntity, typeAt as inVersions, type Versions } from "../../entity/index.ts";
import { parseAddress } from "../../address.ts";
import type { Checker } from "./evidence.ts";

export const replayExact: Checker = {
  name: "replay is exact",
  promise: "S9",
  check: ({ history, typeAt }) => {
    const found: { atMs: number; what: string }[] = [];
    const live = new Map(history.filter((fact) => fact.kind === "live").map((fact) => [`${fact.node} ${fact.entity} ${fact.incarnation}`, fact]));
    for (const { atMs, store, entity, type: name, incarnation, records, links } of history.filter((fact) => fact.kind === "kept")) {
      const newest = typeAt(store, name);
      // Of what was trimmed the beginning is not there any more; a replica is its owner's to replay.
      if (newest === undefined || records[0]?.revision !== 1) continue;
      // In the versions that were active at its end (rules T4).
      const type = inVersions(newest, Object.assign({}, ...records.map(({ versions }) => versions)) as Versions) ?? newest;
      const held = live.get(`${store} ${entity} ${incarnation}`);
      const { entity: again, divergences } = restoreEntity(type, parseAddress(entity), {
        incarnation,
        snapshot: undefined,
        records: records.filter(({ revision }) => revision <= (held?.revision ?? Number.POSITIVE_INFINITY)),
        links,
      });
      for (const { revision, reason } of divergences) found.push({ atMs, what: `${entity} r${String(revision)}: replay differs: ${reason}` });
      if (held === undefined || divergences.length > 0) continue;
      // Through the codec on both sides: what it carries is what is promised (rules R2).
      const replayed = Buffer.from(encodeState(decodeState(encodeState(again.state()))));
      if (!replayed.equals(encodeState(decodeState(held.state))))
        found.push({ atMs, what: `${entity} r${String(held.revision)}: its journal replays to another state than it held` });
    }
    return found;
  },
};
