// Random machines for comparison with bare XState: regions, history, eventless transitions, timers, invoked and spawned children, messages in all directions.
// A machine is drawn once as data and built as often as it is run.
//
// Left out is what differs by name: nothing throws, no id is spawned twice, no timer is armed twice, nothing is spawned and stopped while its parent starts.

import type { AnyStateMachine } from "xstate";

import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import type { Doing, Trace } from "./case.ts";
import { assign, emit, enqueueActions, machine, raise } from "./loose.ts";

const SENT = ["A", "B", "C", "D", "E"];
const RAISED = ["R0", "R1", "R2"];
/** Steps that one actor takes at most for a reason of its own. */
const PATIENCE = 6;

type Act =
  | { readonly do: "trace" | "emit" | "queue"; readonly name: string }
  | { readonly do: "count" | "spawn" | "stop" }
  | { readonly do: "raise" | "tell-parent" | "tell-spawned"; readonly event: string }
  | { readonly do: "later" | "tell-later"; readonly event: string; readonly ms: number };

interface Move {
  readonly target: string | undefined;
  readonly reenter: boolean;
  readonly modulo: number | undefined;
  readonly acts: readonly Act[];
}

interface Node {
  readonly id: string;
  readonly kind: "atomic" | "compound" | "parallel";
  readonly children: Node[];
  readonly initial: number;
  readonly history: "shallow" | "deep" | undefined;
  readonly final: boolean;
  moves: readonly (readonly [string, readonly Move[]])[];
  entry: readonly Act[];
  exit: readonly Act[];
  always: Move | undefined;
  after: readonly [number, Move] | undefined;
  done: Move | undefined;
  invoke: { readonly source: string; readonly sync: boolean; readonly done: string | undefined } | undefined;
}

export interface Drawn {
  build(trace: Trace, spend: () => void): AnyStateMachine;
}

class Draw {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  chance(share: number): boolean {
    return this.#random.next() < share;
  }

  pick<X>(list: readonly X[]): X {
    return list[this.below(list.length)] as X;
  }

  some<X>(most: number, make: () => X): readonly X[] {
    return Array.from({ length: this.below(most) }, make);
  }
}

export function drawScript(seed: number, length: number): readonly Doing[] {
  const draw = new Draw(seed ^ 0xabcdef);
  return Array.from({ length }, () => (draw.chance(0.3) ? { adv: draw.below(50) } : draw.pick(SENT)));
}

export function drawMachine(seed: number): Drawn {
  return drawActor(new Draw(seed), 2, "m");
}

function drawActor(draw: Draw, generations: number, label: string): Drawn {
  const sources = generations > 0 ? ["k0", "k1"].slice(0, 1 + draw.below(2)) : [];
  const nodes: Node[] = [];
  let ids = 0;
  const drawNode = (depth: number, isRoot: boolean): Node => {
    const kind = isRoot ? draw.pick(["compound", "parallel"] as const) : depth === 0 ? "atomic" : draw.pick(["atomic", "compound", "compound", "parallel"] as const);
    const id = `${label}_${String(ids++)}`;
    const children = kind === "atomic" ? [] : Array.from({ length: 2 + draw.below(2) }, () => drawNode(depth - 1, false));
    const isRegion = kind === "compound";
    const node: Node = {
      id,
      kind,
      children,
      initial: draw.below(Math.max(1, children.length)),
      history: isRegion && !isRoot && draw.chance(0.35) ? draw.pick(["shallow", "deep"] as const) : undefined,
      final: isRegion && draw.chance(0.3),
      moves: [],
      entry: [],
      exit: [],
      always: undefined,
      after: undefined,
      done: undefined,
      invoke: undefined,
    };
    nodes.push(node);
    return node;
  };
  const root = drawNode(2 + draw.below(2), true);

  const act = (mayHaveChildren: boolean, mayRaise: boolean): Act => {
    const name = `${label}.${String(draw.below(100))}`;
    const ms = draw.below(40);
    switch (draw.below(mayHaveChildren && sources.length > 0 ? 12 : 8)) {
      case 0:
      case 1:
        return { do: "trace", name };
      case 2:
        return mayRaise ? { do: "raise", event: draw.pick(RAISED) } : { do: "count" };
      case 3:
        return { do: "later", event: draw.pick(RAISED), ms };
      case 4:
        return { do: "emit", name };
      case 5:
        return { do: "tell-parent", event: draw.pick(SENT) };
      case 6:
        return { do: "queue", name };
      case 8:
        return { do: "spawn" };
      case 9:
        return { do: "stop" };
      case 10:
        return { do: "tell-spawned", event: draw.pick(SENT) };
      case 11:
        return { do: "tell-later", event: draw.pick(SENT), ms };
      default:
        return { do: "count" };
    }
  };
  const acts = (most: number, mayHaveChildren = false, mayRaise = true): readonly Act[] => draw.some(most, () => act(mayHaveChildren, mayRaise));
  const target = (): string => {
    const node = draw.pick(nodes.filter((one) => one !== root));
    if (node.history !== undefined && draw.chance(0.5)) return `#${node.id}_h`;
    return node.final && draw.chance(0.2) ? `#${node.id}_f` : `#${node.id}`;
  };
  const move = (wander: number, list: readonly Act[]): Move => ({
    target: draw.chance(wander) ? target() : undefined,
    reenter: draw.chance(0.25),
    modulo: draw.chance(0.4) ? 2 + draw.below(3) : undefined,
    acts: list,
  });
  for (const node of nodes) {
    node.entry = acts(3);
    node.exit = acts(2);
    const moves: (readonly [string, readonly Move[]])[] = [...SENT, ...RAISED]
      .filter(() => draw.chance(0.3))
      .map((event) => [event, Array.from({ length: 1 + draw.below(2) }, () => move(0.75, acts(3, SENT.includes(event))))]);
    if (draw.chance(0.12)) moves.push(["*", [{ target: undefined, reenter: false, modulo: undefined, acts: [{ do: "trace", name: `${node.id}*` }] }]]);
    node.moves = moves;
    if (node !== root && draw.chance(0.2)) node.always = { target: target(), reenter: false, modulo: 2 + draw.below(3), acts: [{ do: "count" }, ...acts(2, false, false)] };
    if (draw.chance(0.2)) node.after = [5 + draw.below(60), move(1, acts(2))];
    if (node.kind !== "atomic" && draw.chance(0.4)) node.done = move(0.4, [{ do: "trace", name: `${node.id} is done` }]);
    if (sources.length > 0 && draw.chance(0.3)) node.invoke = { source: draw.pick(sources), sync: draw.chance(0.3), done: draw.chance(0.5) ? target() : undefined };
  }
  const children = Object.fromEntries(sources.map((source) => [source, drawActor(draw, generations - 1, `${label}${source}`)]));
  const isBornWith = sources.length > 0 && draw.chance(0.3);
  return { build: (trace, spend) => buildMachine({ root, sources, children, isBornWith, trace, spend }) };
}

interface Plan {
  readonly root: Node;
  readonly sources: readonly string[];
  readonly children: Readonly<Record<string, Drawn>>;
  readonly isBornWith: boolean;
  readonly trace: Trace;
  readonly spend: () => void;
}

function buildMachine(plan: Plan): AnyStateMachine {
  const first = { n: 0, born: 0, spawned: [], seen: "" };
  const root = buildNode(plan, plan.root);
  return machine(
    {
      ...root,
      context: plan.isBornWith ? ({ spawn }) => ({ ...first, spawned: [spawn(plan.sources[0], { id: "first" })] }) : first,
      on: { ...root.on, "xstate.done.actor.*": { actions: plan.trace("a child is done") } },
      output: ({ context }) => context.n,
      options: { maxIterations: 200 },
    },
    { actors: Object.fromEntries(Object.entries(plan.children).map(([source, drawn]) => [source, drawn.build(plan.trace, plan.spend)])) },
  );
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a machine's configuration, for `machine` of loose.ts
function buildNode(plan: Plan, node: Node): any {
  const { trace, spend } = plan;
  const acts = (list: readonly Act[]): unknown[] => list.map((one) => buildAct(plan, one));
  const isUnder = ({ n }: { n: number }, modulo: number): boolean => {
    spend();
    return n % modulo !== 0;
  };
  const move = ({ target, reenter, modulo, acts: list }: Move): object => ({
    ...(target === undefined ? {} : { target, reenter }),
    ...(modulo === undefined ? {} : { guard: ({ context }: { context: { n: number } }) => isUnder(context, modulo) }),
    actions: acts(list),
  });
  const states: Record<string, unknown> = {};
  // Keys that look like integers come first in an object, whatever the order of writing.
  node.children.forEach((child, at) => {
    states[at % 2 === 1 ? String(at) : child.id] = buildNode(plan, child);
  });
  const initial = Object.keys(states)[Math.min(node.initial, node.children.length - 1)];
  if (node.history !== undefined) states[`${node.id}_h`] = { type: "history", history: node.history, id: `${node.id}_h` };
  if (node.final) states[`${node.id}_f`] = { type: "final", id: `${node.id}_f` };
  const { always, after, done, invoke } = node;
  return {
    id: node.id,
    entry: acts(node.entry),
    exit: acts(node.exit),
    on: Object.fromEntries(node.moves.map(([event, moves]) => [event, moves.map(move)])),
    ...(always === undefined ? {} : { always: { ...move(always), guard: ({ context }: { context: { n: number } }) => isUnder(context, always.modulo ?? 2) && context.n < 40 } }),
    ...(after === undefined ? {} : { after: { [after[0]]: move(after[1]) } }),
    ...(done === undefined ? {} : { onDone: move(done) }),
    ...(invoke === undefined
      ? {}
      : {
          invoke: {
            src: invoke.source,
            id: `invoked_${node.id}`,
            onDone: { ...(invoke.done === undefined ? {} : { target: invoke.done }), actions: trace(`${node.id} has its result`) },
            ...(invoke.sync ? { onSnapshot: { actions: assign({ seen: ({ event }) => JSON.stringify(event.snapshot.value) }) } } : {}),
          },
        }),
    ...(node.kind === "parallel" ? { type: "parallel" } : {}),
    ...(node.kind === "atomic" ? {} : { states }),
    ...(node.kind === "compound" ? { initial } : {}),
  };
}

function buildAct(plan: Plan, act: Act): unknown {
  const { trace, spend, sources } = plan;
  const counted = ({ context }: { context: { n: number } }): number => {
    spend();
    return context.n + 1;
  };
  switch (act.do) {
    case "trace":
      return () => {
        spend();
        trace(act.name)();
      };
    case "count":
      return assign({ n: counted });
    case "emit":
      return emit(({ context }) => ({ type: "heard", name: act.name, n: context.n }));
    case "queue":
      return enqueueActions(({ enqueue, context }) => {
        enqueue(trace(`queued ${act.name}`));
        if (context.n % 2 === 1) enqueue.emit({ type: "odd" });
      });
    case "raise":
      return enqueueActions(({ enqueue, context }) => {
        if (context.n >= PATIENCE) return;
        enqueue.assign({ n: counted });
        enqueue.raise({ type: act.event });
      });
    case "later":
      return raise({ type: act.event }, { delay: act.ms });
    case "tell-parent":
      return enqueueActions(({ enqueue, self, context }) => {
        if (self._parent === undefined || context.n >= PATIENCE) return;
        enqueue.assign({ n: counted });
        enqueue.sendParent({ type: act.event, from: self.id });
      });
    case "spawn":
      return assign({
        spawned: ({ context, spawn }) =>
          context.spawned.length < 3 ? [...context.spawned, spawn(sources[context.n % sources.length], { id: `s${String(context.born)}` })] : context.spawned,
        born: ({ context }) => context.born + 1,
      });
    case "stop":
      return enqueueActions(({ enqueue, context }) => {
        if (context.spawned.length === 0) return;
        enqueue.stopChild(context.spawned[0]);
        enqueue.assign({ spawned: () => context.spawned.slice(1) });
      });
    case "tell-spawned":
      return enqueueActions(({ enqueue, context }) => {
        if (context.n < PATIENCE) for (const child of context.spawned) enqueue.sendTo(child, { type: act.event });
      });
    case "tell-later":
      return enqueueActions(({ enqueue, context }) => {
        if (context.spawned.length > 0) enqueue.sendTo(context.spawned.at(-1), { type: act.event }, { delay: act.ms });
      });
  }
}
