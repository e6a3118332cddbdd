// `drover actors ask`: a message to an actor, and its reply.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, durationMs, examples } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly id?: string;
  readonly body?: string;
  readonly timeout?: number;
}

export const addActorsAsk: AddVerb = (parent, run) => {
  const command = connected(
    parent
      .command("ask")
      .description("send an event to an actor and show its reply")
      .argument("<address>", "tenant/type/id, then /type/id for each child")
      .argument("<type>", "event type, e.g. light.set")
      .argument("[fields...]", "key=value; a value that reads as JSON is JSON, else a text")
      .option("--id <id>", "message id: asked again under the same id it acts once and answers the same; default a fresh one")
      .option("--body <json>", "all fields as one JSON object; - is standard input")
      .option("--timeout <time>", "longest wait for the reply, e.g. 500ms or 10s; default 5s", durationMs),
  ).action(async (address: string, type: string, fields: readonly string[], options: Options) => {
    await run(command, async (call) => {
      const { askActor } = await import("../actors/index.ts");
      return askActor({ address, type, fields }, options, call);
    });
  });
  examples(command, [
    ["drover actors ask demo/vehicle/trailer-01/module/torrent-0 light.set output=galley level=255", "done when the lamp's own status says so"],
    ["drover actors ask demo/vehicle/trailer-01/module/therma climate.setpoint.request value=21 --timeout 10s", "may wait for the vehicle"],
  ]);
};
