// The simulated rig's bus as a frame source and sink. The wire format stands in wire.ts.

export { createRigBus, type RigBus, type RigBusOptions, type RigBusPorts } from "./rig-bus.ts";
export type { RigHello } from "./wire.ts";
