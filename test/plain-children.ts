// Loaded by the runner into every test's process (.taprc): what a test starts is started as a person starts it, without what the runner loads for itself.
// Left in, each process takes half a second longer to start, and restarts that tests measure are slower than they are.

import { createRequire } from "node:module";

const onSpawn = createRequire(import.meta.url)("process-on-spawn") as { removeAllListeners(): void };

onSpawn.removeAllListeners();
delete process.env["NODE_OPTIONS"];
process.execArgv = process.execArgv.filter((flag) => !flag.startsWith("--import") && flag !== "--enable-source-maps");
