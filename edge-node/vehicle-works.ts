// What is between the buses and the vehicle's actors, put together: values in, facts told, commands judged at the door and again at the hand-over, what updates of modules do.

import { moduleType, ownerType, vehicleEntity, vehicleRoot } from "../actors/index.ts";
import type { VehicleModel } from "../actors/vehicle-file/index.ts";
import { UNSHIPPED_JOURNAL } from "../protocols/uplink/index.ts";
import { type Address, createSystem, type System } from "../runtime/index.ts";
import type { StepWatch, Store } from "../runtime/ports/index.ts";
import { type BusFacts, createBusFacts } from "./bus-facts.ts";
import { type Channels, createChannels } from "./channels.ts";
import { commandDoor } from "./command-door.ts";
import { type CommandList, commandList } from "./commands.ts";
import type { EdgeConfig } from "./config.ts";
import { type Confirmations, createConfirmations } from "./confirmations.ts";
import { createModuleFacts, type ModuleFacts } from "./module-facts.ts";
import { createPipeline, type Pipeline } from "./pipeline.ts";
import { createFrameSender, type FrameSender } from "./frame-sender.ts";
import type { EdgePorts } from "./ports.ts";
import type { SentFrames } from "./sent-frames.ts";
import { createTeller, type Teller } from "./teller.ts";
import { createTransmit, type Transmit } from "./transmit.ts";
import type { UpdatePorts, UpdatePortsOptions } from "./update-ports.ts";
import { createUpdateFacts, createUpdateSafety, type UpdateFacts } from "./update-safety.ts";
import { updateTasks } from "./update-tasks.ts";
import { createUpdateTrigger } from "./update-trigger.ts";
import { uploadUrls } from "./upload-urls.ts";
import { createVehicleFacts, type VehicleFacts } from "./vehicle-facts.ts";

export interface VehicleWorks {
  readonly commands: CommandList;
  readonly pipeline: Pipeline;
  readonly channels: Channels;
  readonly confirmations: Confirmations;
  readonly transmit: Transmit;
  readonly sender: FrameSender;
  readonly teller: Teller;
  readonly facts: readonly (ModuleFacts | VehicleFacts | BusFacts | UpdateFacts)[];
  readonly system: System;
  /** undefined: this node updates no module. */
  readonly updates: UpdatePorts | undefined;
}

export interface VehicleWorksOptions {
  readonly config: EdgeConfig;
  readonly model: VehicleModel & { readonly vehicle: string };
  readonly node: string;
  readonly names: UpdatePortsOptions["vehicle"];
  /** Known once the store is open. */
  readonly epoch: () => number;
  readonly store: Store;
  readonly sent: SentFrames;
  readonly stepWatch: StepWatch | undefined;
  readonly ports: EdgePorts;
}

/** @throws DROVER_CONFIG_INVALID */
export function vehicleWorks({ config, model, node, names, epoch, store, sent, stepWatch, ports }: VehicleWorksOptions): VehicleWorks {
  const { data, uplink, versions } = config;
  const urlOf = uploadUrls(config, model);
  const updates = config.updates === undefined ? undefined : ports.updates?.({ data, config: config.updates, uplink, node, vehicle: names }, ports);
  const { clock, random, log, defer } = ports;
  const commands = commandList(model, model.vehicle);
  const pipeline = createPipeline(model, clock);
  const channels = createChannels(model, pipeline);
  const sender = createFrameSender({ pipeline, sent, clock });
  const safety = createUpdateSafety({ commands, pipeline, read });
  const trigger = createUpdateTrigger({ commands, pipeline, sender, safety, clock, read });
  const tasks = updateTasks({ commands, safety, trigger, urlOf, ports: updates, system: () => system, clock, log });
  const effects = { transmitState: perform, transmitOnce: perform };
  const system = createSystem({
    node,
    types: [vehicleEntity, vehicleRoot.with({ inner: { tasks: { ...tasks } } }), moduleType.with({ effects }), ownerType.with({ effects })],
    store,
    clock,
    random,
    log,
    ...(stepWatch === undefined ? {} : { stepWatch }),
    ...(versions === undefined ? {} : { versions }),
    // Where nobody will take its records, they stay no longer than those of any other entity.
    ...(uplink === undefined ? {} : { journalLimits: { [vehicleEntity.name]: UNSHIPPED_JOURNAL } }),
    get epoch() {
      return epoch();
    },
    door: (message, type) => door(message, type),
    ...(defer === undefined ? {} : { defer }),
  });
  const confirmations = createConfirmations({ pipeline, channels, system, clock });
  const transmit = createTransmit({ commands, channels, confirmations, pipeline, sender, clock, read });
  const teller = createTeller(system, clock);
  const moduleFacts = createModuleFacts({ commands, pipeline, channels, confirmations, teller, system, clock });
  const facts = [
    createVehicleFacts({ commands, pipeline, teller, system }),
    createBusFacts({ commands, pipeline, teller, system }),
    moduleFacts,
    createUpdateFacts({ commands, safety, teller, system }),
  ];
  const door = commandDoor({ commands, channels, pipeline, clock, read, isPresenceKnown: (...of) => moduleFacts.isPresenceKnown(...of) });

  function read(address: Address): ReturnType<System["read"]> {
    return system.read(address);
  }

  function perform(...work: Parameters<Transmit["perform"]>): ReturnType<Transmit["perform"]> {
    return transmit.perform(...work);
  }

  return { commands, pipeline, channels, confirmations, transmit, sender, teller, facts, system, updates };
}
