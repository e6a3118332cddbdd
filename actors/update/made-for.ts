// What the image of a module was built for: type, hardware and build-time address (research/trailcurrent.md 4.1: a wrong one passes every check of the module itself).

import type { Static } from "typebox";
import { T } from "../../runtime/index.ts";

export const madeFor = T.Object({
  type: T.String({ maxLength: 128, description: "Module type, e.g. trailcurrent/torrent." }),
  hardware: T.String({ maxLength: 64 }),
  address: T.Optional(T.Integer({ minimum: 0, maximum: 255, description: "Absent: its type has none." })),
});

export type MadeFor = Static<typeof madeFor>;

/** What is made for which hardware and address, in words: `trailcurrent/torrent 2.4.0 on esp32 at address 0`. @param what a module type, or an image of one */
export function madeForWords(what: string, { hardware, address }: { readonly hardware: string; readonly address?: number | null | undefined }): string {
  return `${what} on ${hardware}${typeof address === "number" ? ` at address ${String(address)}` : ""}`;
}
