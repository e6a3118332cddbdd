// The node that is killed: a system over SQLite, under watch, whose effects happen in the process that started it. Usage: _node.js PATH ENTITY...

import { dirname, join } from "node:path";
import { sqliteStore } from "../../protocols/sqlite/index.ts";
import { createSystem, parseAddress, startStepWatch, systemClock, systemRandom } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { job, jobEntity, type JobState, sinkEntity, type SinkState } from "./job.ts";
import type { FromNode, ToNode } from "./protocol.ts";

const [path = "", ...entities] = process.argv.slice(2);
const say = (message: FromNode): void => void process.send?.(message);
const acts = new Map<number, () => void>();
let lastAct = 0;
/** Happens where it is told, and is over when that is confirmed. */
const happen =
  (effect: "paint" | "fire") =>
  ({ n }: { readonly n: number }): Promise<void> =>
    new Promise((resolve) => {
      const act = ++lastAct;
      acts.set(act, resolve);
      say({ kind: "act", act, effect, n });
    });

const store = sqliteStore({ path, log: silentLog, clock: systemClock });
await store.open();
const stepWatch = startStepWatch({ file: join(dirname(path), "steps.crash") });
const system = createSystem({
  node: "n1",
  types: [jobEntity, sinkEntity, job.with({ effects: { paint: happen("paint"), fire: happen("fire") } })],
  store,
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  stepWatch,
});
const sinkOf = (entity: string): string => entity.replace("/job/", "/sink/");

async function activate(entity: string): Promise<void> {
  await system.activate(parseAddress(sinkOf(entity)), { input: undefined });
  await system.activate(parseAddress(entity), { input: undefined });
}

process.on("message", (message: ToNode) => {
  void (async (): Promise<void> => {
    switch (message.kind) {
      case "command": {
        const { id, entity, what, n, ms } = message;
        say({ kind: "told", id, outcome: (await system.tell(entity, { type: "job.do", what, n, ms }, { id })).kind });
        return;
      }
      case "confirm":
        acts.get(message.act)?.();
        acts.delete(message.act);
        return;
      case "activate":
        await activate(message.entity);
        say({ kind: "activated", entity: message.entity });
        return;
      case "read": {
        const { entity } = message;
        const read = (address: string): unknown => system.read(parseAddress(address))?.context;
        say({ kind: "state", entity, job: read(entity) as JobState | undefined, sink: read(sinkOf(entity)) as SinkState | undefined });
        return;
      }
      case "stop":
        await system.stop();
        await store.close();
        await stepWatch.stop();
        process.disconnect();
    }
  })();
});
await system.start();
for (const entity of entities) await activate(entity);
say({ kind: "ready" });
