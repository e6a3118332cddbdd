// Whether this node can hear anybody, told to the groups of its rollouts: while it has no link to the bus no silence counts (actors/group/part.ts P5).

import type { Address, System } from "../../runtime/index.ts";
import { isOver, type RolloutBook } from "./rollout-book.ts";

/** @param isHearing whether the link to the bus stands */
export function tellHearing(book: Pick<RolloutBook, "all">, system: Pick<System, "inform">, isHearing: boolean): void {
  for (const rollout of book.all())
    if (!isOver(rollout)) for (const part of Object.keys(rollout.context.parts)) void system.inform(part as Address, { type: isHearing ? "group.hears" : "group.deaf" });
}
