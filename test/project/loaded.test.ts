// What is loaded where: who needs no engine must not pay for loading it at each start.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "tap";
import { built } from "./checkout.ts";

const ENGINE = /^runtime\/(system|entity|xstate|cluster|simulation)\//;

/** Built files that are read before the first line of `entry` runs, below the build's folder. */
function loadedBy(entry: string): readonly string[] {
  const seen = new Set<string>();
  const left = [join(built, entry)];
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const text = readFileSync(path, "utf8");
    for (const [, specifier = ""] of text.matchAll(/^(?:import|export)(?: [^;"=]* from)? "(\.[^"]+)";/gm)) left.push(join(dirname(path), specifier));
  }
  return [...seen].map((path) => relative(built, path));
}

test("what a command begins with, and what asks a node, reads files or stands for hardware, loads no engine", (t) => {
  const bodies = ["actors", "nodes", "vehicle", "can", "config", "logging", "terminal"].map((name) => `cli/${name}/index.js`);
  for (const entry of [
    "cli/main.js",
    ...bodies,
    "cli/node/start-node.js",
    "cli/demo/index.js",
    "cli/rig/rig.worker.js",
    "edge-node/edge.worker.js",
    "cloud-node/cloud.worker.js",
  ]) {
    const loaded = loadedBy(entry);
    t.ok(loaded.length > 1 && loaded.every((file) => existsSync(join(built, file))), `${entry}: ${String(loaded.length)} files`);
    t.same(
      loaded.filter((file) => ENGINE.test(file)),
      [],
      entry,
    );
  }
  t.ok(
    loadedBy("edge-node/index.js").some((file) => ENGINE.test(file)),
    "a node has it: the files are found",
  );
  t.end();
});

test("a vehicle's node loads neither the broker nor a server before it needs one", (t) => {
  const loaded = loadedBy("edge-node/index.js");
  t.same(
    loaded.filter((file) => file === "protocols/mqtt/broker.js" || file.startsWith("bundled/aedes") || file.startsWith("protocols/http/") || file.startsWith("cloud-node/")),
    [],
  );
  t.ok(loaded.includes("protocols/mqtt/mqtt-transport.js"), "its files are found");
  t.end();
});

test("what looks at a user's module, in the doctor's thread and for a scenario, loads no node", (t) => {
  for (const entry of ["cli/doctor/machines.worker.js", "cli/user-module/index.js"]) {
    const loaded = loadedBy(entry);
    t.ok(
      loaded.some((file) => ENGINE.test(file)),
      `${entry}: its files are found`,
    );
    t.same(
      loaded.filter((file) => /^(edge-node|cloud-node|protocols\/(mqtt|http|uplink)|cli\/(lint|demo|rig))\//.test(file)),
      [],
      entry,
    );
  }
  t.end();
});
