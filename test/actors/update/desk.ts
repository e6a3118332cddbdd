// A vehicle with its campaign on a clock that moves when told, modules of a rig behind it, and a stand-in for the group that offers: it says what it is told to, and writes down what is reported.

import { type VehicleContext, vehicleEntity, type VehicleUpdates, vehicleRoot } from "../../../actors/index.ts";
import { targetReports } from "../../../actors/campaign/index.ts";
import { actorType, type Answer, createSystem, type EntityChild, entityType, type EventData, messages, parseAddress, reducer, type System, T } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, memoryStore, type MemoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";
import { NEW, Rig } from "./rig.ts";

export const VEHICLE = "demo/vehicle/car";
const GROUP = "demo/group/g";
export const TARGET = `${GROUP}/target/0`;
export const ROLLOUT = "torrent-2";
const STEP_MS = 500;

export interface Reported {
  readonly state: string;
  readonly ask: number;
  readonly why?: string;
  readonly module?: string;
  readonly update?: string;
  readonly progress?: number;
  readonly attempt?: number;
}

const group = actorType({
  name: "group",
  version: 1,
  messages: messages({ "group.say": { body: { event: T.Any() } } }),
  behaviour: reducer<null, { readonly type: string; readonly event: EventData }>({
    initial: () => null,
    step: (state, { event }, turn) => {
      turn.send(VEHICLE, event);
      return state;
    },
  }),
});
const target = actorType({
  name: "target",
  version: 1,
  messages: targetReports,
  behaviour: reducer<readonly Reported[], Reported & { readonly type: string; readonly sender: string }>({
    initial: () => [],
    step: (all, event) => {
      const { type: _type, sender: _sender, ...said } = event;
      return [...all, said];
    },
  }),
});
const groupEntity = entityType({ root: group, durability: "events", placement: "cloud", children: { target: { types: [target], strategy: "one-for-one" } } });

export const offerOf = (modules: readonly string[], more: object = {}): EventData => ({
  type: "campaign.offer",
  rollout: ROLLOUT,
  target: TARGET,
  updates: modules.map((module) => ({ module, version: NEW, sha256: "a".repeat(64), bytes: 1_000_000 })),
  attempts: 3,
  darkMs: 300_000,
  ...more,
});

export interface Desk {
  readonly rig: Rig;
  readonly clock: ManualClock;
  readonly disk: MemoryDisk;
  system(): System;
  /** What the stand-in's target has heard, in order. */
  reports(target?: string): readonly Reported[];
  last(target?: string): Reported | undefined;
  updates(): VehicleUpdates;
  vehicle(): { readonly state: unknown; readonly context: VehicleContext };
  /** Of the group. */
  say(event: EventData, from?: string): Promise<void>;
  /** The word to begin, for the newest ask. */
  go(): Promise<void>;
  ask(event: EventData): Promise<Answer>;
  pass(ms: number): Promise<void>;
  /** The wall clock is set. */
  correct(byMs: number): Promise<void>;
  /** Time passes until it holds; at most so long. */
  until(holds: () => boolean, what?: string, mostMs?: number, stepMs?: number): Promise<void>;
  untilState(...states: readonly string[]): Promise<void>;
  untilUpdate(module: string, ...states: readonly string[]): Promise<void>;
  stateOf(module: string): string | undefined;
  /** The process dies and the next one begins. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface DeskOptions {
  readonly modules?: readonly string[];
  readonly types?: (rig: Rig) => Parameters<typeof createSystem>[0]["types"];
  readonly disk?: MemoryDisk;
  readonly clock?: ManualClock;
  readonly versions?: "raised-at-start";
  /** Modules have told their version before anything is offered. Default true. */
  readonly isHeard?: boolean;
}

export async function desk(options: DeskOptions = {}): Promise<Desk> {
  const { modules = ["torrent-0"], disk = new MemoryDisk(), clock = new ManualClock() } = options;
  const began = clock.now() - clock.monotonic();
  const rig = new Rig(
    VEHICLE,
    () => clock.now(),
    modules,
    "good",
    () => began + clock.monotonic(),
  );
  const children = modules.map(
    (id): EntityChild => ({ kind: "module", id, type: "module", input: { moduleType: "trailcurrent/torrent", bus: "can0", outputs: ["1"], offers: {} } }),
  );
  const types = options.types ?? ((of) => [vehicleEntity, vehicleRoot.with({ inner: { tasks: { ...of.tasks } } })]);
  let { system, store } = await begin();

  async function begin(): Promise<{ readonly system: System; readonly store: MemoryStore }> {
    const opened = memoryStore({ disk });
    await opened.open();
    const made = createSystem({
      node: "edge",
      types: [...types(rig), groupEntity],
      store: opened,
      clock,
      random: new SeededRandom(1),
      log: silentLog,
      ...(options.versions === undefined ? {} : { versions: options.versions }),
    });
    rig.plug(made);
    await made.start();
    await made.activate(parseAddress(VEHICLE), { input: { model: "car", buses: ["can0"], simulated: true }, children });
    for (const each of [GROUP, "demo/group/other"])
      await made.activate(parseAddress(each), {
        input: null,
        children: ["0", "1", "2", "3", "4", "5"].map((id): EntityChild => ({ kind: "target", id, type: "target", input: null })),
      });
    made.notify(parseAddress(VEHICLE), { type: "bus.changed", bus: "can0", state: "awake" });
    return { system: made, store: opened };
  }

  const contextOf = (address: string): unknown => system.read(parseAddress(address))?.context;
  const made: Desk = {
    rig,
    clock,
    disk,
    system: () => system,
    reports: (of = TARGET) => system.read(parseAddress(of))?.context as readonly Reported[],
    last: (of) => made.reports(of).at(-1),
    updates: () => made.vehicle().context.updates as VehicleUpdates,
    vehicle: () => ({ state: system.read(parseAddress(VEHICLE))?.state, context: contextOf(VEHICLE) as VehicleContext }),
    say: async (event, from = GROUP) => {
      void system.tell(from, { type: "group.say", event });
      await made.pass(STEP_MS);
    },
    go: () => made.say({ type: "campaign.go", rollout: ROLLOUT, ask: made.last()?.ask ?? 0 }),
    ask: async (event) => {
      const answer = system.ask(VEHICLE, event, { withinMs: 5_000, author: "ann" });
      await made.pass(STEP_MS);
      return answer;
    },
    pass: async (ms) => {
      for (let passed = 0; passed < ms; passed += STEP_MS) {
        await clock.advance(Math.min(STEP_MS, ms - passed));
        rig.step();
      }
    },
    correct: async (byMs) => {
      clock.jump(byMs);
      rig.corrected(byMs);
      await made.pass(STEP_MS);
    },
    until: async (holds, what = "what was waited for", mostMs = 3_600_000, stepMs = STEP_MS) => {
      for (let passed = 0; passed < mostMs; passed += stepMs) {
        if (holds()) return;
        await clock.advance(stepMs);
        rig.step();
      }
      throw new Error(`${what} has not come in time; ${JSON.stringify(made.updates())}`);
    },
    untilState: (...states) => made.until(() => states.includes(made.last()?.state ?? ""), `one of ${states.join(", ")}`),
    untilUpdate: (module, ...states) => made.until(() => states.includes(made.stateOf(module) ?? ""), `${module} ${states.join(" or ")}`),
    stateOf: (module) => (contextOf(VEHICLE) as VehicleContext | undefined)?.updates?.campaign?.updates.find((each) => each.module === module)?.state,
    restart: async () => {
      store.crash();
      rig.plug(undefined);
      ({ system, store } = await begin());
    },
    stop: () => system.stop(),
  };
  if (options.isHeard !== false) for (const name of modules) rig.says(name);
  rig.step();
  await made.pass(1_000);
  return made;
}

/** Offered, staged, and told to begin. */
export async function begunDesk(options: DeskOptions & { readonly offer?: object } = {}): Promise<Desk> {
  const made = await desk(options);
  await made.say(offerOf(options.modules ?? ["torrent-0"], options.offer));
  await made.untilState("ready");
  await made.go();
  return made;
}
