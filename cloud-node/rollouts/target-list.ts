// Targets of a rollout, a page at a time, in the order in which they are offered.

import { phasesIn, targetId } from "../../actors/index.ts";
import type { KnownRollout, RolloutBook } from "./rollout-book.ts";

export interface TargetQuery {
  readonly group: string | undefined;
  readonly state: string | undefined;
  /** Place in the order of all; those before it are left out. */
  readonly after: number;
  readonly limit: number;
}

export interface TargetPage {
  readonly items: readonly object[];
  /** Place of the first that is not in this page; undefined at the end. */
  readonly next: number | undefined;
}

export function targetPage({ context }: KnownRollout, book: Pick<RolloutBook, "part" | "target">, { group, state, after, limit }: TargetQuery): TargetPage {
  const items: object[] = [];
  let place = 0;
  for (const each of context.groups)
    for (const address of each.parts) {
      const size = context.parts[address]?.size ?? 0;
      if (place + size <= after || (group !== undefined && each.name !== group)) {
        place += size;
        continue;
      }
      const part = book.part(address);
      for (const [index, phase] of phasesIn(part?.phases ?? "").entries()) {
        const at = place + index;
        if (at < after || (state !== undefined && phase !== state)) continue;
        if (items.length === limit) return { items, next: at };
        const own = book.target(address, index);
        const { why = null, module = null, update = null, progress = null, attempt = 0, heardAt = null, endedAt = null } = own ?? {};
        items.push({
          vehicle: own?.vehicle,
          address: `${address}/target/${targetId(index)}`,
          group: each.name,
          state: phase,
          why,
          module,
          update,
          progress,
          attempt,
          heardAt,
          endedAt,
          updates: (own?.updates ?? []).map(({ module: name, version, sha256 }) => ({ module: name, version, sha256 })),
        });
      }
      place += size;
    }
  return { items, next: undefined };
}
