// What a vehicle's node does for its updates and finds on its bus, over boards instead of frames: five tasks, and facts that are told to actors until they show them (edge-node/update-*.ts).
//
// N1. A board speaks when it boots, and when its node has come back: a first peer has appeared (research: 0x04).
// N2. Whoever has died waits for nothing: all time of a task is that of its process.

import type { ModuleContext, UpdateTasks, VehicleContext } from "../../../actors/index.ts";
import { type EventData, parseAddress, type System } from "../../../runtime/index.ts";
import type { ProcessPorts } from "../../../runtime/simulation/index.ts";
import { type Board, type Surroundings, WINDOW_MS } from "./board.ts";

export const MODULE = "torrent-0";
const HALF_AN_UPLOAD_MS = 10_000;
const LOOK_EVERY_MS = 500;
const KEEP_MS = 2_000;
const NO_ECHO = 0.1;
const NO_LINK = 0.1;
const NOT_PARKED = "not parked";

export interface Eyes {
  readonly tasks: UpdateTasks;
  /** Tells what is not as the actors of this run show it. @param system of the present run */
  look(system: System): void;
  /** It has told its version. */
  told(board: Board, system: System | undefined): void;
  /** It has fallen silent. */
  silenced(board: Board, system: System | undefined): void;
}

/** Of one run of a node. @param boards by vehicle, those of this node @param involved vehicles that were ever offered something; grows */
export function createEyes(
  boards: ReadonlyMap<string, Board>,
  involved: Set<string>,
  world: Surroundings,
  { clock, random }: Pick<ProcessPorts, "clock" | "random">,
  running: () => System | undefined,
): Eyes {
  /** N1. */
  const heard = new Map<string, { readonly firmware: string; readonly at: number }>();
  const wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return;
      const callOff = (): void => {
        clock.clearTimeout(handle);
      };
      const handle = clock.setTimeout(() => {
        signal.removeEventListener("abort", callOff);
        resolve();
      }, ms);
      signal.addEventListener("abort", callOff, { once: true });
    });
  const boardOf = (actor: string): Board => {
    const vehicle = actor.split("/").slice(0, 3).join("/");
    const board = boards.get(vehicle);
    if (board === undefined) throw new Error(`there is no vehicle ${vehicle} here`);
    involved.add(vehicle);
    return board;
  };
  const contextOf = (address: string): unknown => running()?.read(parseAddress(address))?.context;
  const moduleOf = ({ vehicle }: Board): ModuleContext | undefined => contextOf(`${vehicle}/module/${MODULE}`) as ModuleContext | undefined;

  function lookAt(board: Board, system: System): void {
    const { vehicle, part, isOn, isParked, firmware } = board;
    const module = `${vehicle}/module/${MODULE}`;
    const tell = (to: string, event: EventData): void => void system.notify(parseAddress(to), event);
    const view = system.read(parseAddress(module));
    if (view === undefined) return;
    if (isOn && !heard.has(vehicle)) heard.set(vehicle, { firmware, at: clock.now() });
    const { presence } = view.state as { readonly presence?: string };
    if (isOn !== (presence === "present")) tell(module, { type: isOn ? "module.seen" : "module.silenced" });
    const report = heard.get(vehicle);
    if (report !== undefined && report.at !== (view.context as ModuleContext).identifiedAt) tell(module, { type: "module.identified", part, ...report });
    const { updates } = (contextOf(vehicle) ?? {}) as Partial<VehicleContext>;
    for (const { module: name } of updates?.campaign?.updates ?? []) {
      const known = updates?.campaign?.safety[name];
      const why = isParked ? null : NOT_PARKED;
      if (known?.open !== isParked || known.why !== why) tell(vehicle, { type: "safety.observed", module: name, open: isParked, ...(why === null ? {} : { why }) });
    }
  }

  return {
    look: (system) => {
      for (const vehicle of involved) {
        const board = boards.get(vehicle);
        if (board !== undefined) lookAt(board, system);
      }
    },
    told: (board, system) => {
      heard.set(board.vehicle, { firmware: board.firmware, at: clock.now() });
      if (system !== undefined) lookAt(board, system);
    },
    silenced: (board, system) => {
      if (system !== undefined) lookAt(board, system);
    },
    tasks: {
      "module.check": async (_, { actor, signal }) => {
        const board = boardOf(actor);
        for (let module = moduleOf(board); ; module = moduleOf(board)) {
          if (typeof module?.firmware === "string")
            return { kind: "fits", part: board.part, firmware: module.firmware, reportedAt: module.identifiedAt ?? null, windowMs: WINDOW_MS };
          const system = running();
          if (system !== undefined) lookAt(board, system);
          await wait(LOOK_EVERY_MS, signal);
        }
      },
      "image.keep": async (_, { signal }) => {
        await wait(random.next() * KEEP_MS, signal);
        if (random.next() < NO_LINK) throw new Error("no link");
        return { kind: "kept" };
      },
      "module.trigger": async ({ attempt }, { actor, signal }) => {
        const board = boardOf(actor);
        if (!board.isParked) return { kind: "refused", why: NOT_PARKED };
        board.trigger(attempt, world);
        // Its echo, without which nobody knows whether it has left.
        if (random.next() < NO_ECHO) await new Promise(() => undefined);
        await wait(1 + random.next() * 200, signal);
        return { kind: "sent" };
      },
      "module.await": async ({ withinMs }, { actor, signal }) => {
        const board = boardOf(actor);
        for (let passed = 0; passed < withinMs; passed += LOOK_EVERY_MS * 4) {
          if (board.isOpen(world.nowMs())) return { kind: "open" };
          await wait(LOOK_EVERY_MS * 4, signal);
        }
        return { kind: "closed", why: "its port did not open" };
      },
      "module.upload": async ({ attempt, module }, { actor, signal }) => {
        const board = boardOf(actor);
        await wait(HALF_AN_UPLOAD_MS, signal);
        if (!board.takesOn(world)) return { kind: "broken", why: "cut after 50 %" };
        running()?.notify(parseAddress(board.vehicle), { type: "upload.progressed", module, attempt, percent: 50 });
        await wait(HALF_AN_UPLOAD_MS, signal);
        return board.takes(world) ? { kind: "taken", at: clock.now() } : { kind: "broken", why: "no answer" };
      },
    },
  };
}
