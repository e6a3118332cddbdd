// Tells the cloud what the demo's own tree looks like, as every node does: `/v1/tree` joins all announced trees.

import type { Clock, Log, Random, TimeoutHandle } from "../../runtime/ports/index.ts";
import type { TreeNode } from "../../runtime/supervision/index.ts";
import { encodeEnvelope, nodeName } from "../../runtime/wire/index.ts";
import { lifeOf } from "../../runtime/workers/index.ts";
import { mqttTransport, type NodeCredential } from "../../protocols/mqtt/index.ts";

const EVERY_MS = 250;

export interface AnnouncerOptions {
  readonly brokerUrl: () => string;
  readonly credential: NodeCredential;
  readonly describe: () => TreeNode;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** A child of the demo's tree; told anew with each link, since an embedded broker forgets when it ends. */
export function announcer(options: AnnouncerOptions): ReturnType<typeof lifeOf> {
  const { credential, describe, clock, random, log } = options;
  const { node, secret } = credential;
  return lifeOf(async ({ ready }, signal) => {
    const session = random.id();
    const transport = mqttTransport({ url: options.brokerUrl(), node, username: node, password: secret, clock, random, log });
    let told = "";
    const unstate = transport.onState((state) => {
      if (state.kind === "ready") told = "";
    });
    const tell = async (): Promise<void> => {
      const tree = describe();
      const text = JSON.stringify(tree);
      if (text === told || transport.state.kind !== "ready") return;
      const outcome = await transport.setLast(nodeName(node, "tree"), encodeEnvelope({ kind: "tree", id: random.id(), sender: { node, session }, body: tree }));
      if (outcome.kind === "accepted" || outcome.kind === "handed") told = text;
    };
    await transport.start();
    ready();
    let timer: TimeoutHandle | undefined;
    await new Promise<void>((resolve, reject) => {
      const beat = (): void => {
        tell().then(() => {
          if (!signal.aborted) timer = clock.setTimeout(beat, EVERY_MS);
        }, reject);
      };
      signal.addEventListener("abort", () => {
        resolve();
      });
      if (signal.aborted) resolve();
      else beat();
    }).finally(() => {
      clock.clearTimeout(timer);
      unstate();
    });
    await transport.stop(500);
  });
}
