// `drover actors send`: a message to an actor; done when it is taken.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, durationMs, examples } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly id?: string;
  readonly body?: string;
  readonly timeout?: number;
  readonly dryRun?: true;
}

export const addActorsSend: AddVerb = (parent, run) => {
  const command = connected(
    parent
      .command("send")
      .description("send an event to an actor; done when it is taken")
      .argument("<address>", "tenant/type/id, then /type/id for each child")
      .argument("<type>", "event type, e.g. light.set")
      .argument("[fields...]", "key=value; a value that reads as JSON is JSON, else a text")
      .option("--id <id>", "message id: sent again under the same id it acts once; default a fresh one")
      .option("--body <json>", "all fields as one JSON object; - is standard input")
      .option("--dry-run", "send nothing: show which guards it would meet and where it would lead")
      .option("--timeout <time>", "longest wait, e.g. 500ms or 10s; default 10s", durationMs),
  ).action(async (address: string, type: string, fields: readonly string[], options: Options) => {
    await run(command, async (call) => {
      const { sendToActor, tryOnActor } = await import("../actors/index.ts");
      return (options.dryRun === true ? tryOnActor : sendToActor)({ address, type, fields }, options, call);
    });
  });
  examples(command, [
    ["drover actors send demo/vehicle/trailer-01 bus.mute bus=can0 reason=workshop", "nothing leaves on that bus any more"],
    ["drover actors send demo/vehicle/trailer-01/module/torrent-0 light.set output=galley level=255 --id lamp-1", "acts once, however often it is sent"],
    ["drover actors send demo/vehicle/trailer-01/module/torrent-0 light.set output=galley level=300 --dry-run", "why would it be refused?"],
  ]);
};
