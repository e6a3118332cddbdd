// Which test files share a process: starting Node and loading tap and the runtime costs more processor time than most of them need for what they show.
//
// Only files of these rooms do, and only those that nothing in their text keeps apart: who asks for what belongs to a whole process (its signals, environment, memory, times, tap itself)
// has one of its own, and so has who takes long.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOMS = [
  "actors",
  "cli",
  "cloud-node",
  "edge-node",
  "project",
  "protocols/can",
  "protocols/can-log",
  "protocols/http",
  "protocols/mqtt",
  "protocols/rig-bus",
  "protocols/sqlite",
  "protocols/uplink",
  "runtime/actor",
  "runtime/cluster",
  "runtime/entity",
  "runtime/simulation",
  "runtime/supervision",
  "runtime/system",
  "runtime/wire",
  "runtime/xstate",
];
const LONG = [
  "actors/vehicle-file/yaml-limits",
  "cli/simulate",
  "cli/simulated-rollouts",
  "cli/demo/cloud-view",
  "cloud-node/left-commands",
  "cloud-node/overlapping-attempts",
  "edge-node/alone",
  "edge-node/output-commands",
  "runtime/simulation/alarms",
  "runtime/simulation/broken-promises",
  "runtime/simulation/crowded",
  "runtime/simulation/kettles",
  "runtime/simulation/shelf",
  "runtime/simulation/simulate",
  "runtime/simulation/sleepers",
  "runtime/simulation/taken-over",
  "runtime/simulation/weather",
];
const OF_THE_PROCESS =
  /\bprocess\.(?!arch|cwd|execPath|pid\b|platform|version)|\bperf_hooks\b|\bperformance\.|node:(?:v8|vm|child_process|worker_threads)|\bgc\(|\bheap\b|cpu-time|rehears|import (?:tap|\{[^}]* as file\b)/;
/** So many at most: a process that ends badly is gone through again file by file. */
const MOST = 6;

/**
 * @param files as they are named, in the order in which they are to run
 * @returns the same in lists, each of which shares a process
 */
export function groupsOf(files, root) {
  const groups = [];
  const open = new Map();
  for (const file of files) {
    const room = roomOf(file, root);
    let group = room === undefined ? undefined : open.get(room);
    if (group === undefined || group.length === MOST) {
      group = [];
      groups.push(group);
      if (room !== undefined) open.set(room, group);
    }
    group.push(file);
  }
  return groups;
}

/** The room whose files may share a process with this one, if it has to have none of its own. */
function roomOf(file, root) {
  const [, name] = /\btest\/(.*)\.test\.js$/.exec(file) ?? [];
  if (name === undefined || LONG.includes(name)) return undefined;
  const room = ROOMS.filter((each) => name.startsWith(`${each}/`)).at(-1);
  return room === undefined || OF_THE_PROCESS.test(readFileSync(join(root, file), "utf8")) ? undefined : room;
}
