// A tree as plain JavaScript, a file or another copy of Drover may have made it: every part is checked as if it was made here. Whoever runs a tree and whoever reads one
// begin with this, so that they take the same trees and say the same of the others.

import { DroverError } from "../errors.ts";
import type { KeptChildren } from "../ports/index.ts";
import type { Startable, WorkerType } from "../workers/index.ts";
import { child, hosted, supervisor, type ChildOptions, type ChildSpec, type HostedOptions, type SupervisorFlags, type SupervisorSpec } from "./spec.ts";

/** Trees are written by hand: one that is deeper was made by a mistake, or refers to itself. */
const MAX_DEPTH = 64;

/** What came out of it is `supervisor`'s, `child`'s and `hosted`'s own. @throws DROVER_TREE_INVALID */
export function checkedTree(spec: SupervisorSpec): SupervisorSpec {
  const tree = checkedSupervisor(spec as unknown as Parts, 0);
  checkStores(tree, new Map());
  checkPaths(tree, "", new Set());
  return tree;
}

/** Each would write over what the other has kept. */
function checkStores({ id, flags, children }: SupervisorSpec, holders: Map<KeptChildren, string>): void {
  const store = flags.kept?.store;
  if (store !== undefined) {
    const holder = holders.get(store);
    if (holder !== undefined) throw invalid(id, `it keeps its children where "${holder}" keeps its own; give each a store of its own`);
    holders.set(store, id);
  }
  for (const one of children) if (one.kind === "supervisor") checkStores(one, holders);
}

/** A child may be named "x/y": nobody could be asked for by that path where a supervisor "x" beside it has a "y". */
function checkPaths({ children }: SupervisorSpec, above: string, paths: Set<string>): void {
  for (const one of children) {
    const path = `${above}${one.id}`;
    if (paths.has(path)) throw invalid(one.id, `two children have the path "${path.slice(0, 200)}"; give one another id`);
    paths.add(path);
    if (one.kind === "supervisor") checkPaths(one, `${path}/`, paths);
  }
}

type Parts = Readonly<Record<string, unknown>>;

function checkedSupervisor({ id, flags, children }: Parts, depth: number): SupervisorSpec {
  const name = typeof id === "string" ? id : "";
  if (depth >= MAX_DEPTH) throw invalid(name, `supervisors are nested deeper than ${String(MAX_DEPTH)} levels`);
  if (!isObject(flags) || !Array.isArray(children)) throw invalid(name, "a supervisor has flags and a list of children");
  return supervisor(
    name,
    flags as unknown as SupervisorFlags,
    children.map((one) => checkedChild(one, name, depth)),
  );
}

function checkedChild(one: unknown, above: string, depth: number): ChildSpec {
  if (!isObject(one) || typeof one["id"] !== "string") throw invalid(above, "a child is what child, hosted or supervisor returned");
  const { kind, id } = one;
  switch (kind) {
    case "supervisor":
      return checkedSupervisor(one, depth + 1);
    case "worker":
      return child(id, one["type"] as WorkerType, one["config"], one["options"] as ChildOptions<unknown, unknown>);
    case "hosted":
      return hosted(id, one["startable"] as Startable, one["options"] as HostedOptions);
    default:
      throw invalid(id, "a child is a worker, hosted or a supervisor");
  }
}

function isObject(value: unknown): value is Parts {
  return typeof value === "object" && value !== null;
}

function invalid(id: string, detail: string): DroverError {
  return new DroverError("DROVER_TREE_INVALID", `"${id.slice(0, 80)}": ${detail}`);
}
