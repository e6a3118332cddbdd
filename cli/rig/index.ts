// The simulated rig (vehicle.md, "The simulated rig"): stands for a trailer's hardware, for the demo and for tests. Everything it makes is `simulated`.

export type { Act } from "./act-record.ts";
export type { ActCause, BoardFault, BoardSpec } from "./board.ts";
export type { CommandCount, SeenCommand } from "./command-frames.ts";
export { connectRigControl, type RigControl } from "./control-client.ts";
export type { WorldState } from "./physical-world.ts";
export { doCommand, RIG_COMMANDS, type RigAnswer } from "./rig-commands.ts";
export type { RigFrame } from "./rig-frame.ts";
export type { NoAcknowledgement } from "./simulated-bus.ts";
export { SimulatedRig, type RigOptions, type WorldChange } from "./simulated-rig.ts";
export { startRig, type StartedRig, type StartRigOptions } from "./start-rig.ts";
export { type RigListening, rigWorker, type RigWorkerConfig } from "./rig.worker.ts";
