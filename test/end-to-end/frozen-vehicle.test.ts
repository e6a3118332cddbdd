// A vehicle whose node is frozen hurts only who asks it; nobody waits for a session that has ended.

import tap, { test } from "tap";
import { TORRENT } from "./fleet.ts";
import { freeze, processFleet } from "./processes.ts";
import { until } from "./until.ts";

const ON = (level: number): { readonly type: string; readonly output: string; readonly level: number } => ({ type: "light.set", output: "galley", level });
const CAR = "demo/vehicle/rav4-01";
/** Asks that may be open to one vehicle. */
const MOST_OPEN = 256;
const FILE_MS = 120_000;

tap.setTimeout(FILE_MS);
tap.comment(`timeout=${FILE_MS}`);

test("S5. As many requests as may be open stand before a frozen vehicle: a further one hears so, other vehicles answer, and all are told once its session has ended", {
  timeout: FILE_MS,
}, async (t) => {
  const fleet = await processFleet(t, ["trailer-01", "rav4-01"]);
  const { api } = fleet;
  await until("the lamp can be set", 10_000, async () => (await api.ask(TORRENT, ON(1), { key: `warm-${performance.now()}` })).status === 200);
  const goOn = freeze(t, fleet);
  const open = Array.from({ length: MOST_OPEN }, (_, n) => api.ask(TORRENT, ON(2), { key: `open-${n}`, timeoutMs: 60_000 }));
  const refused = await until("there is no room", 5_000, async () => {
    const answer = await api.ask(TORRENT, ON(3), { key: "one-more", timeoutMs: 200 });
    return answer.status === 429 ? answer : undefined;
  });
  t.match(refused.body, {
    type: "urn:drover:problem:full",
    id: "one-more",
    detail: "light.set was not taken: 256 requests to vehicle demo/trailer-01 are still without an answer.",
    retryAfterMs: 1_000,
  });
  const other = await api.ask(CAR, ON(4), { key: "other", timeoutMs: 2_000 });
  t.match({ status: other.status, detail: other.body.detail }, { status: 409, detail: /listen-only/ }, "another vehicle's own word");
  const answers = await Promise.all(open);
  t.same([...new Set(answers.map(({ status, body }) => `${status} ${body.type}`))], ["504 urn:drover:problem:outcome-unknown"]);
  t.match(answers[0]?.body.detail, /the session of its owner ended/);
  t.ok(Math.max(...answers.map(({ ms }) => ms)) < 20_000, "told with the end of the session, not of their time");
  t.equal((await api.ask(TORRENT, ON(5), { key: "away" })).status, 503, "nobody is there");
  goOn();
  await until("it answers again", 20_000, async () => (await api.ask(TORRENT, ON(6), { key: `again-${performance.now()}` })).status === 200);
});
