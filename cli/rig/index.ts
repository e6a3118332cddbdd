// The simulated rig (vehicle.md, "The simulated rig"): stands for a trailer's hardware, for the demo and for tests. Everything it makes is `simulated`.

export { connectRigControl } from "./control-client.ts";
export { SimulatedRig } from "./simulated-rig.ts";
export { startRig, type StartedRig } from "./start-rig.ts";
export { type RigListening, type RigSettings, rigWorker } from "./rig.worker.ts";
export { TRAILER_MODULES } from "./modules/index.ts";
export { makeImage } from "./updates/image.ts";
export { chooseUploadPorts, uploadUrlsOf } from "./updates/rig-updates.ts";
