// A story of the corpus: an entity type, and a life of an entity of it from which its journal is recorded. A life is told once; what replays it needs the type alone.

import type { Address } from "../../runtime/address.ts";
import type { EntityType } from "../../runtime/actor/index.ts";
import { decodeRecord, encodeState, restoreEntity } from "../../runtime/entity/index.ts";
import type { EntityState } from "../../runtime/entity/contract.ts";
import { hashOf } from "../../runtime/entity/state-hash.ts";
import { typeAt, versionsOf } from "../../runtime/entity/versions.ts";
import type { EntityHost } from "../runtime/entity-host.ts";
import type { CorpusJournal } from "./journal-file.ts";

export interface Story {
  readonly name: string;
  readonly type: EntityType;
}

export interface Life {
  readonly story: string;
  readonly entity: Address;
  readonly records: readonly Uint8Array[];
}

export interface StoryGroup {
  /** Of its file. */
  readonly name: string;
  readonly stories: readonly Story[];
  /** Lives all of them; more than one entity may have lived a story. */
  live(): Promise<readonly Life[]>;
}

/** A story that one entity lives by itself, in the test's own host. */
export interface HostedStory extends Story {
  live(): EntityHost | Promise<EntityHost>;
}

export function hostedGroup(name: string, stories: readonly HostedStory[]): StoryGroup {
  return {
    name,
    stories,
    live: async () => {
      const lives: Life[] = [];
      for (const story of stories) {
        const { address, records, differences } = await story.live();
        if (differences.length > 0) throw new Error(`${story.name} does not come out the same twice: ${differences.join("; ")}`);
        lives.push({ story: story.name, entity: address, records });
      }
      return lives;
    },
  };
}

/** With the state after each turn, and a snapshot of the middle. */
export function journalOf({ type }: Story, { story, entity, records }: Life): CorpusJournal {
  const half = Math.ceil(records.length / 2);
  let state: EntityState | undefined;
  let snapshot: CorpusJournal["snapshot"] | undefined;
  const turns = records.map((bytes, index) => {
    const record = decodeRecord(bytes);
    const then = typeAt(type, { ...(state === undefined ? {} : versionsOf(state)), ...record.versions }) ?? type;
    const restored = restoreEntity(then, entity, { snapshot: state, records: [record] });
    const [divergence] = restored.divergences;
    if (divergence !== undefined) throw new Error(`${story}, revision ${String(record.revision)} does not replay where it was made: ${divergence.reason}`);
    state = restored.entity.state();
    if (index + 1 === half) snapshot = encodeState(state);
    return { record: bytes, hash: hashOf(state) };
  });
  if (snapshot === undefined) throw new Error(`${story} has no turns`);
  return { story, entity, turns, snapshot };
}
