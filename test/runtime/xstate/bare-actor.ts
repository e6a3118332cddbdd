// Bare XState as comparisons need it: a clock that goes from deadline to deadline, and a whole configuration as plain data.

/** Fires in the order of due times, equal ones in the order of arming; XState's simulated clock leaves that open. */
export class OrderedClock {
  #now = 0;
  #next = 0;
  readonly #armed = new Map<number, { readonly due: number; readonly run: () => void }>();

  setTimeout(run: () => void, delay: number): number {
    this.#armed.set(++this.#next, { due: this.#now + delay, run });
    return this.#next;
  }

  clearTimeout(id: number): void {
    this.#armed.delete(id);
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#armed].filter(([, timer]) => timer.due <= end).sort(([a, x], [b, y]) => x.due - y.due || a - b)[0];
      if (due === undefined) break;
      this.#armed.delete(due[0]);
      this.#now = Math.max(this.#now, due[1].due);
      due[1].run();
    }
    this.#now = end;
  }
}

export interface Shown {
  readonly status: string;
  readonly value?: unknown;
  readonly context?: unknown;
  readonly output?: unknown;
  readonly children?: Readonly<Record<string, { getSnapshot(): Shown }>>;
  readonly _nodes?: readonly { readonly id: string; readonly type: string }[];
  readonly historyValue?: Readonly<Record<string, readonly { readonly id: string }[]>>;
  readonly tags?: ReadonlySet<string>;
}

/** States, the order of those that decide between conflicting transitions, context without refs, history, and all that below it. */
export function show(snapshot: Shown): unknown {
  return {
    status: snapshot.status,
    value: snapshot.value,
    order: snapshot._nodes
      ?.filter((node) => node.type === "atomic" || node.type === "final")
      .map((node) => node.id)
      .join(" "),
    context: withoutRefs(snapshot.context),
    output: snapshot.output,
    history: Object.fromEntries(Object.entries(snapshot.historyValue ?? {}).map(([id, nodes]) => [id, nodes.map((node) => node.id)])),
    children: snapshot.status === "active" ? Object.fromEntries(Object.entries(snapshot.children ?? {}).map(([id, child]) => [id, show(child.getSnapshot())])) : {},
  };
}

function withoutRefs(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("send" in value) return `ref ${(value as unknown as { readonly id: string }).id}`;
  if (Array.isArray(value)) return value.map(withoutRefs);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutRefs(item)]));
}

/** XState may enter a state twice without leaving it, and then its `after` is armed twice (named difference N4). @returns whether that has happened */
export function watchArming(system: object): () => boolean {
  const { scheduler, getSnapshot } = system as unknown as {
    readonly scheduler: { schedule: (source: { readonly sessionId: string }, target: unknown, event: unknown, delay: number, id?: string) => void };
    readonly getSnapshot: () => { readonly _scheduledEvents: object };
  };
  const { schedule } = scheduler;
  let found = false;
  scheduler.schedule = (source, target, event, delay, id) => {
    found ||= id !== undefined && Object.hasOwn(getSnapshot()._scheduledEvents, `${source.sessionId}.${id}`);
    schedule(source, target, event, delay, id);
  };
  return () => found;
}
