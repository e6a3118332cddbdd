// One run of a node of some release over a store on disk. It says what it did in lines of JSON. Usage: node _release-node.js PATH 1|2 what
//
// "traffic": counts in all tallies at once, says each count that was acknowledged, and is killed in the middle. "look": says each tally, or why it does not run. "raise": raises version 2 and looks.
// "raise-record", "raise-midway": is killed when the record is written, or when some tallies have gone over.

import { writeSync } from "node:fs";
import { assign, sendTo, setup } from "xstate";
import { sqliteStore } from "../../../protocols/sqlite/index.ts";
import { actorType, createSystem, entityType, type EventOf, messages, parseAddress, reply, systemClock, systemRandom, T } from "../../../runtime/index.ts";
import { silentLog, type Store } from "../../../runtime/ports/index.ts";

const [path = "", release = "1", what = "look"] = process.argv.slice(2);
const TALLIES = Array.from({ length: 20 }, (_, n) => parseAddress(`acme/tally/t${String(n)}`));
const KILLED_AFTER_COUNTS = 300;
const KILLED_AFTER_UPGRADES = 5;
const say = (said: object): void => void writeSync(1, `${JSON.stringify(said)}\n`);
const die = (): void => void process.kill(process.pid, "SIGKILL");

const tallyMessages = messages({ count: { body: {}, reply: T.Object({ total: T.Integer() }) } });

/** Version 2 counts tenths. */
function machine(step: number): never {
  return setup({ types: { context: {} as { total: number }, events: {} as EventOf<typeof tallyMessages> } }).createMachine({
    id: "tally",
    context: { total: 0 },
    on: {
      count: {
        actions: [
          assign({ total: ({ context }) => context.total + step }),
          sendTo(
            ({ event }) => event.replyTo,
            ({ context }) => reply({ total: context.total }),
          ),
        ],
      },
    },
  }) as never;
}

const first = actorType({ name: "tally", version: 1, messages: tallyMessages, behaviour: machine(1) });
const second = actorType({
  name: "tally",
  version: 2,
  messages: tallyMessages,
  behaviour: machine(10),
  earlier: [first],
  migrate: { 1: ({ value, context }) => ({ value: value as string, context: { total: (context as { total: number }).total * 10 } }) },
});

const store: Store = sqliteStore({ path, log: silentLog, clock: systemClock });
await store.open();
if (what === "raise-record") {
  const write = store.values.write.bind(store.values);
  Object.assign(store.values, { write: async (changes: Parameters<typeof write>[0]) => write(changes).then(die) });
}
const system = createSystem({
  node: "n1",
  types: [entityType({ root: release === "1" ? first : second, durability: "events", placement: "cloud" })],
  store,
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
});
await system.start();
say({ versions: system.versions() });
for (const tally of TALLIES) {
  try {
    await system.activate(tally, { input: undefined });
  } catch (error) {
    const { code, message } = error as { readonly code: string; readonly message: string };
    say({ tally, code, message });
  }
}

async function countFor(tally: string): Promise<never> {
  for (;;) {
    const answer = await system.ask(tally, { type: "count" }, { withinMs: 10_000 });
    if (answer.kind === "replied") say({ tally, acknowledged: (answer.value as { total: number }).total });
    if (answer.kind === "replied" && ++counts === KILLED_AFTER_COUNTS) die();
  }
}

let counts = 0;
if (what === "traffic") await Promise.all(TALLIES.map((tally) => countFor(tally)));
if (what === "raise-midway") {
  let upgrades = 0;
  system.watch(({ record }) => {
    if (record?.inputs[0]?.kind === "upgrade" && ++upgrades === KILLED_AFTER_UPGRADES) die();
  });
}
if (what.startsWith("raise")) await system.raiseVersions({ tally: 2 });
for (const tally of TALLIES) {
  const { version, context, revision } = system.read(tally) ?? {};
  if (version !== undefined) say({ tally, version, total: (context as { total: number }).total, revision });
}
await system.stop();
await store.close();
