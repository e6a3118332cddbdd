// Assertions of the W3C's SCXML test suite under bare XState and under the entity: the same end, the same words on the way, with restarts between all steps and by replay.

import { test } from "tap";
import { createActor } from "xstate";

import { difference, restoreEntity } from "../../../runtime/entity/index.ts";
import { anyMessages, EntityHost, thingType } from "../entity-host.ts";
import { OrderedClock, show, type Shown } from "./bare-actor.ts";
import { rootOf } from "./differential.ts";
import { machineOf } from "./scxml/converter.ts";
import { documents } from "./scxml/documents.ts";

/** Long enough for every delay in the documents; in steps, so that there is something to restart between. */
const STEPS_MS = [0, 60, 60, 100, 100, 200, 300, 500];

test("H1, H5, H6, S9. documents of the SCXML suite end as under bare XState, with restarts between all steps and by replay", (t) => {
  t.ok(documents.length >= 70, `${String(documents.length)} documents`);
  t.equal(new Set(documents.map(({ number }) => number)).size, documents.length);
  for (const { number, holds, source, deviates } of documents) {
    const title = `${number}: ${holds}`;
    const said: string[] = [];
    const clock = new OrderedClock();
    const bare = createActor(machineOf(source), { clock, id: "root", logger: (...words: unknown[]) => said.push(words.map(String).join(" ")) });
    bare.subscribe({ error: (error: unknown) => said.push(String(error)) });
    bare.start();
    const type = thingType(machineOf(source), anyMessages());
    const plain = new EntityHost(type, { twice: true });
    const restarted = new EntityHost(type);
    if (!t.same(plain.faults, [], `${title}: starts`)) continue;
    for (const ms of STEPS_MS) {
      clock.advance(ms);
      plain.advance(ms);
      restarted.restart({ keepSources: true });
      restarted.advance(ms);
      const expected = show(bare.getSnapshot());
      for (const host of [plain, restarted]) t.equal(difference(expected, show(rootOf(host) as unknown as Shown), ""), undefined, `${title}, after ${String(ms)} ms`);
    }
    for (const host of [plain, restarted]) {
      t.same(
        host.logged.map(({ label, value }) => [label, value].join(" ")),
        said,
        `${title}: says the same`,
      );
    }
    t.same(plain.differences, [], title);
    t.equal((bare.getSnapshot() as { readonly value: unknown }).value, deviates === undefined ? "pass" : "fail", `${title}${deviates === undefined ? "" : ` (${deviates})`}`);
    const { entity, divergences } = restoreEntity(type, plain.address, { snapshot: undefined, records: plain.journal() });
    t.same(divergences, [], `${title}: replayed`);
    t.equal(difference(plain.entity.state(), entity.state(), ""), undefined, `${title}: replayed`);
  }
  t.end();
});
