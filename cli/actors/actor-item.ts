// An actor as the API shows it, as far as people's tables need it. Everything else of the answer is passed on in --json.

export interface ActorItem {
  readonly address: string;
  readonly kind: string;
  readonly state: unknown;
  readonly status?: string;
  readonly revision: number;
  readonly owner?: { readonly node: string };
  /** Of an entity in a list that is not in memory: not told, as its state. */
  readonly asOf?: number;
  /** Of one actor: why its entity is not in memory. */
  readonly absent?: string;
  readonly staleMs?: number | null;
  readonly presence?: unknown;
  readonly [member: string]: unknown;
}

/** `motion.moving health.ok`; `–` for an actor without states. */
export function stateText(state: unknown): string {
  const leaves = leavesOf(state);
  return leaves.length === 0 ? "–" : leaves.join(" ");
}

function leavesOf(state: unknown, above = ""): readonly string[] {
  if (typeof state === "string") return [`${above}${state}`];
  if (typeof state !== "object" || state === null) return [];
  return Object.entries(state).flatMap(([key, inner]) => {
    const leaves = leavesOf(inner, `${above}${key}.`);
    return leaves.length === 0 ? [`${above}${key}`] : leaves;
  });
}
