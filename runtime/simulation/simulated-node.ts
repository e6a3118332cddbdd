// One node of the simulated fleet: a place with disks, where one run of a program follows the other.

import type { EntityType, Registered } from "../actor/index.ts";
import { kindOf } from "../address.ts";
import type { Log, Random } from "../ports/index.ts";
import type { RaisedVersions, System } from "../system/index.ts";
import { heldBy } from "./held-by.ts";
import type { NodeFact, Said } from "./history.ts";
import type { MemoryNetwork } from "./memory-transport.ts";
import { isNewer } from "./newer-type.ts";
import type { OfferedMessages } from "./offered-messages.ts";
import type { NodeProgram, ProcessPorts, RunningNode } from "./process-ports.ts";
import { watchRecoveries } from "./recovery-watch.ts";
import { SeededRandom } from "./seeded-random.ts";
import { SimulatedProcess } from "./simulated-process.ts";
import { KeptSteps, simulatedStepWatch } from "./simulated-step-watch.ts";
import { notedStore, type SimulatedDatabase, type StoreFaults } from "./simulated-store.ts";
import type { Timeline } from "./timeline.ts";

/** A program that could not start or has ended is started again after this long. */
const START_AGAIN_MS = 500;
/** A stop in order that takes longer is ended by force, as an operating system does. */
const STOP_WITHIN_MS = 15_000;
/** A child that was let go of in the middle of its own stop may still wait for so long, with deadlines of its own; what holds on after that was forgotten. */
const DRAINED_WITHIN_MS = 5_000;
const DRAIN_LOOK_MS = 100;

export interface SimulatedNodeOptions {
  readonly name: string;
  readonly program: NodeProgram;
  /** Stands between the program and its ports: the seam of tests. */
  readonly ports: ((ports: ProcessPorts) => ProcessPorts) | undefined;
  readonly database: SimulatedDatabase;
  readonly storeFaults: () => StoreFaults;
  readonly timeline: Timeline;
  readonly network: MemoryNetwork;
  readonly offered: OfferedMessages;
  /** Whether what it holds is compared with its recovery. */
  readonly looksTwice: boolean;
  readonly order: Random;
  /** Seed of a process of this node. */
  readonly seedOf: (run: number) => number;
  readonly homeOf: (entity: string) => string | undefined;
  readonly tell: (said: Said) => void;
}

const NEVER = new Promise<never>(() => undefined);

interface Run {
  readonly process: SimulatedProcess;
  readonly epoch: number;
  /** Rejected when it cannot start; never settled when its process has ended before. */
  starting: Promise<RunningNode>;
  running: RunningNode | undefined;
}

export class SimulatedNode {
  readonly name: string;
  readonly database: SimulatedDatabase;
  readonly #options: SimulatedNodeOptions;
  readonly #kept = new Map<string, unknown>();
  readonly #steps = new KeptSteps();
  #runs = 0;
  #epoch = 1;
  #present: Run | undefined;
  /** Runs that another one took over from, and that go on. */
  #former: Run[] = [];
  #isWanted = false;
  wallOffsetMs = 0;
  /** Of its next run. */
  #program: NodeProgram;
  /** What its newest run hosts; of an entity type that an earlier run had in newer versions, that: what it has written is judged by it. */
  types: readonly Registered[];

  constructor(options: SimulatedNodeOptions) {
    this.name = options.name;
    this.#program = options.program;
    this.types = options.program.types;
    this.database = options.database;
    this.#options = options;
  }

  get process(): SimulatedProcess | undefined {
    return this.#present?.process;
  }

  get running(): RunningNode | undefined {
    return this.#present?.running;
  }

  get system(): System | undefined {
    return this.running?.system;
  }

  get hosts(): readonly string[] {
    return this.#program.hosts;
  }

  start(): void {
    this.#isWanted = true;
    if (this.#present === undefined) this.#begin();
  }

  /** Ends its process here and now; nobody starts it again but `start`. */
  kill(): void {
    this.#isWanted = false;
    const run = this.#present;
    if (run !== undefined) this.#end(run, "killed");
  }

  /** Ends the runs that were taken over from. */
  endFormer(): void {
    for (const run of this.#former) {
      run.process.end();
      this.#note(run, "killed");
    }
    this.#former = [];
  }

  pause(): void {
    const run = this.#present;
    if (run === undefined) return;
    run.process.pause();
    this.#note(run, "paused");
  }

  resume(): void {
    for (const run of [this.#present, ...this.#former]) {
      if (run?.process.isPaused !== true) continue;
      run.process.resume();
      this.#note(run, "resumed");
    }
  }

  /** From its next run on; one that runs goes on as it is. */
  replaceProgram(program: NodeProgram): void {
    this.#program = program;
  }

  /** Once; undefined: its run is not there, has ended meanwhile, or was replaced: whoever asked hears no word of a run that is parted from the network. */
  raise(versions: Readonly<Record<string, number>>): Promise<{ readonly raised: RaisedVersions } | { readonly failed: unknown } | undefined> {
    const { process, system } = this;
    const run = this.#present;
    return new Promise((resolve) => {
      if (process === undefined || system === undefined) {
        resolve(undefined);
        return;
      }
      const forget = process.onEnd(() => {
        resolve(undefined);
      });
      const end = (word: { readonly raised: RaisedVersions } | { readonly failed: unknown }): void => {
        process.enter(() => {
          forget();
          resolve(this.#present === run ? word : undefined);
        });
      };
      process.enter(() => {
        system.raiseVersions(versions).then(
          (raised) => {
            end({ raised });
          },
          (failed: unknown) => {
            end({ failed });
          },
        );
      });
    });
  }

  /** Another run begins on the same store under the next epoch; the present one is parted from the network, and goes on without knowing. */
  takeOver(): void {
    const run = this.#present;
    if (run === undefined) return;
    this.#note(run, "replaced");
    this.#options.network.crash(this.name);
    this.#former.push(run);
    this.#present = undefined;
    this.#epoch++;
    this.start();
  }

  /** Stops it in order; resolves when it is gone, by itself or by force. Who starts it meanwhile has it started again then. */
  async stop(): Promise<void> {
    this.#isWanted = false;
    const run = this.#present;
    if (run === undefined) return;
    this.#note(run, "stopping");
    const { timeline } = this.#options;
    await new Promise<void>((resolve) => {
      const limit = timeline.after(STOP_WITHIN_MS, () => {
        this.#say(run, { kind: "left", what: `it did not stop within ${String(STOP_WITHIN_MS / 1_000)} s` });
        resolve();
      });
      const done = (): void => {
        timeline.callOff(limit);
        resolve();
      };
      run.process.onEnd(done);
      run.process.enter(() => {
        run.starting.then(
          (running) => {
            running.stop().then(done, (cause: unknown) => {
              this.#say(run, { kind: "left", what: `its stop failed: ${messageOf(cause)}` });
              done();
            });
          },
          // It could not start: there is nothing to stop.
          done,
        );
      });
    });
    for (const began = timeline.nowMs; run.process.isAlive && run.process.pendingTimers > 0 && timeline.nowMs - began < DRAINED_WITHIN_MS; )
      await new Promise<void>((resolve) => timeline.after(DRAIN_LOOK_MS, resolve));
    if (!run.process.isAlive) return;
    if (run.process.pendingTimers > 0) this.#say(run, { kind: "left", what: `${String(run.process.pendingTimers)} timers` });
    this.#end(run, "gone");
    this.#beginIfWanted();
  }

  #begin(): void {
    const { timeline, order, seedOf, network, offered, looksTwice, homeOf, tell } = this.#options;
    const program = this.#program;
    const { types } = program;
    this.types = types.map((type) => (type.kind === "entity" ? (this.types.find((had): had is EntityType => had.kind === "entity" && isNewer(had, type)) ?? type) : type));
    const process = new SimulatedProcess({
      node: this.name,
      run: ++this.#runs,
      timeline,
      order,
      random: new SeededRandom(seedOf(this.#runs)),
      wallOffsetMs: () => this.wallOffsetMs,
    });
    const run: Run = { process, epoch: this.#epoch, starting: NEVER, running: undefined };
    this.#present = run;
    this.#note(run, "starting");
    const given: ProcessPorts = {
      node: this.name,
      run: process.run,
      epoch: run.epoch,
      clock: process.clock,
      random: process.random,
      defer: process.defer,
      log: logOf((level, message) => {
        // One that ended itself unwinds to the end of its step.
        if (process.isAlive) this.#say(run, { kind: "log", level, message });
      }),
      store: this.database.connect(process, run.epoch, this.#options.storeFaults),
      transport: heldBy(process, network.transport(this.name), ["announce"]),
      kept: <T>(name: string, make: () => T): T => {
        if (!this.#kept.has(name)) this.#kept.set(name, make());
        return this.#kept.get(name) as T;
      },
      stepWatch: offered.noting(process, simulatedStepWatch(process, this.#steps)),
      exit: (reason) => {
        this.#end(run, "exited", reason);
        this.#beginLater();
        throw new Error(`the process has ended: ${reason}`);
      },
      homeOf,
      hold: (port) => heldBy(process, port),
      noteEffect: (said) => {
        if (process.isAlive) this.#say(run, { kind: "effect", ...said });
      },
    };
    const ports = this.#options.ports?.(given) ?? given;
    run.starting = program.start({ ...ports, store: notedStore(process, ports.store, { name: this.database.name, tell, nowMs: () => timeline.nowMs, offered }) });
    run.starting.then(
      (running) => {
        run.running = running;
        this.#note(run, "started");
        void running.exited?.then((exit) => {
          this.#startAgain(run, "exited", JSON.stringify(exit));
        });
        if (looksTwice)
          watchRecoveries({
            system: running.system,
            base: this.database.base,
            types,
            say: (found) => {
              if (process.isAlive) this.#say(run, { kind: "unlike", ...found });
            },
          });
        const volatile = new Set(types.filter((type) => type.kind === "entity" && type.durability === "volatile").map(({ name }) => name));
        running.system.watch(({ entity, incarnation, revision, record }) => {
          if (!process.isAlive) return;
          if (record !== undefined) this.#say(run, { kind: "shown", entity, incarnation, revision });
          else if (volatile.has(kindOf(entity))) this.#say(run, { kind: "shown", entity, incarnation, revision, isVolatile: true });
        });
      },
      (cause: unknown) => {
        this.#startAgain(run, "failed-to-start", messageOf(cause));
      },
    );
  }

  #startAgain(run: Run, what: NodeFact["what"], reason: string): void {
    if (!run.process.isAlive || !this.#isWanted) return;
    this.#end(run, what, reason);
    this.#beginLater();
  }

  #beginLater(): void {
    this.#options.timeline.after(START_AGAIN_MS, () => {
      this.#beginIfWanted();
    });
  }

  #beginIfWanted(): void {
    if (this.#isWanted && this.#present === undefined) this.#begin();
  }

  #end(run: Run, what: NodeFact["what"], reason?: string): void {
    if (run.process.isAlive) this.#note(run, what, reason);
    run.process.end();
    this.#former = this.#former.filter((former) => former !== run);
    // One that was taken over from lost its link then; the one of this name is its successor's now.
    if (this.#present !== run) return;
    this.#options.network.crash(this.name);
    this.#present = undefined;
  }

  #note(run: Run, what: NodeFact["what"], reason?: string): void {
    this.#say(run, { kind: "node", what, epoch: run.epoch, wallMs: run.process.clock.now(), store: this.database.name, ...(reason === undefined ? {} : { reason }) });
  }

  #say(run: Run, said: DistributiveOmit<Extract<Said, { readonly run: number }>, "node" | "run">): void {
    this.#options.tell({ ...said, node: this.name, run: run.process.run });
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** What matters to a reader of the trace; fields are the log's business. */
function logOf(say: (level: "warn" | "error", message: string) => void): Log {
  const log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (_fields, message) => {
      say("warn", message);
    },
    error: (fields, message) => {
      const { err } = fields as { readonly err?: unknown };
      say("error", err === undefined ? message : `${message}: ${messageOf(err)}`);
    },
    child: () => log,
  };
  return log;
}
