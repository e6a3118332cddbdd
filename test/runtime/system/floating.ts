// A node of its own process whose steps begin work and do not wait for it: begun with how, and whether the process listens itself.

import { assign, setup } from "xstate";
import { actorType, createSystem, entityType, messages, parseAddress, silentLog } from "../../../runtime/index.ts";
import { ManualClock, memoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";

const [how, own] = process.argv.slice(2);
const heard: unknown[] = [];
if (own === "own") process.on("unhandledRejection", (reason) => heard.push((reason as Error).message));

async function audit(n: number): Promise<number> {
  await Promise.resolve();
  if (n > 0) throw new Error("the audit failed");
  return n;
}

const behaviour = setup({ types: { context: {} as { n: number } } }).createMachine({
  context: { n: 0 },
  on: {
    go: {
      actions: assign(({ context }) => {
        if (how === "async") void audit(1);
        if (how === "reject") void Promise.reject(new Error("the audit failed"));
        if (how === "console") console.log("written in a step");
        return { n: context.n + 1 };
      }),
    },
  },
});

const FLOATING = parseAddress("acme/floating/f");
const type = actorType({ name: "floating", version: 1, messages: messages({ go: { body: {} } }), behaviour });
const store = memoryStore();
await store.open();
const logged: unknown[] = [];
const log = {
  ...silentLog,
  error: ({ code, err, advice }: { readonly code?: string; readonly err?: Error; readonly advice?: string }) => logged.push({ code, stack: err?.stack, advice }),
};
const make = () =>
  createSystem({ node: "n1", types: [entityType({ root: type, durability: "events", placement: "cloud" })], store, clock: new ManualClock(), random: new SeededRandom(1), log });
const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const system = make();
const other = make();
await system.start();
await other.start();
await system.activate(FLOATING, { input: undefined });
const told = await system.tell(FLOATING, { type: "go" });
await turn();
await other.stop();
const more = own === undefined && how !== "console" ? 6 : 0;
for (let at = 0; at < more; at++) await system.tell(FLOATING, { type: "go" });
await turn();
const count = system.metrics().find(({ name }) => name === "drover_unhandled_rejections_total")?.value;
console.log(JSON.stringify({ told: told.kind, heard, count, logged }));
await system.stop();
console.log(JSON.stringify({ listeners: process.listenerCount("unhandledRejection") }));
if (own === "after") void Promise.reject(new Error("no system runs any more"));
