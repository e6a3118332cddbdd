// The vehicle's entity as a supervised child: activated with the children that the file describes, told what the bus shows, given up when it cannot go on.
//
// Where the runtime keeps it out, because its code ended this node's processes (rules M4), the node runs without its actors until it comes: what stands on them would end with the tree.
//
// Once active, what its committed contexts still want is watched again; nothing is sent for it (rules F1, vehicle V2).

import type { ModuleContext, ModuleInput, VehicleInput } from "../actors/index.ts";
import { builtInModuleTypes } from "../actors/module-types/index.ts";
import type { ModelModule } from "../actors/vehicle-file/index.ts";
import { DroverError, type EntityChild, lifeOf, type Startable, type System, untilAborted } from "../runtime/index.ts";
import type { Clock, Log, Store, TimeoutHandle } from "../runtime/ports/index.ts";
import type { BusFacts } from "./bus-facts.ts";
import type { Channels } from "./channels.ts";
import type { CommandList } from "./commands.ts";
import type { Confirmations } from "./confirmations.ts";
import { type ModuleFacts, outputsOf } from "./module-facts.ts";
import type { KeptMute } from "./kept-mute.ts";
import type { Pipeline } from "./pipeline.ts";
import { tellVehicle } from "./store-loss.ts";
import type { Teller } from "./teller.ts";
import type { UpdateFacts } from "./update-safety.ts";
import type { VehicleFacts } from "./vehicle-facts.ts";

const BEAT_MS = 50;
/** While it is kept out: whether it is still. */
const LOOK_AGAIN_MS = 5_000;
const OWNER_COMMAND = "climate.setpoint.request";

export interface VehicleLifeOptions {
  readonly system: System;
  readonly commands: CommandList;
  readonly pipeline: Pipeline;
  readonly channels: Channels;
  readonly confirmations: Confirmations;
  readonly teller: Teller;
  readonly facts: readonly (ModuleFacts | VehicleFacts | BusFacts | UpdateFacts)[];
  readonly clock: Clock;
  readonly log: Log;
  /** Where what was lost is kept until the vehicle has taken it. */
  readonly store: Store;
  readonly keptMute: KeptMute;
}

export function vehicleLife(options: VehicleLifeOptions): Startable {
  const { system, commands, pipeline, confirmations, teller, clock } = options;
  const { vehicle, model } = commands;

  return lifeOf(async ({ ready }, signal) => {
    const input: VehicleInput = { model: model.model, buses: model.buses.map(({ name }) => name), simulated: pipeline.simulated, muted: options.keptMute.muted() };
    const children = model.modules.map((module) => childOf(module, options.channels, commands));
    const stopped = untilAborted(signal);
    const dropped: string[] = [];
    const stopNoting = system.watch(({ entity, record }) => {
      if (entity !== vehicle) return;
      for (const input of record?.inputs ?? []) if (input.kind === "performed" && input.outcome.kind === "dropped") dropped.push(input.key);
    });
    let isReady = false;
    while (!(await comes(() => system.activate(vehicle, { input, labels: model.labels, children })))) {
      if (!isReady) ready();
      isReady = true;
      await pause(LOOK_AGAIN_MS, stopped);
      if (signal.aborted) {
        stopNoting();
        await system.deactivate(vehicle);
        return;
      }
    }
    stopNoting();
    teller.reset();
    confirmations.reset();
    watchAgain(dropped);
    await tellVehicle({ vehicle, system, store: options.store }, () => signal.aborted);
    const stopKeeping = options.keptMute.begin();
    const stopFollowing = system.watch(({ entity, record }) => {
      if (entity !== vehicle || record?.inputs[0]?.kind !== "upgrade") return;
      // Its actors have gone over to newer versions while it runs.
      teller.reset();
      watchAgain([]);
    });
    const stopBeat = beating();
    if (!isReady) ready();
    try {
      await Promise.race([
        stopped,
        system.ended(vehicle).then(() => {
          if (!signal.aborted) throw new Error("the vehicle's entity was stopped by another than its supervisor");
        }),
      ]);
    } finally {
      stopBeat();
      stopFollowing();
      await stopKeeping();
      await system.deactivate(vehicle);
    }
  });

  /** @returns false: it is kept out, which the runtime has logged */
  async function comes(activate: () => Promise<void>): Promise<boolean> {
    try {
      await activate();
      return true;
    } catch (cause) {
      if (cause instanceof DroverError && cause.code === "DROVER_ACTOR_HUNG") return false;
      throw cause;
    }
  }

  async function pause(ms: number, stopped: Promise<void>): Promise<void> {
    let timer: TimeoutHandle | undefined;
    await Promise.race([stopped, new Promise<void>((resolve) => (timer = clock.setTimeout(resolve, ms)))]);
    clock.clearTimeout(timer);
  }

  function beating(): () => void {
    let timer: TimeoutHandle | undefined;
    const beat = (): void => {
      timer = clock.setTimeout(beat, BEAT_MS);
      const nowMs = clock.monotonic();
      if (!pipeline.hearing.beat(nowMs)) return;
      try {
        confirmations.beat(nowMs);
        for (const fact of options.facts) fact.beat(nowMs);
      } catch (error) {
        options.log.error({ err: error }, "facts of the bus could not be told");
      }
    };
    timer = clock.setTimeout(beat, 0);
    return () => {
      clock.clearTimeout(timer);
      pipeline.hearing.rest();
    };
  }

  /** @param dropped keys of `state` effects that the recovery found unconfirmed; of an unconfirmed `once` effect the module's own state tells (rules F1) */
  function watchAgain(dropped: readonly string[]): void {
    for (const module of model.modules) {
      const actor = commands.moduleAddress(module.name);
      const { outputs } = (system.read(actor)?.context ?? { outputs: {} }) as ModuleContext;
      // Which of its outputs an effect was for, its key does not tell.
      const wasDropped = dropped.some((key) => key.startsWith(`${actor}#`));
      for (const [output, { desired, state }] of Object.entries(outputs)) {
        const listed = desired === undefined ? undefined : commands.committed(desired.command, module.name, output);
        if (desired !== undefined && listed !== undefined)
          confirmations.again({ actor, key: desired.key, target: listed.target, value: desired.value }, wasDropped || state === "unknown");
      }
    }
  }
}

function childOf(module: ModelModule, channels: Channels, commands: CommandList): EntityChild {
  const { name, bus } = module;
  const place = { hardware: module.hardware ?? null, address: module.address ?? null };
  const input: ModuleInput = { moduleType: module.type ?? null, bus, ...place, outputs: outputsOf(channels, name), offers: commands.offersOf(name), ...commands.termsOf(name) };
  return { kind: "module", id: name, type: isOwner(module) ? "setpoint-owner" : "module", input };
}

/** Its type has a set point of its own (Therma). */
function isOwner(module: ModelModule): boolean {
  const type = module.type === undefined ? undefined : builtInModuleTypes.get(module.type);
  return type !== undefined && Object.hasOwn(type.commands, OWNER_COMMAND);
}
