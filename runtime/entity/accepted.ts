// What a cell's state takes, by its actor's protocol, before guards (hosting A1).

import { DroverError } from "../errors.ts";
import { acceptsOf, type LogicSnapshot } from "../xstate/index.ts";
import type { Cell } from "./cell.ts";

export function acceptedBy(cell: Cell, snapshot: LogicSnapshot = cell.snapshot): readonly string[] {
  if (snapshot.status !== "active") return [];
  const { types } = cell.plan.actor.messages;
  const { logic } = cell.plan;
  const words = logic.kind === "machine" && "_nodes" in snapshot ? acceptsOf(logic.machine, snapshot._nodes as never[], types) : types;
  const { offers } = cell.plan.actor;
  return offers === undefined || !("context" in snapshot) ? words : textsOf(offers(words, snapshot.context as never));
}

/** They stand in records and answers. @throws DROVER_DATA_NOT_KEPT */
function textsOf(offered: unknown): readonly string[] {
  if (Array.isArray(offered) && offered.every((word) => typeof word === "string")) return offered;
  throw new DroverError("DROVER_DATA_NOT_KEPT", "what the actor type offers is no list of texts");
}
