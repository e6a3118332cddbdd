// A supervisor that runs: lanes of children under one rule for restarts. It can be started again after it ended; its children's history stays,
// and so do children that were added at run time (OTP forgets those; a vehicle's modules must not vanish because a sibling crashed).
//
// V1. A child that cannot start while the supervisor starts fails that start: what had started stops in reverse order (OTP), unless it is told to retry.
// V2. The rule says enough: children stop in reverse order, then the supervisor ends with reason `shutdown` and the last failure as its cause; its parent decides.
//     Also while it starts (OTP): it ran and ended, so that its parent restarts it where V1 would give up; but a start that is under way is broken off.
// V3. A stop freezes every lane before the first child stops: nothing restarts behind its back.
// V4. Auto-shutdown (OTP 24): a significant child that ended by itself and is not restarted ends the supervisor with reason `shutdown`, at once or as the last of
//     them; what the supervisor stopped itself does not count. While the supervisor still starts this waits until all have started: whoever starts it sees a
//     supervisor that ran and ended in order, not one that could not start.
// V5 to V7: what is asked of it (child-requests.ts).

import { DroverError } from "../errors.ts";
import type { Clock } from "../ports/index.ts";
import { settledWithin } from "../settled-within.ts";
import { asError, type Exit, type Running, type StartContext } from "../workers/index.ts";
import { type Asked, ChildRequests, type Life } from "./child-requests.ts";
import { ChildSlot, type NestedSupervisor, type TreePorts } from "./child-slot.ts";
import { KeptList } from "./kept-list.ts";
import { Lane, type LaneOwner } from "./lane.ts";
import { Places } from "./places.ts";
import { restartRule, type RestartRule, type Verdict } from "./restart-rule.ts";
import { isSignificant, type SupervisorSpec, type ChildSpec } from "./spec.ts";
import { StartGate } from "./start-gate.ts";
import type { TreeNode } from "./tree-node.ts";

interface OwnLife extends Life {
  readonly exited: Promise<Exit>;
  readonly exit: (exit: Exit) => void;
  ending: Promise<void> | undefined;
  isUp: boolean;
  /** V4: the significant child that ended last while the supervisor started. */
  endedEarly: ChildSlot | undefined;
}

export class SupervisorLife implements NestedSupervisor, LaneOwner, Asked {
  readonly spec: SupervisorSpec;
  readonly path: string;
  readonly clock: Clock;
  readonly places: Places;
  readonly gate: StartGate;
  readonly kept: KeptList | undefined;
  readonly requests: ChildRequests;
  readonly #ports: TreePorts;
  readonly #rule: RestartRule;
  readonly #degraded = new Set<ChildSlot>();
  /** Those that had its place, or a place below it, still write: kept-list.ts K4. The same of its children, by id. */
  readonly #after: Promise<unknown> | undefined;
  readonly #leaving = new Map<string, Promise<unknown>>();
  #late: ((change: Promise<unknown>) => void) | undefined;
  #life: OwnLife | undefined;

  constructor(spec: SupervisorSpec, path: string, ports: TreePorts, after?: Promise<unknown>) {
    this.spec = spec;
    this.path = path;
    this.clock = ports.clock;
    this.#ports = ports;
    this.#after = after;
    this.#rule = restartRule(spec.flags, ports.clock, ports.random);
    this.gate = new StartGate(ports.clock);
    this.requests = new ChildRequests(this);
    if (spec.flags.kept !== undefined) this.kept = new KeptList(spec.flags.kept, ports.log.child({ supervisor: path }), after);
    this.places = new Places(spec, {
      slot: (one) => this.#slot(one),
      lane: (slots) => new Lane(this, slots, spec.flags.strategy === "one-for-all"),
      left: (slot) => {
        this.left(slot);
      },
    });
  }

  get isDegraded(): boolean {
    return [...this.#degraded].some((slot) => !slot.isUp);
  }

  get isUp(): boolean {
    return this.#life?.isUp === true && this.#life.ending === undefined;
  }

  get life(): Life | undefined {
    return this.#life;
  }

  async start(context: Pick<StartContext, "signal" | "hurry">): Promise<Running> {
    this.gate.shut();
    try {
      return await this.#begin(context);
    } finally {
      this.gate.open(this.isUp ? "go" : "not-running");
    }
  }

  async #begin({ signal, hurry: hurrying }: Pick<StartContext, "signal" | "hurry">): Promise<Running> {
    if (this.kept !== undefined) {
      await settledWithin(this.kept.ready(), this.clock, Number.POSITIVE_INFINITY, signal);
      if (signal.aborted) throw asError(signal.reason);
      this.places.recall(this.kept.specs());
    }
    const life = beginLife();
    this.#life = life;
    this.#rule.forget();
    this.#degraded.clear();
    this.places.fill();
    const stop = (): void => void this.#end(life, { kind: "shutdown" });
    const hurry = (): void => {
      life.hurry.abort();
    };
    signal.addEventListener("abort", stop);
    hurrying?.addEventListener("abort", hurry);
    if (signal.aborted) stop();
    const failure = await this.#startLanes(life);
    if (failure !== undefined) await this.#end(life, { kind: "shutdown", cause: failure });
    else if (life.ending !== undefined) await life.ending;
    signal.removeEventListener("abort", stop);
    hurrying?.removeEventListener("abort", hurry);
    if (failure !== undefined) throw failure;
    if (life.ending !== undefined && signal.aborted) throw asError(signal.reason);
    life.isUp = true;
    if (life.endedEarly !== undefined) this.#autoShutdown(life, life.endedEarly);
    return {
      exited: life.exited,
      stop,
      kill: () => {
        life.hurry.abort();
        stop();
      },
    };
  }

  hurry(): void {
    this.#life?.hurry.abort();
  }

  describeChildren(): readonly TreeNode[] {
    return this.places.slots.map((slot) => slot.describe());
  }

  judge(slot: ChildSlot, ranMs: number, cause: Error | undefined): Verdict {
    const verdict = this.#rule.failed(slot.id, ranMs);
    if (verdict.kind === "give-up") {
      slot.tell("gave_up", verdict.detail, cause);
      if (this.#life !== undefined)
        void this.#end(this.#life, {
          kind: "shutdown",
          cause: new DroverError("DROVER_SUPERVISOR_GAVE_UP", `"${this.path}" gave up: ${verdict.detail}`, cause === undefined ? {} : { cause }),
        });
    } else if (verdict.kind === "degraded" && !this.#degraded.has(slot)) {
      this.#degraded.add(slot);
      slot.tell("degraded", verdict.detail, cause);
    } else if (verdict.kind === "restart") this.#degraded.delete(slot);
    return verdict;
  }

  ended(lane: Lane, slot: ChildSlot, byItself: boolean): void {
    if (slot.restartType === "temporary" && !this.spec.children.includes(slot.spec)) this.places.forget((spec) => spec === slot.spec);
    if (this.places.isOneForOne && lane.slots.length === 0) this.places.drop(lane);
    const life = this.#life;
    if (life === undefined || !byItself || !isSignificant(slot.spec)) return;
    if (life.isUp) this.#autoShutdown(life, slot);
    else life.endedEarly = slot;
  }

  left({ id, nested }: ChildSlot): void {
    if (nested === undefined) return;
    const late = (change: Promise<unknown>): void => {
      const left = Promise.all([this.#leaving.get(id), change]).then(() => {
        if (this.#leaving.get(id) === left) this.#leaving.delete(id);
      });
      this.#leaving.set(id, left);
      this.#late?.(left);
    };
    late(nested.retire(late));
  }

  async retire(late: (change: Promise<unknown>) => void): Promise<void> {
    this.#late = late;
    await Promise.all([this.kept?.close(late), ...this.#leaving.values(), ...this.places.slots.map(({ nested }) => nested?.retire(late))]);
  }

  forgive(id: string): void {
    this.#rule.forget(id);
  }

  /** In order; the error of what could not start, or undefined when all runs or a stop came between. */
  async #startLanes(life: OwnLife): Promise<Error | undefined> {
    for (const lane of this.places.lanes) {
      if (life.ending !== undefined) return undefined;
      const outcome = await lane.begin(this.spec.flags.startFailure ?? "escalate");
      if (outcome.kind === "failed" && !outcome.retrying) return startFailure(`${this.path}/${outcome.child}`, outcome.error);
    }
    return undefined;
  }

  /** V4. */
  #autoShutdown(life: OwnLife, ended: ChildSlot): void {
    const rule = this.spec.flags.autoShutdown ?? "never";
    if (rule === "never" || life.ending !== undefined) return;
    const others = this.places.slots.filter((slot) => slot !== ended && slot.wanted && isSignificant(slot.spec));
    if (rule === "all-significant" && others.length > 0) return;
    ended.tell("auto_shutdown", rule);
    void this.#end(life, { kind: "shutdown" });
  }

  #end(life: OwnLife, exit: Exit): Promise<void> {
    life.ending ??= this.#bringDown(life, exit);
    return life.ending;
  }

  async #bringDown(life: OwnLife, exit: Exit): Promise<void> {
    this.gate.open("not-running");
    this.requests.forgetComing();
    for (const lane of this.places.lanes) lane.freeze();
    for (const lane of this.places.lanes.toReversed()) await lane.down(life.hurry.signal);
    life.exit(exit);
  }

  #slot(spec: ChildSpec): ChildSlot {
    const left = this.#leaving.get(spec.id);
    const after = left === undefined ? this.#after : Promise.all([this.#after, left]);
    const nested = spec.kind === "supervisor" ? new SupervisorLife(spec, `${this.path}/${spec.id}`, this.#ports, after) : undefined;
    return new ChildSlot(spec, this.path, nested, this.#ports, (slot, exit, ranMs) => {
      this.places.laneOf(slot.id)?.exited(slot, exit, ranMs);
    });
  }
}

function beginLife(): OwnLife {
  let settle: ((exit: Exit) => void) | undefined;
  const exited = new Promise<Exit>((resolve) => {
    settle = resolve;
  });
  return { exited, exit: (exit) => settle?.(exit), hurry: new AbortController(), ending: undefined, isUp: false, endedEarly: undefined };
}

/** Keeps the code of what went wrong, so that a command line can end with the right exit code, and says where. */
function startFailure(path: string, error: Error): DroverError {
  return new DroverError(error instanceof DroverError ? error.code : "DROVER_WORKER_FAILED", `"${path}" could not start: ${error.message}`, { cause: error });
}
