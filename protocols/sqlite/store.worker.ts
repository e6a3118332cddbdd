// Hosts `runStoreThread` as a plain worker thread.

import { parentPort, workerData } from "node:worker_threads";
import { runStoreThread } from "./store-thread.ts";
import type { ThreadGate } from "./thread-gate.ts";

if (parentPort === null) throw new Error("store.worker is started as a worker thread");
await runStoreThread(parentPort, workerData as ThreadGate);
parentPort.close();
