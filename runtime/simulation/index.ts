// The simulation's door: what tests, users' tests and the command line take. Production code takes ports.

export { ManualClock, settle } from "./manual-clock.ts";
export { MemoryDisk, memoryStore, type MemoryStore, type MemoryStoreOptions } from "./memory-store.ts";
export { SeededRandom } from "./seeded-random.ts";
