// Known and active versions of actor types as an operator meets them: over HTTP and with the command (rules T4).

import { test } from "tap";
import { actorType, entityType, messages, parseAddress, reducer, type Registered } from "../../runtime/index.ts";
import { type Log, silentLog } from "../../runtime/ports/index.ts";
import { hosting } from "../runtime/system/hosting.ts";
import { isProblem, serving } from "../protocols/http/serving.ts";
import { drover } from "./captured.ts";

const POT = parseAddress("home/pot/blue");
const BAD = parseAddress("home/pot/cracked");
const potMessages = messages({});

/** The second version takes no cracked pot over. */
const pot = (version: 1 | 2): Registered => {
  const of = (version: 1 | 2): ReturnType<typeof actorType> =>
    actorType({
      name: "pot",
      version,
      messages: potMessages,
      behaviour: reducer({ initial: (input) => ({ isCracked: input }), step: (state) => state }) as never,
      ...(version === 1
        ? {}
        : {
            earlier: [of(1)],
            migrate: {
              1: ({ context }) => {
                if ((context as { isCracked?: boolean }).isCracked === true) throw new Error("it is cracked");
                return { value: undefined, context: context as unknown };
              },
            },
          }),
    }) as never;
  return entityType({ root: of(version), durability: "events", placement: "cloud" });
};

test("T4. an operator sees which versions are known and active, and raises one", async (t) => {
  const before = await hosting({ types: [pot(1)] });
  await before.system.activate(POT, { input: false });
  await before.system.activate(BAD, { input: true });
  await before.system.stop();
  const lines: object[] = [];
  const log: Log = { ...silentLog, info: (fields, message) => void lines.push({ ...fields, message }) };
  const { app, as, system, texts } = await serving(t, { hosted: { types: [pot(2)], disk: before.disk, clock: before.clock, seed: 2 }, log });
  await system.activate(POT, { input: undefined });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  const node = ["--url", url, "--token", texts.operator];

  t.same((await as("viewer", { url: "/v1/versions" })).json(), { items: [{ type: "pot", known: [1, 2], active: 1 }] });
  for (const verb of [["versions"], ["versions", "ls"]]) {
    const { out, err, code } = await drover([...verb, ...node]);
    t.same([code, err], [0, ""]);
    t.match(out, /^TYPE +KNOWN +ACTIVE\npot +1, 2 +1 +version 2 can be raised\n$/);
  }
  const raise = (versions: unknown) => as("operator", { method: "POST", url: "/v1/versions", payload: { versions } });
  isProblem(t, await raise({ pot: 3 }), 404, "no-such-version");
  isProblem(t, await raise({ kettle: 1 }), 404, "no-such-version");
  for (const versions of [undefined, {}, { pot: 0 }, { pot: "2" }, { "Pot/x": 2 }, ["pot"]]) isProblem(t, await raise(versions), 422, "invalid");
  t.match(await drover(["versions", "raise", "kettle", ...node]), { code: 4, err: /"kettle" is not among pot/ });
  t.match(await drover(["versions", "raise", "pot@3", ...node]), { code: 4, err: /version 3 of pot is not registered on this node; there are 1, 2/ });
  t.match(system.versions(), [{ active: 1 }], "nothing was raised");

  t.match(await drover(["versions", "raise", "pot", ...node]), { code: 0, out: "version 2 of pot is active\n" });
  t.match(system.read(POT), { version: 2 });
  t.match(lines.at(-1), { versions: { pot: 2 }, by: "ann", message: "versions of actor types were raised" });
  isProblem(t, await raise({ pot: 1 }), 409, "version-lowered");
  t.match(await drover(["versions", "raise", "pot@1", ...node]), { code: 5, err: /never lowered, to 1/ });
  t.match((await drover(["versions", ...node])).out, /\npot +1, 2 +2\n$/);
  t.match(JSON.parse((await drover(["versions", "--json", ...node])).out), { items: [{ active: 2 }] });
});

test("T4. an operator is told who could not go over, and of versions that are newer than the release", async (t) => {
  const before = await hosting({ types: [pot(1)] });
  await before.system.activate(BAD, { input: true });
  await before.system.stop();
  const { app, system, texts, disk, clock } = await serving(t, { hosted: { types: [pot(2)], disk: before.disk, clock: before.clock, seed: 2 } });
  await system.activate(BAD, { input: undefined });
  const node = ["--url", await app.listen({ port: 0, host: "127.0.0.1" }), "--token", texts.operator];
  t.match(await drover(["versions", "raise", "pot@2", ...node]), {
    code: 9,
    out: "version 2 of pot is active\n",
    err: /^home\/pot\/cracked could not go over, and is tried again: .*it is cracked\n$/,
  });
  const again = await drover(["versions", "raise", "pot", "--json", ...node]);
  t.match(JSON.parse(again.out), { items: [{ type: "pot", active: 2 }], left: [] }, "it is away by now");
  await system.stop();

  const back = await serving(t, { hosted: { types: [pot(1)], disk, clock, seed: 3 } });
  const former = ["--url", await back.app.listen({ port: 0, host: "127.0.0.1" }), "--token", back.texts.operator];
  t.match((await drover(["versions", ...former])).out, /\npot +1 +2 +newer than all that are known: its entities are refused\n$/);
  const none = await serving(t, { hosted: { types: [] } });
  t.match(await drover(["versions", "--url", await none.app.listen({ port: 0, host: "127.0.0.1" }), "--token", none.texts.viewer]), {
    code: 0,
    err: "no actor type is kept on this node\n",
  });
});
