// `drover doctor --machine new.js` on stores that name an active version (rules T4).

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "tap";
import { setup } from "xstate";
import { sqliteStore } from "../../protocols/sqlite/index.ts";
import { decodeState, encodeState } from "../../runtime/entity/index.ts";
import { actorType, createSystem, entityType, type EntityState, messages, parseAddress, systemClock, systemRandom } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { built } from "../project/checkout.ts";
import { drover, scratch } from "./captured.ts";

const A = parseAddress("acme/pump/a");

/** @returns the state of its pump */
async function livedIn(data: string): Promise<EntityState> {
  const behaviour = setup({}).createMachine({ id: "pump", initial: "off", states: { off: { on: { "pump.run": "running" } }, running: { on: { "pump.run": "off" } } } });
  const store = sqliteStore({ path: join(data, "journal.db"), log: silentLog, clock: systemClock });
  await store.open();
  const types = [
    entityType({ root: actorType({ name: "pump", version: 1, messages: messages({ "pump.run": { body: {} } }), behaviour }), durability: "events", placement: "cloud" }),
  ];
  const system = createSystem({ node: "n1", types, store, clock: systemClock, random: systemRandom, log: silentLog });
  await system.start();
  await system.activate(A, { input: undefined });
  const state = await system.settledStateOf(A);
  await system.stop();
  await store.close();
  return decodeState((state as { readonly encoded: Uint8Array }).encoded);
}

const moduleOf = (version: number, more: string, children = ""): string => `
  import { actorType, entityType, messages } from ${JSON.stringify(pathToFileURL(join(built, "runtime/index.js")).href)};
  import { setup } from "xstate";
  const behaviour = setup({}).createMachine({ id: "pump", initial: "off", states: { off: { on: { "pump.run": "running" } }, running: { on: { "pump.run": "off" } } } });
  const cup = (version, earlier = []) => actorType({ name: "cup", version, earlier, messages: messages({}), behaviour: setup({}).createMachine({ id: "cup" }) });
  export const pump = entityType({
    root: actorType({ name: "pump", version: ${String(version)}, messages: messages({ "pump.run": { body: {} } }), behaviour, ${more} }),
    durability: "events",
    placement: "cloud",
    ${children}
  });
`;

test("T4. doctor says which version is active in a store, and what a start with the module makes of that", async (t) => {
  const data = scratch(t);
  await livedIn(data);
  const folder = t.testdir();
  let modules = 0;
  const record = async (version: number): Promise<void> => {
    const store = sqliteStore({ path: join(data, "journal.db"), log: silentLog, clock: systemClock });
    await store.open();
    await store.values.set("active-version/pump", Buffer.from(String(version)));
    await store.close();
  };
  const looked = async (
    version: number,
    more = "",
    children = "",
  ): Promise<{ readonly code: number; readonly active: readonly object[]; readonly unrecorded: readonly object[] }> => {
    const file = join(folder, `${String(++modules)}.js`);
    writeFileSync(file, moduleOf(version, more, children));
    const { code, out } = await drover(["doctor", "--data", data, "--machine", file, "--json"]);
    const { findings } = JSON.parse(out) as { findings: readonly { readonly what: string }[] };
    return { code, active: findings.filter(({ what }) => what.includes(" is active")), unrecorded: findings.filter(({ what }) => what.includes(" recorded as active")) };
  };
  const earlier = "earlier: [actorType({ name: 'pump', version: 1, messages: messages({ 'pump.run': { body: {} } }), behaviour })]";
  const none = "journal.db: no version of pump is recorded as active; a start takes 1, the module's is 2";
  t.match(await looked(2, earlier), {
    code: 0,
    active: [],
    unrecorded: [
      { status: "note", what: none, why: /go on with version 1; .* comes with the raise/, fix: /^drover versions raise pump/, facts: { type: "pump", active: 1, version: 2 } },
    ],
  });
  t.match(await looked(2), { active: [], unrecorded: [{ status: "note", what: none, why: /raises it at once.*cannot come back/, fix: /`earlier` of pump/ }] });
  t.same((await looked(1)).unrecorded, []);
  const cups = "children: { cup: { types: [cup(3, [cup(2)])], strategy: 'one-for-one' } }";
  t.match(await looked(1, "", cups), { unrecorded: [{ what: "journal.db: no version of cup is recorded as active; a start takes 2, the module's is 3" }] }, "nobody has begun one");
  await record(1);
  t.same((await looked(2, earlier)).unrecorded, []);
  const what = "journal.db: version 1 of pump is active, the module's is 2";
  t.match(await looked(2, earlier), { code: 0, active: [{ status: "note", what, why: /go on with version 1; .* comes with the raise/, fix: /^drover versions raise pump/ }] });
  t.match(await looked(2), { code: 0, active: [{ status: "note", what, why: /raises it at once.*cannot come back/, fix: /`earlier` of pump/ }] });
  t.match(await looked(1), { active: [] });
  await record(3);
  t.match(await looked(2, earlier), { code: 1, active: [{ status: "problem", why: /refuses every entity/, facts: { type: "pump", active: 3, version: 2 } }] });
});

test("T3, T4. of a replica a start takes no version: its owner does", async (t) => {
  const state = await livedIn(scratch(t));
  const data = scratch(t);
  const file = join(t.testdir(), "new.js");
  writeFileSync(file, moduleOf(2, "earlier: [actorType({ name: 'pump', version: 1, messages: messages({ 'pump.run': { body: {} } }), behaviour })]"));
  const whats = async (): Promise<string> => (await drover(["doctor", "--data", data, "--machine", file])).out;
  const store = sqliteStore({ path: join(data, "journal.db"), log: silentLog, clock: systemClock });
  const { revision, incarnation } = state;
  for (const [id, snapshot] of [
    ["far", encodeState({ ...state, rest: null })],
    ["near", encodeState(state)],
  ] as const) {
    await store.open();
    await store.commit([{ entity: `acme/pump/${id}`, type: "pump", incarnation, revision, epoch: 1, at: systemClock.now(), record: new Uint8Array(), snapshot }]);
    await store.close();
    const told = await whats();
    t.match(told, "pump");
    t.equal(told.includes("a start takes 1"), id === "near", `${id}: ${told}`);
  }
});
