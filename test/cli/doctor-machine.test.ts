// `drover doctor --machine new.js`: what a new version of a machine would do to the actors that live in a data folder (rules T4).

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "tap";
import { setup } from "xstate";
import { watchedMachines } from "../../cli/doctor/watched-machines.ts";
import { sqliteStore } from "../../protocols/sqlite/index.ts";
import { actorType, createSystem, type EntityType, entityType, messages, systemClock, systemRandom } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { built } from "../project/checkout.ts";
import { drover, scratch } from "./captured.ts";

const pumpMessages = messages({ "pump.run": { body: {} }, "pump.stop": { body: {} } });
const pump = setup({ types: { events: {} as { type: "pump.run" } | { type: "pump.stop" } } }).createMachine({
  id: "pump",
  initial: "off",
  states: { off: { on: { "pump.run": "running" } }, running: { on: { "pump.stop": "gone" } }, gone: { type: "final" } },
});

/** One pump that is off, two that run, one that has ended. */
async function livedIn(data: string): Promise<void> {
  const store = sqliteStore({ path: join(data, "journal.db"), log: silentLog, clock: systemClock });
  await store.open();
  const types = [entityType({ root: actorType({ name: "pump", version: 1, messages: pumpMessages, behaviour: pump }), durability: "events", placement: "cloud" })];
  const system = createSystem({ node: "n1", types, store, clock: systemClock, random: systemRandom, log: silentLog });
  await system.start();
  for (const [id, said] of Object.entries({ a: [], b: ["pump.run"], c: ["pump.run"], d: ["pump.run", "pump.stop"] })) {
    await system.activate(`acme/pump/${id}` as never, { input: undefined });
    for (const type of said) await system.tell(`acme/pump/${id}`, { type });
  }
  await system.stop();
  await store.close();
}

const moduleOf = (version: number, states: string, more = ""): string => `
  import { actorType, entityType, messages } from ${JSON.stringify(pathToFileURL(join(built, "runtime/index.js")).href)};
  import { setup } from "xstate";
  const behaviour = setup({}).createMachine({ id: "pump", initial: "off", states: { ${states} } });
  export const pump = entityType({
    root: actorType({ name: "pump", version: ${String(version)}, messages: messages({ "pump.run": { body: {} } }), behaviour, ${more} }),
    durability: "events",
    placement: "cloud",
  });
`;

test("T4. doctor says which live actors a new machine version would strand, in which states, and which go through migrate", async (t) => {
  const data = scratch(t);
  await livedIn(data);
  const folder = t.testdir();
  const look = async (
    source: string,
  ): Promise<{ readonly code: number; readonly findings: readonly { readonly status: string; readonly what: string; readonly facts: object }[] }> => {
    const file = join(folder, `new-${String(Math.random()).slice(2)}.js`);
    writeFileSync(file, source);
    const { code, out, err } = await drover(["doctor", "--data", data, "--machine", file, "--json"]);
    if (out === "") throw new Error(err);
    return { code, findings: (JSON.parse(out) as { findings: [] }).findings };
  };

  const stranding = await look(moduleOf(2, "off: { on: { 'pump.run': 'spinning' } }, spinning: {}"));
  t.equal(stranding.code, 1);
  const [bad] = stranding.findings;
  t.match(bad, { status: "problem", what: /pump version 2 would strand 2 of 3 live actors, in the states "running"/ });
  t.match(bad?.what, /acme\/pump\/b \(version 1, state "running"\).*migrate\[1\]/);
  t.notMatch(bad?.what, /acme\/pump\/a /);
  t.match(bad?.facts, { fits: 1, stranded: [{ address: "acme/pump/b" }, { address: "acme/pump/c" }] });

  const migrating = await look(
    moduleOf(
      2,
      "off: { on: { 'pump.run': 'spinning' } }, spinning: { on: { 'pump.run': 'off' } }",
      'migrate: { 1: (old) => ({ value: old.value === "running" ? "spinning" : old.value, context: old.context }) }',
    ),
  );
  t.equal(migrating.code, 0);
  t.match(
    migrating.findings.find(({ status }) => status === "ok"),
    { what: "pump version 2: 3 live actors, 0 as they are and 3 by migrate" },
  );
  t.match(
    migrating.findings.find(({ status }) => status === "note"),
    { what: /journals name version 1 of pump, which the module does not register/ },
  );

  const kept = "off: { on: { 'pump.run': 'running' } }, running: { on: { 'pump.stop': 'gone' } }";
  t.match(await look(moduleOf(2, `${kept}, gone: {}, more: {}`)), { code: 0, findings: [{ what: /3 live actors, 3 as they are/ }, { status: "note" }] });
  t.match(await look(moduleOf(1, `${kept}, gone: { type: 'final' }`)), { code: 0, findings: [{ status: "ok" }] });
  const stuck = { code: 1, findings: [{ what: /would strand 3 of 3[^]*nothing leads out of "off"[^]*pump\.run[^]*nothing leads out of "running"[^]*pump\.stop/ }] };
  t.match(await look(moduleOf(2, "off: {}, running: {}, gone: {}, more: {}")), stuck, "none of its states is left any more");
  t.match(await look(moduleOf(1, "off: {}, running: {}, gone: { type: 'final' }")), stuck, "nor under the same version");
  const inPlace = await look(moduleOf(1, `${kept}, gone: { type: 'final' }, more: {}`));
  t.equal(inPlace.code, 1);
  t.match(inPlace.findings, [{ status: "problem", what: /other states.*made 3 live actors/ }]);
  t.match(await look(moduleOf(1, "off: {}").replaceAll('"pump"', '"other"')), { code: 0, findings: [{ status: "note", what: /no live actor of other/ }] });
  t.match(await look("export const nothing = 1;"), { code: 1, findings: [{ what: /exports no actor type/ }] });
  t.match(await drover(["doctor", "--data", data, "--machine", join(folder, "none.js")]), { code: 4 });
});

const waiting = setup({ delays: { LONG: 60_000 } }).createMachine({ id: "pump", initial: "off", context: { hours: 1 }, states: { off: { after: { LONG: "gone" } }, gone: {} } });

test("S7, T4. doctor says what becomes of each actor's timers and children, by the upgrade itself; one that would wait for ever is stranded, and the exit code says so", async (t) => {
  const data = scratch(t);
  const store = sqliteStore({ path: join(data, "journal.db"), log: silentLog, clock: systemClock });
  await store.open();
  const types = [entityType({ root: actorType({ name: "pump", version: 1, messages: pumpMessages, behaviour: waiting }), durability: "events", placement: "cloud" })];
  const system = createSystem({ node: "n1", types, store, clock: systemClock, random: systemRandom, log: silentLog });
  await system.start();
  await system.activate("acme/pump/a" as never, { input: undefined });
  await system.stop();
  await store.close();
  const folder = t.testdir();
  const look = async (version: number, states: string, more = "", delay = "60_000"): Promise<{ readonly code: number; readonly text: string; readonly facts: object }> => {
    const file = join(folder, `new-${String(Math.random()).slice(2)}.js`);
    writeFileSync(file, moduleOf(version, states, more).replace("setup({})", `setup({ delays: { LONG: ${delay} }, actors: { kid: setup({}).createMachine({}) } })`));
    const { code, out } = await drover(["doctor", "--data", data, "--machine", file, "--json"]);
    const { findings } = JSON.parse(out) as { findings: readonly { readonly what: string; readonly facts: object }[] };
    return { code, text: findings.map(({ what }) => what).join("\n"), facts: findings[0]?.facts ?? {} };
  };
  const to = (state: string): string => `migrate: { 1: (old) => ({ value: "${state}", context: old.context }) }`;

  t.match(await look(2, "off: {}, rest: { after: { LONG: 'off' }, invoke: { src: 'kid' } }", to("rest")), {
    code: 0,
    text: /acme\/pump\/a: "off" becomes "rest"; timers go on: xstate\.after\.LONG\.pump\.rest; children begin: acme\/pump\/a\/~\/0\.pump\.rest/,
    facts: { upgrades: [{ address: "acme/pump/a", before: "off", state: "rest", timers: { kept: ["xstate.after.LONG.pump.rest"], armed: [], cancelled: [] } }] },
  });
  t.match(await look(2, "off: { after: { 70000: 'rest' } }, rest: {}"), {
    code: 0,
    text: /timers are armed: xstate\.after\.70000\.pump\.off; timers are cancelled: xstate\.after\.LONG\.pump\.off/,
  });
  t.match(await look(2, "off: {}, rest: {}", to("rest")), {
    code: 1,
    text: /would strand 1 of 1 live actors, in the states "off"[^]*nothing leads out of "rest" in version 2.*xstate\.after\.LONG\.pump\.off/,
  });
  t.match(await look(2, "off: { after: { LONG: 'rest' } }, rest: { type: 'final' }", to("rest")), { code: 0 }, "an end is a way out");
  t.match(
    await look(2, "off: {}, rest: { after: { 5: 'off', LONG: 'off' } }", to("rest"), "({ context }) => context.none.of"),
    { code: 0 },
    "what goes on is not asked for its delay",
  );
  t.match(await look(2, "off: { after: { 5: 'rest' } }, rest: { after: { SHORT: 'off' } }".replace("SHORT", "LONG"), to("rest").replace("old.context", "{ at: Date.now() }")), {
    code: 1,
    text: /would strand 1 of 1.*[^]*migrate\[1\] of pump: Date was called/,
  });
  t.match(await look(1, "off: { after: { 70000: 'gone' } }, gone: {}"), { code: 1, text: /made 1 live actors/ }, "other delays under the same version are seen");
});

test("T4. an actor that can take something, and can never leave its state any more, is stranded: doctor names the state, the version and what is gone", async (t) => {
  const data = scratch(t);
  const modules = t.testdir();
  const source = (version: number, states: string, on: string, earlier = ""): string => `
    import { actorType, entityType, messages, reply, T } from ${JSON.stringify(pathToFileURL(join(built, "runtime/index.js")).href)};
    import { sendTo, setup } from "xstate";
    const status = { "p.status": { actions: sendTo(({ event }) => event.replyTo, () => reply({ n: 1 })) } };
    const words = messages({ "p.go": { body: {} }, "p.stop": { body: {} }, "p.status": { body: {}, reply: T.Object({ n: T.Integer() }) } });
    const machine = (states, on) => setup({ delays: { HEAT: 3_600_000 } }).createMachine({ id: "p", initial: "idle", on, states });
    const type = (version, states, on, earlier = []) => actorType({ name: "pot", version, messages: words, behaviour: machine(states, on), earlier });
    export const pot = entityType({ root: type(${String(version)}, { ${states} }, ${on}${earlier === "" ? "" : `, [${earlier}]`}), durability: "events", placement: "cloud" });
  `;
  const write = (name: string, text: string): string => {
    const file = join(modules, `${name}.mjs`);
    writeFileSync(file, text);
    return file;
  };
  const lives: readonly (readonly [name: string, states: string, on: string, later: string, gone: RegExp])[] = [
    ["a", 'idle: { on: { "p.go": "parked" } }, parked: { on: { "p.go": "idle" } }', "{}", "parked: {}", /nothing leads out of "parked" in version 2: .*the message p\.go/],
    [
      "b",
      'idle: { on: { "p.go": "heating" } }, heating: { after: { HEAT: "idle" } }',
      "status",
      "heating: {}",
      /"heating" in version 2: .*the timer xstate\.after\.HEAT\.p\.heating/,
    ],
    ["c", 'idle: { on: { "p.go": "heating" } }, heating: { on: { "p.stop": "idle" } }', "status", "heating: {}", /"heating" in version 2: .*the message p\.stop/],
  ];
  for (const [name, states, on, later, gone] of lives) {
    const folder = join(data, name);
    mkdirSync(folder);
    const first = source(1, states, on);
    const { pot } = (await import(pathToFileURL(write(`${name}1`, first)).href)) as { readonly pot: EntityType };
    const store = sqliteStore({ path: join(folder, "journal.db"), log: silentLog, clock: systemClock });
    await store.open();
    const system = createSystem({ node: "n1", types: [pot], store, clock: systemClock, random: systemRandom, log: silentLog });
    await system.start();
    await system.activate("acme/pot/1" as never, { input: undefined });
    t.match(await system.tell("acme/pot/1", { type: "p.go" }), { kind: "accepted" });
    await system.stop();
    await store.close();
    const look = async (module: string): Promise<unknown> => drover(["doctor", "--data", folder, "--machine", module, "--json"]);
    t.match(await look(write(`${name}1`, first)), { code: 0 }, `${name}: the same version`);
    const left = states.slice(0, states.indexOf("}, ") + 3);
    for (const earlier of ["", `type(1, { ${states} }, ${on})`]) {
      t.match(await look(write(`${name}2${earlier === "" ? "" : "known"}`, source(2, left + later, on, earlier))), { code: 1 }, `${name}: stranded`);
      const { out } = await drover(["doctor", "--data", folder, "--machine", join(modules, `${name}2${earlier === "" ? "" : "known"}.mjs`)]);
      t.match(out, gone);
      t.equal(out.includes("is not among `earlier`"), earlier === "");
    }
  }
});

test("T4. a store or a folder that doctor cannot read is a problem, and nobody hears that nothing can be stranded there", async (t) => {
  const data = scratch(t);
  await livedIn(data);
  const folder = t.testdir({ empty: {} });
  const file = join(folder, "new.js");
  writeFileSync(file, moduleOf(2, "off: {}, spinning: {}"));
  const look = async (at: string): Promise<{ readonly code: number; readonly out: string; readonly err: string }> => drover(["doctor", "--data", at, "--machine", file]);
  const unread = { code: 1, err: "1 problem\n" };

  const nowhere = await look(join(data, "none"));
  t.match(nowhere, { ...unread, out: /problem.*none cannot be read: .*no such file[\s\S]*Nothing was looked at/ });
  t.notMatch(nowhere.out, /no live actor|stranded here/);
  t.match(await look(file), { ...unread, out: /cannot be read: .*not a directory/ });
  const empty = await look(join(folder, "empty"));
  t.match(empty, { code: 0, out: /there is no journal in .*\n.*Nothing was looked at/ });
  t.notMatch(empty.out, /stranded here/);

  const journal = join(data, "journal.db");
  const whole = readFileSync(journal);
  const flipped = Buffer.from(whole);
  for (let at = whole.indexOf("running"); at !== -1; at = whole.indexOf("running", at + 1)) flipped.writeUInt8(flipped.readUInt8(at) ^ 1, at);
  t.notOk(whole.equals(flipped), "its records lie in the file itself");
  writeFileSync(journal, flipped);
  const damaged = await look(data);
  t.match(damaged, { ...unread, out: /problem.*journal\.db is damaged: / });
  t.match(damaged.out, /no live actor of pump was found[\s\S]*may hold some/);
  t.notMatch(damaged.out, /stranded here/);
  t.ok(readFileSync(journal).equals(flipped), "it is left as it was");

  writeFileSync(journal, "no database at all, and long enough to be looked at");
  t.match(await look(data), unread);
});

test("M4. doctor does not hang with a machine that hangs: it names the entity, or the module where that is as far as it came", async (t) => {
  const data = scratch(t);
  await livedIn(data);
  const folder = t.testdir({
    "loops.js": moduleOf(2, "off: {}, running: {}, gone: {}", "migrate: { 1: () => { for (;;); } }"),
    "never-loads.js": "for (;;);",
  });
  t.match(await watchedMachines(join(folder, "loops.js"), data, 1_000), [
    { status: "problem", what: /loops\.js hangs: the replay and the upgrade of acme\/pump\/a was not done after 1 s/ },
  ]);
  t.match(await watchedMachines(join(folder, "never-loads.js"), data, 1_000), [{ status: "problem", what: /hangs: loading it was not done/ }]);
});
