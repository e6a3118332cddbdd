// `drover image ls`: images that the cloud keeps.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples } from "./verb.ts";

export const addImageLs: AddVerb = (parent, run) => {
  const command = connected(parent.command("ls").description("list images, and the rollouts that use each")).action(async (options: ConnectedOptions) => {
    await run(command, async (call) => {
      const { listImages } = await import("../images/index.ts");
      return listImages(options, call);
    });
  });
  examples(command, [["drover image ls", "what plans can name"]]);
};
