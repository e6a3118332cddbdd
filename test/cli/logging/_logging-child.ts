// Writes lines into a log file: path, count.

import { fileLog } from "../../../cli/logging/index.ts";

const [path = "", count = "0"] = process.argv.slice(2);
const { log, close } = fileLog(path, "info");
for (let number = 0; number < Number(count); number += 1) log.info({}, `line ${String(number)}`);
close();
