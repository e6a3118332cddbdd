// The watch over steps as a simulated node has it: what is under way is kept beside the process, as a file is, and names what a process was in that ended itself (rules M4).
// Nothing hangs here: simulated time stands still in a step.

import type { CodeOf, HungStep, StepWatch } from "../ports/index.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

/** What outlives the processes of a node. */
export class KeptSteps {
  underWay: HungStep | undefined;
  hung: readonly HungStep[] = [];
}

export function simulatedStepWatch(process: SimulatedProcess, kept: KeptSteps): StepWatch {
  const { clock } = process;
  let codeOf: CodeOf = () => undefined;
  /** Of a process that has ended, what still unwinds writes nothing. */
  function write(underWay: HungStep | undefined): void {
    if (process.isAlive) kept.underWay = underWay;
  }
  function stepping(entity: string, cell: string, what: string, key: string): void {
    const code = codeOf(entity);
    write({ at: clock.now(), entity, cell, what, key, how: "ended", ...(code === undefined ? {} : { code }) });
  }
  return {
    begin: (given = codeOf) => {
      codeOf = given;
      const ended = kept.underWay;
      write(undefined);
      if (ended !== undefined) kept.hung = [...kept.hung, ended];
      return ended === undefined ? {} : { ended };
    },
    stepping,
    idle: () => {
      write(undefined);
    },
    within: (entity, cell, what, key, run) => {
      const outer = kept.underWay;
      stepping(entity, cell, what, key);
      try {
        return run();
      } finally {
        write(outer);
      }
    },
    get hung() {
      return kept.hung;
    },
    settled: (entity, key) => {
      if (process.isAlive) kept.hung = kept.hung.filter((each) => each.entity !== entity || each.key !== key);
    },
  };
}
