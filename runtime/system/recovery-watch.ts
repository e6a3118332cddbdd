// The watch over a recovery: what authors wrote and a recovery runs has its name, and what hung its process twice is not run a third time (rules M4).
//
// R1. A recorded turn that hung when it was run again is not run: its committed outcome stands, as after one that threw, and the difference is told.
// R2. An upgrade that hung, or a check of a context, has failed, and the entity stays away as after one that threw. Another version, or another `migrate`, has a new chance.
// R3. Each input of a turn, and each actor of an upgrade, has the watchdog's whole time: a long journal does not hang.

import type { Address } from "../address.ts";
import type { EntityType } from "../actor/index.ts";
import { type RestoreGuide, upgradeCode } from "../entity/index.ts";
import type { StepWatch } from "../ports/index.ts";
import { nameOf, watched } from "./watched.ts";

/** undefined without a watch. */
export function recoveryWatch(watch: StepWatch | undefined, address: Address, type: EntityType): (RestoreGuide & { readonly ended: () => void }) | undefined {
  if (watch === undefined) return undefined;
  const replays = new Set<string>();
  const code = upgradeCode(type);
  return {
    replay: (entity, { incarnation, revision }, run) => {
      const key = `replay ${incarnation} ${String(revision)}`;
      const what = `replay of revision ${String(revision)}`;
      replays.add(key);
      return watched(watch, { entity: address, cell: address, what, key }, () =>
        run({
          begins: (input) => {
            const message = entity.messageOf(input);
            watch.stepping(address, message?.to ?? entity.cellOf(input), `${what}: ${message === undefined ? `(${input.kind})` : nameOf(message.event, message.sender)}`, key);
          },
          isOver: () => false,
        }),
      );
    },
    upgrade: (run) => {
      const key = `upgrade ${code}`;
      return watched(watch, { entity: address, cell: address, what: "upgrade", key }, () =>
        run((cell) => {
          watch.stepping(address, cell, "upgrade", key);
        }),
      );
    },
    check: (cell, run) => watched(watch, { entity: address, cell, what: "check of the context", key: `context ${cell} ${code}` }, run),
    ended: () => {
      // Versions that nobody runs any more, and turns that a snapshot has left behind.
      for (const { entity, key } of watch.hung) {
        if (entity !== address) continue;
        if (key.startsWith("upgrade ") || key.startsWith("context ") || (key.startsWith("replay ") && !replays.has(key))) watch.settled(entity, key);
      }
    },
  };
}
