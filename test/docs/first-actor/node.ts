// A node of one's own on SQLite, with the HTTP API; run as a program by the test of the guide. Usage: node node.js FOLDER PORT

// #region node
import { join } from "node:path";
import { listenHttp, loadTokens } from "../../../protocols/http/index.ts";
import { sqliteStore } from "../../../protocols/sqlite/index.ts";
import { createSystem, parseAddress, silentLog, startStepWatch, systemClock, systemRandom, watchStore } from "../../../runtime/index.ts";
import { equipment, kitchenType, pot } from "./kitchen.ts";

const [folder = "data", port = "8090"] = process.argv.slice(2);
const ports = { clock: systemClock, random: systemRandom, log: silentLog };
const store = watchStore(sqliteStore({ path: join(folder, "journal.db"), ...ports }), ports);
await store.open();

const heat = ({ on }: { on: boolean }): void => console.log(on ? "the heater is on" : "the heater is off");
const stepWatch = startStepWatch({ file: join(folder, "steps.crash") });
const system = createSystem({ node: "n1", types: [kitchenType(), pot.with({ effects: { heat } })], store, ...ports, stepWatch });
await system.start();
await system.activate(parseAddress("home/kitchen/one"), equipment);

const tokens = await loadTokens(folder, ports);
const reasons = (): string[] => (store.trouble === undefined ? [] : [store.trouble]);
const facade = { system, tokens, ...ports, trees: () => [], nodes: () => [], ready: () => ({ ok: reasons().length === 0, reasons: reasons() }) };
const server = await listenHttp({ facade, port: Number(port), portKey: "the second argument" });
console.log(`DROVER_URL=${server.url}`);

async function stop(): Promise<void> {
  await server.close();
  await system.stop();
  await store.close();
  await stepWatch.stop();
}
process.once("SIGTERM", () => void stop());
// #endregion
