// `drover image add`: an image of a module's firmware for rollouts.

import { connected, type ConnectedOptions } from "./connected.ts";
import { type AddVerb, examples, wholeNumber } from "./verb.ts";

interface Options extends ConnectedOptions {
  readonly module: string;
  readonly hardware: string;
  readonly address?: number;
  readonly imageVersion: string;
}

export const addImageAdd: AddVerb = (parent, run) => {
  const command = connected(
    parent
      .command("add")
      .description("bring an image of a module's firmware to the cloud")
      .argument("<file>", "the image")
      .requiredOption("--module <type>", "module type, e.g. trailcurrent/torrent")
      .requiredOption("--hardware <name>", "as vehicles' files name it, e.g. esp32-s3")
      .requiredOption("--image-version <version>", "firmware version, e.g. 2.4.0")
      .option("--address <n>", "build-time address of the module; left out for types that have none", wholeNumber(0, 255)),
  ).action(async (file: string, { imageVersion: version, ...options }: Options) => {
    await run(command, async (call) => {
      const { addImage } = await import("../images/index.ts");
      return addImage(file, { ...options, version }, call);
    });
  });
  examples(command, [["drover image add torrent-0.bin --module trailcurrent/torrent --hardware esp32-s3 --address 0 --image-version 2.4.0", "a plan names it by its sha256 then"]]);
};
