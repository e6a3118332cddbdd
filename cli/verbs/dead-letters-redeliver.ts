// `drover dead-letters redeliver`: sends a message that reached nobody again.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples, wholeNumber } from "./verb.ts";

export const addDeadLettersRedeliver: AddVerb = (parent, run) => {
  const command = connected(
    parent
      .command("redeliver")
      .description("send a message that reached nobody again; once it was taken never again. A timer that was set aside rings at once")
      .argument("<number>", "as `ls` lists it", wholeNumber(1, Number.MAX_SAFE_INTEGER)),
  ).action(async (number: number, options: ConnectedOptions) => {
    await run(command, async (call) => {
      const { redeliver } = await import("../nodes/index.ts");
      return redeliver(number, options, call);
    });
  });
  examples(command, [["drover dead-letters redeliver 17", "send number 17 again, now that its actor is there"]]);
};
