// `drover image rm`: an image is kept no longer.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples } from "./verb.ts";

export const addImageRm: AddVerb = (parent, run) => {
  const command = connected(
    parent.command("rm").description("remove an image that no rollout uses").argument("<sha256>", "64 hexadecimal digits, as drover image ls shows them"),
  ).action(async (sha256: string, options: ConnectedOptions) => {
    await run(command, async (call) => {
      const { removeImage } = await import("../images/index.ts");
      return removeImage(sha256, options, call);
    });
  });
  examples(command, [["drover image rm 0f343b0931126a20f133d67c2b018a3b5f2c3a6b1d1f5a3b7a9d1a2f4c5e6d70", "refused while a rollout uses it"]]);
};
