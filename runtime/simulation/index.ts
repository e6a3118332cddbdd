// The simulation's door: what tests, users' tests and the command line take. Production code takes ports.

export { type Checker, type CommittedTurn, type Evidence, standardCheckers, type Violation } from "./checkers/index.ts";
export { FAULT_KINDS, type FaultKind } from "./fault-plan.ts";
export type { Fact, Fault, History } from "./history.ts";
export { ManualClock, settle } from "./manual-clock.ts";
export { memoryLog } from "./memory-log.ts";
export { MemoryDisk, memoryStore, type MemoryStore, type MemoryStoreOptions } from "./memory-store.ts";
export type { OutsideOptions } from "./outside-client.ts";
export type { NodeProgram, ProcessPorts, RunningNode } from "./process-ports.ts";
export { purely } from "../xstate/index.ts";
export { type SteppedActor, stepPurely } from "./pure-steps.ts";
export { SeededRandom } from "./seeded-random.ts";
export { explain, type SeedsOptions, type SeedsOutcome, simulateSeeds, traceOf } from "./seeds.ts";
export { simulate, type SimulationRun } from "./simulate.ts";
export type { FaultOptions, NodeSpec, Script, Simulation } from "./simulation.ts";
export { type HostingNode } from "./system-program.ts";
