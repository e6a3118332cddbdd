// How many values each node may keep at the broker. What exceeds it is passed on but not kept, and counted.

export interface RetainedLimits {
  readonly maxKeys: number;
  readonly maxBytes: number;
}

export class RetainedBudget {
  readonly #byNode = new Map<string, { readonly bytes: Map<string, number>; total: number }>();

  /** True when the value may be kept; an empty one frees its place. */
  admits(node: string, topic: string, bytes: number, limits: RetainedLimits): boolean {
    const kept = this.#byNode.get(node) ?? { bytes: new Map<string, number>(), total: 0 };
    this.#byNode.set(node, kept);
    const before = kept.bytes.get(topic);
    if (bytes === 0) {
      kept.bytes.delete(topic);
      kept.total -= before ?? 0;
      return true;
    }
    const total = kept.total - (before ?? 0) + bytes;
    if (total > limits.maxBytes || (before === undefined && kept.bytes.size >= limits.maxKeys)) return false;
    kept.bytes.set(topic, bytes);
    kept.total = total;
    return true;
  }
}
