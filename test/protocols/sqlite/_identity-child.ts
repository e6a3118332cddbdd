// Saves one identity after the other, each with a higher epoch, and says which are saved: in the file `said` beside them, which is recorded with them.
//
// Usage: _identity-child.js FOLDER COUNT

import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { saveIdentity } from "../../../protocols/sqlite/index.ts";

const [folder = "", count = "0"] = process.argv.slice(2);
const said = openSync(join(folder, "said"), "a");
for (let epoch = 1; epoch <= Number(count); epoch++) {
  await saveIdentity(folder, { node: "rav4-01", epoch, incarnation: `i${String(epoch)}` });
  writeSync(said, `${String(epoch)}\n`);
}
