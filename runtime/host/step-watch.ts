// The real watch over steps and other code of actors: a thread sees, through shared memory, whether the main thread is stuck in one; then it writes down which, and ends the process
// (rules M4).
//
// W1. What is written is on the disk before the process ends: one line a death in the crash file. The next process reads it, and lets that message be stepped with care.
// W2. What ends a process at once, where no thread can look, is named by a file of its own (step-mark.ts): the next process writes it down. A death is written down once.
// W3. A death in which nothing was under way is written down too, as a line with a time alone: an hour long, and never in the place of a name.
// W4. Time is counted in looks of the thread, not by a clock: a process that was suspended as a whole is not taken for one that hangs.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { Worker } from "node:worker_threads";

import { DroverError } from "../errors.ts";
import type { Beginning, CodeOf, HungStep, StepWatch } from "../ports/index.ts";
import { leftMark, StepMark } from "./step-mark.ts";
import { StepMemory } from "./step-memory.ts";

const DEFAULT_HANG_MS = 2_000;
/** Lines that are kept, in the file too: what is older concerns what nobody brings again. */
const MAX_KEPT = 100;
/** W3. */
const IDLE_KEPT_MS = 3_600_000;
const IDLE_DEATH = /^\{"at":(\d+)\}$/;

export interface StepWatchOptions {
  /** The crash file; its folder exists. Beside it is `FILE.running`, while a process runs. */
  readonly file: string;
  /** A step that lasts longer ends the process, ms, from 100. Default 2,000. */
  readonly hangMs?: number;
  /** Whoever supervises this process saw that somebody else ended the one before: no code of an actor is held responsible. Default false: nobody knows. */
  readonly endedByOthers?: boolean;
}

/** With its thread, which `stop` ends: after it the process has ended in order. */
export interface NodeStepWatch extends StepWatch {
  stop(): Promise<void>;
}

/** Starts the thread; it keeps no process alive. @throws DROVER_CONFIG_INVALID when the crash file can be neither read nor written */
export function startStepWatch({ file, hangMs = DEFAULT_HANG_MS, endedByOthers = false }: StepWatchOptions): NodeStepWatch {
  const memory = new StepMemory();
  const crashes = readCrashes(file);
  let hung = crashes.hung.slice(-MAX_KEPT);
  let idleDeaths = crashes.idleDeaths.slice(-MAX_KEPT);
  const write = (): void => {
    writeCrashes(file, hung, idleDeaths);
  };
  if (hung.length + idleDeaths.length < crashes.hung.length + crashes.idleDeaths.length) write();
  const markFile = `${file}.running`;
  let mark: StepMark | undefined;
  let hasBegun = false;
  let step = 0;
  let last: { readonly entity: string; readonly cell: string; readonly what: string; readonly key: string; readonly code?: string | undefined } = {
    entity: "",
    cell: "",
    what: "",
    key: "",
  };
  let codeOf: CodeOf = () => undefined;
  const worker = new Worker(new URL(`./step-watch.worker${import.meta.url.slice(-3)}`, import.meta.url), {
    name: "drover-step-watch",
    workerData: { buffer: memory.buffer, file, markFile, hangMs },
    env: {},
  });
  worker.unref();

  let isUnderWay = false;

  function stepping(entity: string, cell: string, what: string, key: string): void {
    if (last.key !== key || last.entity !== entity || last.cell !== cell || last.what !== what) {
      last = { entity, cell, what, key, code: entity === last.entity ? last.code : codeOf(entity) };
      memory.write(JSON.stringify(last));
    }
    step = step === 0x7f_ff_ff_ff ? 1 : step + 1;
    memory.number = step;
    mark?.name();
    isUnderWay = true;
  }

  function idle(): void {
    memory.number = 0;
    mark?.empty();
    isUnderWay = false;
  }

  /** W2. */
  function begin(given?: CodeOf): Beginning {
    if (hasBegun) return {};
    hasBegun = true;
    codeOf = given ?? codeOf;
    let problem: string | undefined;
    const attempt = <V>(work: () => V): V | undefined => {
      try {
        return work();
      } catch (cause) {
        problem = String(cause);
        return undefined;
      }
    };
    const left = attempt(() => leftMark(markFile));
    const ended =
      left?.name === undefined
        ? undefined
        : crashOf(left.name, { at: left.at, how: "ended", ...(left.isOfAnotherBoot ? { withMachine: true } : {}), ...(endedByOthers ? { byOthers: true } : {}) });
    if (ended !== undefined) hung = [...hung, ended].slice(-MAX_KEPT);
    const isIdle = left?.name === "" && !left.isOfAnotherBoot;
    if (isIdle) idleDeaths = [...idleDeaths.filter((at) => Math.abs(left.at - at) < IDLE_KEPT_MS), left.at].slice(-MAX_KEPT);
    if (ended !== undefined || isIdle) attempt(write);
    mark = attempt(() => new StepMark(markFile, memory, left !== undefined));
    return { ...(ended === undefined ? {} : { ended }), ...(problem === undefined ? {} : { problem }) };
  }

  return {
    begin,
    stepping,
    idle,
    within: (entity, cell, what, key, run) => {
      const outer = isUnderWay ? last : undefined;
      stepping(entity, cell, what, key);
      try {
        return run();
      } finally {
        if (outer === undefined) idle();
        else stepping(outer.entity, outer.cell, outer.what, outer.key);
      }
    },
    get hung() {
      return hung;
    },
    get idleDeaths() {
      return idleDeaths;
    },
    settled: (entity, key) => {
      const left = hung.filter((each) => each.entity !== entity || each.key !== key);
      if (left.length === hung.length) return;
      hung = left;
      write();
    },
    stop: async () => {
      await worker.terminate();
      mark?.remove();
    },
  };
}

interface Crashes {
  readonly hung: readonly HungStep[];
  readonly idleDeaths: readonly number[];
}

function readCrashes(file: string): Crashes {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { hung: [], idleDeaths: [] };
    throw new DroverError("DROVER_CONFIG_INVALID", `the crash file ${file} cannot be read: ${String(cause)}`, { cause });
  }
  // The last line of a process that died while it wrote says nothing.
  const lines = text.split("\n");
  return { hung: lines.flatMap((line) => crashOf(line) ?? []), idleDeaths: lines.flatMap((line) => IDLE_DEATH.exec(line)?.slice(1).map(Number) ?? []) };
}

/** @param more where the line does not say it itself */
function crashOf(line: string, more?: Pick<HungStep, "at" | "how" | "withMachine" | "byOthers">): HungStep | undefined {
  try {
    const { at, entity, cell, what, key, how, withMachine, byOthers, code } = { ...(JSON.parse(line) as HungStep), ...more };
    if (typeof at !== "number" || ![entity, cell, what, key].every((field) => typeof field === "string")) return undefined;
    return {
      at,
      entity,
      cell,
      what,
      key,
      ...(how === "ended" ? { how } : {}),
      ...(withMachine === true ? { withMachine } : {}),
      ...(byOthers === true ? { byOthers } : {}),
      ...(typeof code === "string" ? { code } : {}),
    };
  } catch {
    return undefined;
  }
}

function writeCrashes(file: string, hung: readonly HungStep[], idleDeaths: readonly number[]): void {
  const next = `${file}.next`;
  const descriptor = openSync(next, "w");
  try {
    writeSync(descriptor, [...idleDeaths.map((at) => ({ at })), ...hung].map((each) => `${JSON.stringify(each)}\n`).join(""));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(next, file);
}
