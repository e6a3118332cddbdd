// Hosts `runStoreThread` as a plain worker thread.

import { parentPort } from "node:worker_threads";
import { runStoreThread } from "./store-thread.ts";

if (parentPort === null) throw new Error("store.worker is started as a worker thread");
await runStoreThread(parentPort);
process.exit();
