// A fleet as a cloud node knows it: the demo's trailer with all its modules, made once by its own node, and as many replicas of it as are asked for in the store of a cloud node that has not begun.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { vehicleEntity } from "../../actors/index.ts";
import { createEdgeNode } from "../../edge-node/index.ts";
import { sqliteStore } from "../../protocols/sqlite/index.ts";
import { type Address, createReplicas, decodeState, type EntityState, parseAddress, systemClock } from "../../runtime/index.ts";
import { encodeState } from "../../runtime/entity/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";

const TRAILER = fileURLToPath(new URL("../../cli/demo/vehicles/trailer-01.yaml", import.meta.url));
const MODEL = parseAddress("demo/vehicle/trailer-01");
/** What every bus is about to say is none of this: one frame that no database knows. */
const QUIET_BUS = "(1000000000.000000) can0 7FF#00\n";
/** Applied at once; the store takes 64 requests. */
const WINDOW = 50;

/** Modules of the type that is updated in these benches; their firmware is 1.0.0. */
export const MODULE = "reservoir";

export function vehicleAt(place: number): Address {
  return parseAddress(`demo/vehicle/t${String(place).padStart(5, "0")}`);
}

/** @param data folder of the cloud node, which must not run */
export async function keepTrailers(scratch: string, data: string, count: number): Promise<void> {
  const model = await trailerState(scratch);
  const store = sqliteStore({ path: join(data, "journal.db"), clock: systemClock, log: silentLog, node: "cloud-1" });
  await store.open();
  const ports = { store, clock: systemClock, log: silentLog, node: "cloud-1", types: vehicleEntity.types };
  const replicas = createReplicas({ ...ports, owner: () => ({ node: "unknown", epoch: 0 }), heardAt: () => undefined }, () => true);
  for (let from = 0; from < count; from += WINDOW) await Promise.all(Array.from({ length: Math.min(WINDOW, count - from) }, (_, at) => keep(from + at)));
  await store.close();

  async function keep(place: number): Promise<void> {
    const entity = vehicleAt(place);
    const state = renamed(model, entity) as EntityState;
    const applied = await replicas.apply({ entity, type: state.type, incarnation: state.incarnation, opening: encodeState(state), after: state.revision, records: [] });
    if (applied.kind === "refused") throw new Error(`the cloud takes no replica of ${entity}: ${applied.reason}`);
  }
}

async function trailerState(scratch: string): Promise<EntityState> {
  const log = join(scratch, "quiet.log");
  writeFileSync(log, QUIET_BUS);
  const node = createEdgeNode({ vehicle: TRAILER, data: join(scratch, "edge"), buses: { can0: `log:${log}` }, http: { port: 0 } });
  await node.start();
  const told = await node.system.inform(parseAddress(`${MODEL}/module/${MODULE}`), { type: "module.identified", part: "0a1e51", firmware: "1.0.0" });
  if (told.kind !== "accepted") throw new Error(`the trailer's ${MODULE} does not take who it is: ${JSON.stringify(told)}`);
  const state = await node.system.settledStateOf(MODEL);
  await node.stop();
  if (state === undefined) throw new Error("the trailer's entity is not there");
  return decodeState(state.encoded);
}

/** With its own address wherever the model's stands. */
function renamed(value: unknown, entity: string): unknown {
  if (typeof value === "string") return value.startsWith(MODEL) ? entity + value.slice(MODEL.length) : value;
  if (Array.isArray(value)) return value.map((item) => renamed(item, entity));
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [renamed(key, entity) as string, renamed(item, entity)]));
}
