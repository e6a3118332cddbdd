// What the turns of a rollout's actors say, in the order in which their stores took them: whose state became what, and which messages and timers were taken. For checkers that judge the history.

import type { CellRecord } from "../../../runtime/index.ts";
import type { CommittedTurn, Evidence } from "../../../runtime/simulation/index.ts";

type Input = CommittedTurn["record"]["inputs"][number];
type Message = Extract<Input, { readonly kind: "message" }>;

/** A turn of one of its entities, of a history that stands: what a power cut took from a store was taken by no turn. */
export interface ToldTurn {
  readonly atMs: number;
  readonly entity: string;
  /** By address, of the cells that changed. */
  readonly cells: ReadonlyMap<string, CellRecord>;
  /** Accepted messages, by their type. */
  readonly taken: readonly Message["event"][];
  /** Addresses of actors whose timers have fired, with their names. */
  readonly fired: readonly { readonly actor: string; readonly timer: string }[];
}

export function* toldTurns({ turns }: Pick<Evidence, "turns">, isMeant: (entity: string) => boolean): Generator<ToldTurn> {
  /** Actors by the incarnations that their timers name. */
  const actors = new Map<string, string>();
  for (const { atMs, entity, record } of turns) {
    if (!isMeant(entity)) continue;
    const cells = new Map(record.outcome.cells.map((cell) => [cell.address as string, cell]));
    for (const [address, { incarnation }] of cells) actors.set(`${entity} ${String(incarnation)}`, address);
    const taken: Message["event"][] = [];
    const fired: ToldTurn["fired"][number][] = [];
    record.inputs.forEach((input, index) => {
      if (record.results[index]?.kind !== "accepted") return;
      if (input.kind === "message") taken.push(input.event);
      if (input.kind === "timer") {
        const [incarnation = ""] = input.timer.split(":");
        fired.push({ actor: actors.get(`${entity} ${incarnation}`) ?? "", timer: input.timer });
      }
    });
    yield { atMs, entity, cells, taken, fired };
  }
}
