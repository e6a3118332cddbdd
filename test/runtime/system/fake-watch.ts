// A watch over steps that ends nothing: it notes what runs under which name, and says what a test says hung before.

import type { Beginning, CodeOf, HungStep, StepWatch } from "../../../runtime/ports/index.ts";

interface Name {
  readonly cell: string;
  readonly what: string;
  readonly key: string;
}

export class FakeWatch implements StepWatch {
  /** What runs now, as the crash file would name it. */
  current: Name | undefined;
  /** All that ran outside of turns. */
  readonly worked: Name[] = [];
  /** All that was stepped. */
  readonly stepped: Name[] = [];
  hung: HungStep[] = [];
  idleDeaths: number[] = [];
  #codeOf: CodeOf = () => undefined;

  /** @param keys of what hung, once for each time */
  constructor(entity: string, ...keys: readonly string[]) {
    for (const key of keys) this.hang(entity, key);
  }

  hang(entity: string, key: string): void {
    this.hung.push({ at: 0, entity, cell: entity, what: "what hung", key });
  }

  /** A process ended in it, under the code that the entity has in the system that began last. */
  die(entity: string, key: string, { at, how }: Pick<HungStep, "at" | "how">): void {
    const code = this.#codeOf(entity);
    this.hung.push({ at, entity, cell: entity, what: `work ${key}`, key, ...(how === undefined ? {} : { how }), ...(code === undefined ? {} : { code }) });
  }

  begin(codeOf: CodeOf = () => undefined): Beginning {
    this.#codeOf = codeOf;
    return {};
  }

  stepping(_entity: string, cell: string, what: string, key: string): void {
    this.current = { cell, what, key };
    this.stepped.push(this.current);
  }

  idle(): void {
    this.current = undefined;
  }

  within<V>(_entity: string, cell: string, what: string, key: string, run: () => V): V {
    const outer = this.current;
    this.current = { cell, what, key };
    this.worked.push(this.current);
    try {
      return run();
    } finally {
      this.current = outer;
    }
  }

  settled(entity: string, key: string): void {
    this.hung = this.hung.filter((each) => each.entity !== entity || each.key !== key);
  }
}
