// A runnable entry for tests, until and beside the `drover` command: node decode-entry.js --dbc F --log F [--match exact|j1939] [--bus NAME]... [--strict].

import { parseArgs } from "node:util";

import { runCanDecode } from "./decode.ts";

const { values } = parseArgs({
  options: {
    dbc: { type: "string" },
    log: { type: "string" },
    match: { type: "string" },
    bus: { type: "string", multiple: true },
    overlay: { type: "string" },
    strict: { type: "boolean" },
    jsonl: { type: "boolean" },
  },
});
if (values.dbc === undefined || values.log === undefined) process.exitCode = 2;
else {
  process.exitCode = await runCanDecode(
    {
      ...(values.overlay === undefined ? {} : { overlay: values.overlay }),
      dbc: values.dbc,
      log: values.log,
      match: values.match === "j1939" ? "j1939" : "exact",
      buses: values.bus ?? [],
      strict: values.strict ?? false,
      input: process.stdin,
    },
    process.stdout,
    process.stderr,
  );
}
