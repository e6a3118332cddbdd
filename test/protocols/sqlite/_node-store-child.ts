// The store of a real node on a disk that fails: commits until the process ends by itself. Usage: _node-store-child.js cloud|edge FOLDER

import { writeSync } from "node:fs";
import { realPorts as cloudPorts } from "../../../cloud-node/ports.ts";
import { realPorts as edgePorts } from "../../../edge-node/ports.ts";
import { aCommit } from "../../contracts/store.ts";

const [kind, folder = ""] = process.argv.slice(2);
const store = kind === "edge" ? edgePorts.store(folder, edgePorts) : cloudPorts.store(folder, cloudPorts);
await store.open();
for (let revision = 1; revision < 20; revision++) writeSync(1, `${(await store.commit([aCommit("a", revision)]))[0]?.kind ?? ""}\n`);
writeSync(1, "still alive\n");
process.exit(0);
