// What is between the buses and the vehicle's actors, put together: values in, facts told, commands judged at the door and again at the hand-over.

import { moduleType, ownerType, vehicleEntity } from "../actors/index.ts";
import type { VehicleModel } from "../actors/vehicle-file/index.ts";
import { type Address, createSystem, type System } from "../runtime/index.ts";
import type { StepWatch, Store } from "../runtime/ports/index.ts";
import { type BusFacts, createBusFacts } from "./bus-facts.ts";
import { type Channels, createChannels } from "./channels.ts";
import { commandDoor } from "./command-door.ts";
import { type CommandList, commandList } from "./commands.ts";
import { type Confirmations, createConfirmations } from "./confirmations.ts";
import { createModuleFacts, type ModuleFacts } from "./module-facts.ts";
import { createPipeline, type Pipeline } from "./pipeline.ts";
import type { EdgePorts } from "./ports.ts";
import type { SentFrames } from "./sent-frames.ts";
import { createTeller, type Teller } from "./teller.ts";
import { createTransmit, type Transmit } from "./transmit.ts";
import { createVehicleFacts, type VehicleFacts } from "./vehicle-facts.ts";

export interface VehicleWorks {
  readonly commands: CommandList;
  readonly pipeline: Pipeline;
  readonly channels: Channels;
  readonly confirmations: Confirmations;
  readonly transmit: Transmit;
  readonly teller: Teller;
  readonly facts: readonly (ModuleFacts | VehicleFacts | BusFacts)[];
  readonly system: System;
}

export interface VehicleWorksOptions {
  readonly model: VehicleModel & { readonly vehicle: string };
  readonly node: string;
  /** Known once the store is open. */
  readonly epoch: () => number;
  readonly store: Store;
  readonly sent: SentFrames;
  readonly stepWatch: StepWatch | undefined;
  readonly ports: EdgePorts;
}

export function vehicleWorks({ model, node, epoch, store, sent, stepWatch, ports }: VehicleWorksOptions): VehicleWorks {
  const { clock, random, log, defer } = ports;
  const commands = commandList(model, model.vehicle);
  const pipeline = createPipeline(model, clock);
  const channels = createChannels(model, pipeline);
  const effects = { transmitState: perform, transmitOnce: perform };
  const system = createSystem({
    node,
    types: [vehicleEntity, moduleType.with({ effects }), ownerType.with({ effects })],
    store,
    clock,
    random,
    log,
    ...(stepWatch === undefined ? {} : { stepWatch }),
    get epoch() {
      return epoch();
    },
    door: (message, type) => door(message, type),
    ...(defer === undefined ? {} : { defer }),
  });
  const read = (address: Address): ReturnType<System["read"]> => system.read(address);
  const confirmations = createConfirmations({ pipeline, channels, system, clock });
  const transmit = createTransmit({ commands, channels, confirmations, pipeline, sent, clock, read });
  const teller = createTeller(system, clock);
  const moduleFacts = createModuleFacts({ commands, pipeline, channels, confirmations, teller, system, clock });
  const facts = [createVehicleFacts({ commands, pipeline, teller, system }), createBusFacts({ commands, pipeline, teller, system }), moduleFacts];
  const door = commandDoor({ commands, channels, pipeline, clock, read, isPresenceKnown: (...of) => moduleFacts.isPresenceKnown(...of) });

  function perform(...work: Parameters<Transmit["perform"]>): ReturnType<Transmit["perform"]> {
    return transmit.perform(...work);
  }

  return { commands, pipeline, channels, confirmations, transmit, teller, facts, system };
}
