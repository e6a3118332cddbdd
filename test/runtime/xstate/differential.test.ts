// The cases against bare XState (hosting H1 to H9): same states, contexts, traces, emitted events; with restarts; by replay; taken twice.

import { test } from "tap";

import { difference, restoreEntity } from "../../../runtime/entity/index.ts";
import { actionsCases } from "./actions-cases.ts";
import type { DifferentialCase } from "./case.ts";
import { childrenCases } from "./children-cases.ts";
import { type Ran, runBare, runHosted } from "./differential.ts";
import { featuresCases } from "./features-cases.ts";
import { sourcesCases } from "./sources-cases.ts";
import { statesCases } from "./states-cases.ts";

const cases: readonly DifferentialCase[] = [...statesCases, ...actionsCases, ...childrenCases, ...sourcesCases, ...featuresCases];
const plainCases = cases.filter((one) => one.difference === undefined);

const json = (ran: Ran): unknown => JSON.parse(JSON.stringify(ran));

// XState says where it will send something to a child that has ended.
const { warn } = console;
console.warn = () => undefined;

test("H1, H4, H5, H6. every case gives what bare XState gives", async (t) => {
  t.equal(cases.length, 66);
  for (const one of plainCases) t.same(json((await runHosted(one)).ran), json(await runBare(one)), one.name);
});

test("H8, S9. every case gives the same with its state through JSON between all steps", async (t) => {
  for (const one of cases) t.same(json((await runHosted(one, { restart: true })).ran), json((await runHosted(one)).ran), one.name);
});

test("S9, R1, T3. every case gives the same state when its journal is run again", async (t) => {
  for (const one of cases) {
    const { host } = await runHosted(one);
    const { entity, divergences } = restoreEntity(host.type, host.address, { snapshot: undefined, records: host.journal() });
    t.same(divergences, [], one.name);
    t.equal(difference(host.entity.state(), entity.state(), ""), undefined, one.name);
  }
});

test("H11, C3. every case gives the same when each turn is taken back and taken again", async (t) => {
  for (const one of cases) {
    const { ran, host } = await runHosted(one, { twice: true });
    t.same(host.differences, [], one.name);
    t.same(json(ran), json((await runHosted(one)).ran), one.name);
  }
});

test("N8, N13. what bare XState reports as unhandled takes the input back and is the supervisor's", async (t) => {
  const unhandled = cases.filter((one) => one.difference === "N8");
  t.equal(unhandled.length, 6);
  for (const one of unhandled) {
    const bare = await runBare(one);
    const { ran, host } = await runHosted(one);
    t.equal(bare.status, "error", `${one.name}: bare has failed`);
    t.equal(ran.status, "active", `${one.name}: the entity goes on`);
    t.equal(ran.errors[0], bare.errors[0], one.name);
    t.ok(
      host.effects.some((effect) => effect.kind === "supervision" && effect.report.context === "child_terminated"),
      `${one.name}: the supervisor has heard`,
    );
  }
});

const named = (name: string): DifferentialCase => cases.find((one) => one.name === name) as DifferentialCase;

test("N4. arming an armed timer replaces it, where bare XState lets both fire", async (t) => {
  const sends = named("sendTo delay + cancel + same id twice");
  t.same((await runHosted(sends)).ran.context, {
    log: [
      ["says", 0],
      ["says", 1],
      ["says", 1],
    ],
  });
  t.same((await runBare(sends)).context, {
    log: [
      ["says", 0],
      ["says", 2],
      ["says", 3],
    ],
  });
  const raises = named("raise delay, after, named delay fn, cancel on exit");
  t.same((await runHosted(raises)).ran.trace, ["R", "after", "R", "after"]);
  t.same((await runBare(raises)).trace, ["R", "after", "R", "R", "after"]);
});

test("N1. a custom action sees the committed state, where bare XState shows the one before", async (t) => {
  const one = named("custom action reads self.getSnapshot");
  t.same((await runHosted(one)).ran.trace, ["at b"]);
  t.same((await runBare(one)).trace, ["at a"]);
});

test("N2. a source answers in a later turn, where bare XState lets it cut in", async (t) => {
  const one = named("callback that answers synchronously while parent goes on sending");
  t.same((await runHosted(one)).ran.context, { log: ["K", "ECHO"] });
  t.same((await runBare(one)).context, { log: ["ECHO", "K"] });
});

test("N19. of a child's step that throws nothing is performed, also where its parent handles the error; bare XState has performed the custom actions before the throw", async (t) => {
  const one = named("child throws behind a custom action, onError");
  t.same((await runHosted(one)).ran.trace, ["caught"]);
  t.same((await runBare(one)).trace, ["before", "caught"]);
});

test("the console is given back", (t) => {
  console.warn = warn;
  t.end();
});
