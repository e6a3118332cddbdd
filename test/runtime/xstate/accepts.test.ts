// Which messages a state is said to take, against bare XState's own `can`: whatever the guards say.

import { test } from "tap";
import { type AnyStateMachine, createActor } from "xstate";

import { form } from "../../forms.ts";
import { acceptsOf } from "../../../runtime/xstate/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { type LooseRecord, machine } from "./loose.ts";

const TYPES = ["a", "a.b", "a.b.c", "b"];
const DESCRIPTORS = [...TYPES, "a.*", "a.b.*", "*"];
const MOST_GUARDS = 5;
const MACHINES = form(200, 1_500);

interface Drawn {
  readonly machine: AnyStateMachine;
  /** What each guard says; the machine asks it. */
  readonly says: boolean[];
}

function draw(seed: number): Drawn {
  const random = new SeededRandom(seed);
  const below = (limit: number): number => Math.floor(random.next() * limit);
  const says: boolean[] = [];
  const guard = (): LooseRecord => {
    if (says.length === MOST_GUARDS || below(2) === 0) return {};
    const at = says.push(false) - 1;
    return { guard: () => says[at] };
  };
  const move = (id: string): LooseRecord => ({ ...guard(), ...[{}, { target: `#${id}` }, { actions: () => undefined }][below(3)] });
  let ids = 0;
  const state = (depth: number): LooseRecord => {
    const id = `s${String(ids++)}`;
    const on = Object.fromEntries(DESCRIPTORS.filter(() => below(5) === 0).map((descriptor) => [descriptor, Array.from({ length: 1 + below(2) }, () => move(id))]));
    if (depth === 0) return { id, on };
    const states = Object.fromEntries(["x", "y"].map((name) => [name, state(depth - 1 - below(2) < 0 ? 0 : depth - 1)]));
    return { id, on, states, ...(below(2) === 0 ? { type: "parallel" } : { initial: "x" }) };
  };
  return { machine: machine(state(1 + below(2))), says };
}

/** Every type that XState would do something with under some of what the guards can say. */
function canBy({ machine: drawn, says }: Drawn): readonly string[] {
  const snapshot = createActor(drawn).start().getSnapshot();
  const can = new Set<string>();
  for (let combination = 0; combination < 2 ** says.length; combination++) {
    for (let at = 0; at < says.length; at++) says[at] = (combination & (2 ** at)) !== 0;
    for (const type of TYPES) if (snapshot.can({ type })) can.add(type);
  }
  return TYPES.filter((type) => can.has(type));
}

test("A1, A4. the accepted events are those that XState can take, whatever the guards say: inner states first, forbidden ones, wildcards", (t) => {
  const counts = { all: 0, none: 0 };
  for (let seed = 1; seed <= MACHINES; seed++) {
    const drawn = draw(seed);
    const { _nodes } = createActor(drawn.machine).start().getSnapshot() as never as { readonly _nodes: never };
    const accepts = acceptsOf(drawn.machine, _nodes, TYPES);
    const can = canBy(drawn);
    if (accepts.join() !== can.join()) t.fail(`seed ${String(seed)}: ${accepts.join(" ")} are told, XState takes ${can.join(" ")}`);
    if (can.length === 0) counts.none++;
    if (can.length === TYPES.length) counts.all++;
  }
  t.ok(counts.none > MACHINES / 50 && counts.all > MACHINES / 50 && counts.none + counts.all < MACHINES * 0.8, `they differ: ${JSON.stringify(counts)} of ${String(MACHINES)}`);
  t.end();
});
