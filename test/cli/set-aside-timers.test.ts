// A timer that was set aside after its third failure, as an operator meets it: over HTTP and with the command.

import { test } from "tap";
import { assign, setup } from "xstate";
import { actorType, entityType, messages, parseAddress } from "../../runtime/index.ts";
import { serving } from "../protocols/http/serving.ts";
import { drover } from "./captured.ts";

const ALARM = parseAddress("acme/alarm-clock/bed");
const EVENT = "xstate.after.1000.alarm-clock.asleep";

/** @param isMended whether its alarm can ring */
function alarmClock(isMended: () => boolean) {
  const behaviour = setup({
    actions: {
      ring: assign(() => {
        if (!isMended()) throw new Error("the hammer is lost");
        return {};
      }),
    },
  }).createMachine({ id: "alarm-clock", initial: "asleep", states: { asleep: { after: { 1_000: { target: "awake", actions: "ring" } } }, awake: {} } });
  return entityType({ root: actorType({ name: "alarm-clock", version: 1, messages: messages({}), behaviour }), durability: "events", placement: "cloud" });
}

test("M4. an operator sees a timer that was set aside with its cause, and lets it ring once more when its code is mended", async (t) => {
  let isMended = false;
  const { app, as, system, clock, texts } = await serving(t, { hosted: { types: [alarmClock(() => isMended)] } });
  await system.activate(ALARM, { input: undefined });
  await clock.advance(1_000);
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  const node = ["--url", url, "--token", texts.operator];

  const listed = (await as("viewer", { url: `/v1/dead-letters?to=${ALARM}&from=timer&reason=set%20aside` })).json<{ items: readonly object[] }>();
  t.same(listed.items, [{ number: 1, at: clock.now(), to: ALARM, type: EVENT, from: "timer", reason: "set aside", cause: "the hammer is lost", isKept: true }]);
  const table = await drover(["dead-letters", "ls", ...node]);
  t.match(table.out, /^NUMBER +AT +TO +EVENT +FROM +WHY\n +1 +\S+ +acme\/alarm-clock\/bed +xstate\.after\.1000\.alarm-clock\.asleep +timer +set aside: the hammer is lost\n$/);
  const inspected = await drover(["actors", "get", ALARM, "--inspect", ...node]);
  t.match(
    inspected.out,
    /\n {2}parked {4}acme\/alarm-clock\/bed .*: the hammer is lost \(its timer xstate\.after\.1000\.alarm-clock\.asleep can ring again: drover dead-letters\)\n/,
  );

  isMended = true;
  t.match(await drover(["dead-letters", "redeliver", "1", ...node]), { code: 0, out: `${EVENT} was taken by ${ALARM}\n` });
  await clock.advance(1);
  t.equal(system.read(ALARM)?.state, "awake");
  const again = await as("operator", { method: "POST", url: "/v1/dead-letters/1/redeliver" });
  t.match([again.statusCode, again.json()], [409, { type: "urn:drover:problem:letter-spent" }]);
  t.notMatch((await drover(["actors", "get", ALARM, "--inspect", ...node])).out, /can ring again/);
});
