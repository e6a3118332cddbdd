// `drover doctor --machine new.js` runs what a start runs: an entity that the new types refuse, begin anew or have no place for is told, and the exit code says so (rules T4).

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Test, test } from "tap";
import { sqliteStore } from "../../protocols/sqlite/index.ts";
import { createSystem, type EntityType, systemClock, systemRandom } from "../../runtime/index.ts";
import { encodeState } from "../../runtime/entity/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { built } from "../project/checkout.ts";
import { drover, scratch } from "./captured.ts";

interface House {
  readonly durability?: string;
  readonly kind?: string;
  readonly child?: string;
  /** Of the child. */
  readonly version?: number;
  /** Further lines of the module. */
  readonly more?: string;
}

const source = ({ durability = "events", kind = "vent", child = "vent", version = 1, more = "" }: House): string => `
  import { actorType, entityType, messages } from ${JSON.stringify(pathToFileURL(join(built, "runtime/index.js")).href)};
  import { setup } from "xstate";
  const behaviour = setup({}).createMachine({ id: "m", initial: "shut", states: { shut: { on: { open: "open" } }, open: { on: { open: "shut" } } } });
  const type = (name, version, more = {}) => actorType({ name, version, messages: messages({ open: { body: {} } }), behaviour, ...more });
  const child = type("${child}", ${String(version)});
  const of = (child, durability, version = 1) => entityType({
    root: type("house", version), durability, placement: "cloud", children: { ${kind}: { types: [child], strategy: "one-for-one" } },
  });
  export const house = of(child, "${durability}");
  ${more}
`;

interface Looked {
  readonly code: number;
  readonly text: string;
  readonly findings: readonly { readonly status: string; readonly what: string; readonly facts?: object }[];
}

class Bench {
  readonly data: string;
  readonly #modules: string;
  #count = 0;

  constructor(t: Test) {
    this.data = scratch(t);
    this.#modules = t.testdir();
  }

  write(house: House): string {
    const file = join(this.#modules, `${String(++this.#count)}.mjs`);
    writeFileSync(file, source(house));
    return file;
  }

  /** A start of a node with these types, on a copy or here. @returns why the house cannot be there, or the state of its vent */
  async start(data: string, house: House, turns = 0): Promise<unknown> {
    const { house: type } = (await import(pathToFileURL(this.write(house)).href)) as { readonly house: EntityType };
    const { kind = "vent", child = "vent" } = house;
    const store = sqliteStore({ path: join(data, "journal.db"), log: silentLog, clock: systemClock });
    await store.open();
    const system = createSystem({ node: "n1", types: [type], store, clock: systemClock, random: systemRandom, log: silentLog });
    await system.start();
    try {
      await system.activate("t/house/h" as never, { input: undefined, children: [{ kind, id: "r", type: child, input: null }] });
      for (let turn = 0; turn < turns; turn++) await system.tell("t/house/h/vent/r", { type: "open" });
      return system.read("t/house/h/vent/r" as never)?.state;
    } catch (error) {
      return (error as Error).message;
    } finally {
      await system.stop();
      await store.close();
    }
  }

  async startOfCopy(house: House): Promise<unknown> {
    const copy = join(this.data, "..", `${String(++this.#count)}-copy`);
    mkdirSync(copy, { recursive: true });
    cpSync(this.data, copy, { recursive: true });
    return this.start(copy, house);
  }

  async look(house: House): Promise<Looked> {
    const { code, out, err } = await drover(["doctor", "--data", this.data, "--machine", this.write(house), "--json"]);
    if (out === "") throw new Error(err);
    const { findings } = JSON.parse(out) as Pick<Looked, "findings">;
    return { code, findings, text: findings.map(({ status, what }) => `${status}: ${what}`).join("\n") };
  }
}

test("T4. an entity that a start refuses as a whole is a problem for doctor, with the reason of the start, and none of its actors is as it was", async (t) => {
  const bench = new Bench(t);
  t.equal(await bench.start(bench.data, {}, 3), "open");
  t.match(await bench.look({}), { code: 0, text: /ok: house version 1: 1 live actors, 1 as they are[^]*ok: vent version 1: 1 live actors, 1 as they are/ });

  const gone = { child: "valve" };
  const why = /t\/house\/h\/vent\/r: no actor type is registered for "vent"/;
  t.match(await bench.startOfCopy(gone), why);
  const looked = await bench.look(gone);
  t.match(looked, { code: 1, findings: [{ status: "problem", what: why, facts: { entities: ["t/house/h"] } }] });
  t.notMatch(looked.text, /as they are/);
  const known = await bench.look({ ...gone, more: 'export const vent = type("vent", 1);' });
  t.match(known, { code: 1, text: why }, "an actor type that the entity type has no place for is none of its own");
  t.notMatch(known.text, /as they are/);

  const throwing = await bench.look({ more: 'export const vent = type("vent", 2, { migrate: { 1: () => { throw new Error("no way"); } } });' });
  t.match(throwing, { code: 1, text: /vent version 2 would strand 1 of 1[^]*no way/ }, "an actor type that is exported beside the entity type stands in it, as at a start");
  t.notMatch(throwing.text, /a start would refuse/, "what one of its actors says is said once");
  t.notMatch(throwing.text, /as they are/);
  t.match(await bench.look({ more: 'export const later = of(child, "volatile", 2);' }), { code: 1, text: /volatile now/ }, "of two entity types of one name the newer counts");
});

test("T4. children that the entity type has no place for any more are a problem for doctor", async (t) => {
  const bench = new Bench(t);
  await bench.start(bench.data, {}, 1);
  const renamed = { kind: "flap" };
  t.equal(await bench.startOfCopy(renamed), undefined, "it is stopped, and another begins");
  t.match(await bench.look(renamed), {
    code: 1,
    text: /problem: house has no place any more for children of 1 of 1 stored entities\n {2}t\/house\/h\/vent\/r: "vent" is no kind of child of house/,
  });
});

test("T4. doctor tells what a changed durability loses: all of it as volatile, the history as snapshot", async (t) => {
  const bench = new Bench(t);
  await bench.start(bench.data, {}, 3);
  t.equal(await bench.startOfCopy({ durability: "volatile" }), "shut", "a volatile one begins anew");
  const volatile = await bench.look({ durability: "volatile" });
  t.match(volatile, {
    code: 1,
    findings: [{ status: "problem", what: /house is volatile now: 1 of 1 stored entities would begin anew[^]*t\/house\/h: 2 live actors lose their states/ }],
  });
  t.notMatch(volatile.text, /as they are|go on/);

  t.equal(await bench.startOfCopy({ durability: "snapshot" }), "open");
  t.match(await bench.look({ durability: "snapshot" }), {
    code: 0,
    findings: [{ status: "note", what: /house keeps no history now: 1 of 1 stored entities would forget theirs/ }, { status: "ok" }],
  });
});

test("T4. what was kept as snapshot has no history to lose, as events neither", async (t) => {
  const kept = new Bench(t);
  await kept.start(kept.data, { durability: "snapshot" }, 5);
  for (const durability of ["snapshot", "events"]) {
    const looked = await kept.look({ durability });
    t.match(looked, { code: 0, text: /vent version 1: 1 live actors, 1 as they are/ });
    t.notMatch(looked.text, /history/);
  }
});

test("T4. of entities of which some are refused the actors of the others are counted as they are; a newer one is told once; a replica is started by nobody here", async (t) => {
  const bench = new Bench(t);
  await bench.start(bench.data, { version: 2 }, 1);
  const newer = await bench.look({ version: 1 });
  t.match(newer, { code: 1, text: /vent version 1 would strand 1 of 1/ });
  t.notMatch(newer.text, /a start would refuse/);

  const store = sqliteStore({ path: join(bench.data, "journal.db"), log: silentLog, clock: systemClock });
  await store.open();
  const cell = {
    incarnation: 1,
    type: "house",
    version: 1,
    status: "active",
    value: "shut",
    context: {},
    accepts: ["open"],
    inner: { id: "house", life: "running", supervision: { kind: "root" } },
  };
  for (const [id, rest] of [
    ["replica", null],
    ["broken", {}],
  ] as const) {
    const address = `t/house/${id}`;
    const lamp = { ...cell, address: `${address}/lamp/l`, incarnation: 2, type: "lamp" };
    const state = {
      v: 1,
      entity: address,
      type: "house",
      incarnation: id,
      revision: 1,
      stamp: { now: 1, elapsed: 0, seed: 0 },
      labels: {},
      cells: [{ ...cell, address }, ...(rest === null ? [] : [lamp])],
      rest,
    };
    await store.commit([{ entity: address, type: "house", incarnation: id, revision: 1, epoch: 0, at: 1, record: new Uint8Array(), snapshot: encodeState(state as never) }]);
  }
  await store.close();
  const some = await bench.look({ version: 2 });
  t.match(some, {
    code: 1,
    findings: [{ status: "problem", what: /house: a start would refuse 1 of 2 stored entities\n {2}t\/house\/broken: / }, { status: "ok" }, { status: "ok" }],
  });
  t.match(some.text, /house version 1: 3 live actors, 2 as they are and 0 by migrate, 1 lost with their entities/);
});
