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
// V5. Of two requests for one child the later one begins when the earlier one is over (OTP serves all calls so, one by one); only a removal breaks off a start, and a restart joins
//     one (L7). Requests for other children go on meanwhile.
// V6. A child whose addition is under way when its supervisor ends is forgotten, and whoever added it is told so: it does not come back with the supervisor.

import { DroverError } from "../errors.ts";
import type { Clock } from "../ports/index.ts";
import { settledWithin } from "../settled-within.ts";
import { asError, type Exit, type Running, type StartContext } from "../workers/index.ts";
import type { AddOutcome, KeepOutcome, RemoveOutcome, RestartOutcome } from "./child-outcomes.ts";
import { ChildSlot, type NestedSupervisor, type TreePorts } from "./child-slot.ts";
import { KeptList } from "./kept-list.ts";
import { Lane, type LaneOwner } from "./lane.ts";
import { restartRule, type RestartRule, type Verdict } from "./restart-rule.ts";
import { checkSignificance, isSignificant, restartTypeOf, type ChildSpec, type SupervisorSpec } from "./spec.ts";
import type { TreeNode } from "./tree-node.ts";

/** One run of it, from start to end. */
interface Life {
  readonly exited: Promise<Exit>;
  readonly exit: (exit: Exit) => void;
  readonly hurry: AbortController;
  ending: Promise<void> | undefined;
  isUp: boolean;
  /** V4: the significant child that ended last while the supervisor started. */
  endedEarly: ChildSlot | undefined;
}

export class SupervisorLife implements NestedSupervisor, LaneOwner {
  readonly spec: SupervisorSpec;
  readonly path: string;
  readonly clock: Clock;
  readonly #ports: TreePorts;
  readonly #rule: RestartRule;
  readonly #degraded = new Set<ChildSlot>();
  readonly #kept: KeptList | undefined;
  /** What it should have below it: as written, then what was added and not removed. */
  #specs: readonly ChildSpec[];
  #lanes: readonly Lane[] = [];
  #life: Life | undefined;
  /** V5: additions and removals under way, by child. */
  readonly #coming = new Map<string, Promise<AddOutcome>>();
  readonly #going = new Map<string, Promise<void>>();

  constructor(spec: SupervisorSpec, path: string, ports: TreePorts) {
    this.spec = spec;
    this.path = path;
    this.clock = ports.clock;
    this.#ports = ports;
    this.#rule = restartRule(spec.flags, ports.clock, ports.random);
    this.#specs = spec.children;
    if (spec.flags.kept !== undefined) this.#kept = new KeptList(spec.flags.kept, ports.log.child({ supervisor: path }));
    this.#fillLanes();
  }

  get isDegraded(): boolean {
    return [...this.#degraded].some((slot) => !slot.isUp);
  }

  get lanes(): readonly Lane[] {
    return this.#lanes;
  }

  async start(context: Pick<StartContext, "signal" | "hurry">): Promise<Running> {
    if (this.#kept !== undefined) {
      await settledWithin(this.#kept.ready(), this.clock, Number.POSITIVE_INFINITY, context.signal);
      if (context.signal.aborted) throw asError(context.signal.reason);
      this.#recall(this.#kept.specs());
    }
    const life = beginLife();
    this.#life = life;
    this.#rule.forget();
    this.#degraded.clear();
    this.#fillLanes();
    const stop = (): void => void this.#end(life, { kind: "shutdown" });
    const hurry = (): void => {
      life.hurry.abort();
    };
    context.signal.addEventListener("abort", stop);
    context.hurry?.addEventListener("abort", hurry);
    if (context.signal.aborted) stop();
    const failure = await this.#startLanes(life);
    if (failure !== undefined) await this.#end(life, { kind: "shutdown", cause: failure });
    else if (life.ending !== undefined) await life.ending;
    context.signal.removeEventListener("abort", stop);
    context.hurry?.removeEventListener("abort", hurry);
    if (failure !== undefined) throw failure;
    if (life.ending !== undefined && context.signal.aborted) throw asError(context.signal.reason);
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
    return this.#lanes.flatMap((lane) => lane.slots.map((slot) => slot.describe()));
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

  ended(lane: Lane, slot: ChildSlot): void {
    if (slot.restartType === "temporary" && !this.spec.children.includes(slot.spec)) this.#forget(slot.spec);
    if (this.#isOneForOne && lane.slots.length === 0) this.#lanes = this.#lanes.filter((other) => other !== lane);
    const life = this.#life;
    if (life === undefined || !isSignificant(slot.spec)) return;
    if (life.isUp) this.#autoShutdown(life, slot);
    else life.endedEarly = slot;
  }

  async addChild(spec: ChildSpec): Promise<AddOutcome> {
    checkSignificance(spec, this.spec.flags);
    if (!this.#isOneForOne) return { kind: "not-one-for-one" };
    // V5
    for (let other = this.#underWay(spec.id); other !== undefined; other = this.#underWay(spec.id)) await other;
    if (this.#laneOf(spec.id) !== undefined) return { kind: "id-taken" };
    if (!this.#isUp) return { kind: "not-running" };
    const added = this.#add(spec);
    this.#coming.set(spec.id, added);
    return added;
  }

  async #add(spec: ChildSpec): Promise<AddOutcome> {
    const lane = this.#lane([this.#slot(spec)]);
    this.#specs = [...this.#specs, spec];
    this.#lanes = [...this.#lanes, lane];
    // A temporary one has one start: whoever adds it is told, and it never counts as a significant child that ended.
    const outcome = await lane.begin(restartTypeOf(spec) === "temporary" ? "escalate" : this.#onStartFailure);
    // V6
    const isExpected = this.#coming.delete(spec.id);
    if (outcome.kind !== "failed") return { kind: outcome.kind === "up" && isExpected ? "started" : "not-running" };
    if (!outcome.retrying) {
      this.#lanes = this.#lanes.filter((other) => other !== lane);
      this.#forget(spec);
    }
    return { kind: "start-failed", error: outcome.error, kept: outcome.retrying && isExpected && this.#lanes.includes(lane) };
  }

  /** As `addChild`, of what these data make, and it comes back with the process. @throws DROVER_TREE_INVALID where no children are kept, and for data that make none */
  async keepChild(id: string, data: unknown): Promise<KeepOutcome> {
    const kept = this.#kept;
    if (kept === undefined) throw new DroverError("DROVER_TREE_INVALID", `"${this.path}" keeps no children`);
    return kept.inTurn(async () => {
      const spec = kept.make(id, data);
      checkSignificance(spec, this.spec.flags);
      // V5
      for (let other = this.#underWay(id); other !== undefined; other = this.#underWay(id)) await other;
      if (this.#laneOf(id) !== undefined || kept.has(id)) return { kind: "id-taken" };
      if (!this.#isUp) return { kind: "not-running" };
      let outcome: KeepOutcome = { kind: "not-running" };
      const error = await kept.put({ id, data }, async () => {
        outcome = await this.addChild(spec);
        return outcome.kind === "started" || (outcome.kind === "start-failed" && outcome.kept);
      });
      return error === undefined ? outcome : { kind: "not-kept", error };
    });
  }

  async removeChild(id: string): Promise<RemoveOutcome> {
    const kept = this.#kept;
    if (kept?.isRead === false) await kept.ready();
    if (kept?.has(id) !== true) return this.#remove(id);
    return kept.inTurn(async () => {
      const error = await kept.drop(id);
      if (error !== undefined) return { kind: "still-kept", error };
      const outcome = await this.#remove(id);
      return outcome.kind === "no-such-child" ? { kind: "removed" } : outcome;
    });
  }

  async #remove(id: string): Promise<RemoveOutcome> {
    if (!this.#isOneForOne) return { kind: "not-one-for-one" };
    const lane = this.#laneOf(id);
    if (lane === undefined) return { kind: "no-such-child" };
    const going = this.#going.get(id) ?? this.#take(lane, id);
    this.#going.set(id, going);
    await going;
    return { kind: "removed" };
  }

  async #take(lane: Lane, id: string): Promise<void> {
    this.#specs = this.#specs.filter((spec) => spec.id !== id);
    this.#coming.delete(id);
    await lane.down(this.#life?.hurry.signal ?? new AbortController().signal);
    this.#rule.forget(id);
    this.#lanes = this.#lanes.filter((other) => other !== lane);
    this.#going.delete(id);
  }

  /** Stops and starts it, with the siblings that its strategy names. Not counted as a failure. */
  async restartChild(id: string): Promise<RestartOutcome> {
    // V5
    for (let going = this.#going.get(id); going !== undefined; going = this.#going.get(id)) await going;
    const lane = this.#laneOf(id);
    // Before the list is read for the first time nobody knows who is there.
    if (lane === undefined) return { kind: this.#kept?.isRead === false && !this.#isUp ? "not-running" : "no-such-child" };
    const life = this.#life;
    if (life === undefined || !this.#isUp) return { kind: "not-running" };
    this.#rule.forget(id);
    const outcome = await lane.restart(id);
    if (outcome.kind === "failed") return { kind: "start-failed", error: outcome.error };
    if (outcome.kind === "stopped") return { kind: life.ending === undefined ? "no-such-child" : "not-running" };
    // A temporary one that went down with a sibling meanwhile is forgotten (L3).
    return { kind: this.#laneOf(id) === undefined ? "no-such-child" : "started" };
  }

  /** It has started, and no end of it is under way. */
  get #isUp(): boolean {
    return this.#life?.isUp === true && this.#life.ending === undefined;
  }

  #underWay(id: string): Promise<unknown> | undefined {
    return this.#going.get(id) ?? this.#coming.get(id);
  }

  get #isOneForOne(): boolean {
    return this.spec.flags.strategy === "one-for-one";
  }

  get #onStartFailure(): "escalate" | "retry" {
    return this.spec.flags.startFailure ?? "escalate";
  }

  /** In order; the error of what could not start, or undefined when all runs or a stop came between. */
  async #startLanes(life: Life): Promise<Error | undefined> {
    for (const lane of this.#lanes) {
      if (life.ending !== undefined) return undefined;
      const outcome = await lane.begin(this.#onStartFailure);
      if (outcome.kind === "failed" && !outcome.retrying) return startFailure(`${this.path}/${outcome.child}`, outcome.error);
    }
    return undefined;
  }

  /** V4. */
  #autoShutdown(life: Life, ended: ChildSlot): void {
    const rule = this.spec.flags.autoShutdown ?? "never";
    if (rule === "never" || life.ending !== undefined) return;
    const others = this.#lanes.flatMap((lane) => lane.slots).filter((slot) => slot !== ended && slot.wanted && isSignificant(slot.spec));
    if (rule === "all-significant" && others.length > 0) return;
    ended.tell("auto_shutdown", rule);
    void this.#end(life, { kind: "shutdown" });
  }

  #end(life: Life, exit: Exit): Promise<void> {
    life.ending ??= this.#bringDown(life, exit);
    return life.ending;
  }

  async #bringDown(life: Life, exit: Exit): Promise<void> {
    // V6
    this.#specs = this.#specs.filter(({ id }) => !this.#coming.has(id));
    this.#coming.clear();
    for (const lane of this.#lanes) lane.freeze();
    for (const lane of this.#lanes.toReversed()) await lane.down(life.hurry.signal);
    life.exit(exit);
  }

  #laneOf(id: string): Lane | undefined {
    return this.#lanes.find((lane) => lane.slots.some((slot) => slot.id === id));
  }

  /** What is kept and not here yet. */
  #recall(kept: readonly ChildSpec[]): void {
    const known = new Set(this.#specs.map(({ id }) => id));
    this.#specs = [...this.#specs, ...kept.filter(({ id }) => !known.has(id))];
  }

  #forget(spec: ChildSpec): void {
    this.#specs = this.#specs.filter((other) => other !== spec);
  }

  /** A place for each child, with the history it has; temporary ones that had ended begin anew with their supervisor. */
  #fillLanes(): void {
    const known = new Map(this.#lanes.flatMap((lane) => lane.slots.map((slot) => [slot.id, slot] as const)));
    const slots = this.#specs.map((spec) => known.get(spec.id) ?? this.#slot(spec));
    this.#lanes = this.#isOneForOne ? slots.map((slot) => this.#lane([slot])) : [this.#lane(slots)];
  }

  #slot(spec: ChildSpec): ChildSlot {
    const nested = spec.kind === "supervisor" ? new SupervisorLife(spec, `${this.path}/${spec.id}`, this.#ports) : undefined;
    return new ChildSlot(spec, this.path, nested, this.#ports, (slot, exit, ranMs) => {
      this.#laneOf(slot.id)?.exited(slot, exit, ranMs);
    });
  }

  #lane(slots: readonly ChildSlot[]): Lane {
    return new Lane(this, slots, this.spec.flags.strategy === "one-for-all");
  }
}

function beginLife(): Life {
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
