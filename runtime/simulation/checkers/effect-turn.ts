// Of which turn an effect is, as its key says: `ADDRESS#INCARNATION.REVISION.INDEX`.

import type { EffectFact } from "../history.ts";

export interface EffectTurn {
  readonly entity: string;
  readonly incarnation: string;
  readonly revision: string;
}

export function turnOf({ actor, key }: EffectFact): EffectTurn {
  const [incarnation = "", revision = ""] = key.slice(key.lastIndexOf("#") + 1).split(".");
  return { entity: actor.split("/").slice(0, 3).join("/"), incarnation, revision };
}
