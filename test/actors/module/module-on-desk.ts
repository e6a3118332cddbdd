// A vehicle's entity in memory, its effects recorded instead of performed: what the machines decide, without a bus.

import { moduleType, ownerType, type Transmission, vehicleEntity } from "../../../actors/index.ts";
import { type Answer, createSystem, type EffectOutcome, type EventData, parseAddress, type ReadValue, type System } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, memoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";

export const VEHICLE = parseAddress("demo/vehicle/car");
export const LAMPS = parseAddress("demo/vehicle/car/module/lamps");
export const HEATER = parseAddress("demo/vehicle/car/module/heater");

export interface ModuleDesk {
  readonly system: System;
  readonly clock: ManualClock;
  readonly disk: MemoryDisk;
  /** Frames that the machines asked for. */
  readonly transmissions: (Transmission & { readonly class: "state" | "once" })[];
  /** What the door would copy. */
  reported: ReadValue;
  guardOpen: boolean | undefined | "none";
  /** How the next transmissions end. */
  outcome: "done" | Extract<EffectOutcome, { kind: "refused" | "unknown" }>;
  context(address: string): unknown;
  state(address: string): unknown;
  ask(to: string, event: EventData, id?: string): Promise<Answer>;
  fact(to: string, event: EventData): Promise<void>;
}

export async function moduleDesk(disk = new MemoryDisk(), clock = new ManualClock()): Promise<ModuleDesk> {
  const transmissions: ModuleDesk["transmissions"] = [];
  const perform = (kind: "state" | "once") => (transmission: Transmission) => {
    transmissions.push({ ...transmission, class: kind });
    const { outcome } = desk;
    if (outcome === "done") return undefined;
    return outcome.kind === "refused" ? { ...outcome, accepts: [] } : { kind: "unknown" as const, reason: outcome.reason ?? "" };
  };
  const effects = { transmitState: perform("state"), transmitOnce: perform("once") };
  const store = memoryStore({ disk });
  await store.open();
  const system = createSystem({
    node: "edge",
    types: [vehicleEntity, moduleType.with({ effects }), ownerType.with({ effects })],
    store,
    clock,
    random: new SeededRandom(1),
    log: silentLog,
    door: () => {
      const { reported, guardOpen } = desk;
      return {
        kind: "pass",
        reads: {
          signals: { reported: { signal: "x", value: reported?.value, ageMs: reported?.ageMs } },
          ...(guardOpen === "none" ? {} : { guard: { condition: "parked", open: guardOpen, reads: [] } }),
        },
      };
    },
  });
  await system.start();
  await system.activate(VEHICLE, {
    input: { model: "car", buses: ["can0"], simulated: false },
    children: [
      {
        kind: "module",
        id: "lamps",
        type: "module",
        input: { moduleType: "trailcurrent/torrent", bus: "can0", outputs: ["left", "right"], offers: { "light.set": "light.set", "door.light": "relay.set" } },
      },
      { kind: "module", id: "heater", type: "setpoint-owner", input: { moduleType: "trailcurrent/therma", bus: "can0", outputs: [], offers: {} } },
    ],
  });
  const view = (address: string): { readonly state: unknown; readonly context: unknown } => {
    const found = system.read(parseAddress(address));
    if (found === undefined) throw new Error(`${address} is not there`);
    return found;
  };
  const desk: ModuleDesk = {
    system,
    clock,
    disk,
    transmissions,
    reported: { value: 0, ageMs: 10 },
    guardOpen: "none",
    outcome: "done",
    context: (address) => view(address).context,
    state: (address) => view(address).state,
    ask: (to, event, id) => system.ask(to, event, { withinMs: 60_000, ...(id === undefined ? {} : { id }) }),
    fact: async (to, event) => {
      system.notify(parseAddress(to), event);
      await clock.advance(1);
    },
  };
  return desk;
}

/** An asked command, with what became of it so far. */
export async function asked(desk: ModuleDesk, to: string, event: EventData, id?: string): Promise<{ answer: Answer | undefined }> {
  const seen: { answer: Answer | undefined } = { answer: undefined };
  void desk.ask(to, event, id).then((answer) => {
    seen.answer = answer;
  });
  await desk.clock.advance(1);
  return seen;
}
