// `drover actors history` of an actor whose entity is busy with others: its turns lie behind pages that hold none.

import { test } from "tap";
import type { HistoryEntry, HistoryQuery } from "../../runtime/index.ts";
import { COUNTER, fakeOver, serving, servingCounter } from "../protocols/http/serving.ts";
import { drover } from "./captured.ts";

test("pages without a turn are passed over until as many as were asked for are there, or no more are kept", async (t) => {
  const real = await servingCounter(t);
  const own = [70_000, 40_000, 39_999, 3];
  const asked: HistoryQuery[] = [];
  // A FAKE of a long journal: an answer looks through 10,000 turns of the entity.
  const system = fakeOver(real.system, {
    history: async (_address, query) => {
      asked.push(query);
      const { before = 80_001, limit } = query;
      const upTo = Math.max(0, before - 10_000);
      const items = own.filter((revision) => revision < before && revision >= upTo).slice(0, limit);
      const next = items.length === limit ? items.at(-1) : upTo === 0 ? undefined : upTo;
      return Promise.resolve({
        items: items.map((revision): HistoryEntry => ({ revision, at: 0, inputs: [], state: "open", timers: [], emitted: [] })),
        next,
        missing: upTo === 0 ? [{ after: 0, upTo: 2 }] : [],
      });
    },
  });
  const { app, texts } = await serving(t, { system });
  const node = ["--url", await app.listen({ port: 0, host: "127.0.0.1" }), "--token", texts.viewer];
  const json = async (limit: number): Promise<unknown> => JSON.parse((await drover(["actors", "history", COUNTER, "--limit", String(limit), "--json", ...node])).out);
  t.match(await json(20), { items: own.map((revision) => ({ revision })), missing: [{ after: 0, upTo: 2 }] });
  t.same(
    asked.map(({ limit }) => limit),
    [20, 20, 19, 19, 19, 17, 17, 17, 16],
    "each page asks for what is still wanted",
  );
  t.match(await json(2), { items: [{ revision: 70_000 }, { revision: 40_000 }], next: 40_000 });
  const shown = await drover(["actors", "history", COUNTER, "--limit", "3", ...node]);
  t.match(shown, { code: 0, out: /70000[^]*40000[^]*39999/, err: "" });
  t.match((await drover(["actors", "history", COUNTER, ...node])).err, /revision 1 to 2 are not kept/, "what is missing is told beside what is there");
});

test("T1. where turns are missing since the history has forked, that is said", async (t) => {
  const real = await servingCounter(t);
  const missing = [{ after: 0, upTo: 12, forked: { incarnation: "i-one", revision: 11, known: 16, at: 0 } }];
  const system = fakeOver(real.system, { history: async () => Promise.resolve({ items: [], next: undefined, missing }) });
  const { app, texts } = await serving(t, { system });
  const node = ["--url", await app.listen({ port: 0, host: "127.0.0.1" }), "--token", texts.viewer];
  t.match((await drover(["actors", "history", COUNTER, ...node])).err, /revision 1 to 12 are not kept\nhistory forked: .* left i-one at revision 11, /);
  t.match(JSON.parse((await drover(["actors", "history", COUNTER, "--json", ...node])).out), { missing });
});
