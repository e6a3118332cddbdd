// A node checks again what its schema cannot say: that the vehicle has such a bus, that this machine has such an address. It knows settings by their paths only;
// the reader of a configuration file is told the place.

import { DroverError } from "../../runtime/ports/index.ts";
import { aboutOf, type PlaceOf } from "./origins.ts";

/** `http.host: this machine has …`, perhaps after the children of the tree that could not start for it. */
const ABOUT_A_SETTING = /^(?:"[^"]*" could not start: )*([A-Za-z_][\w-]*(?:\.[\w~-]+)*): (.*)$/s;

/** The same error with the origin before each line that is about a setting; anything else comes back as it is. */
export function withPlaces(thrown: unknown, placeOf: PlaceOf): unknown {
  if (!(thrown instanceof DroverError) || thrown.code !== "DROVER_CONFIG_INVALID") return thrown;
  const message = thrown.message
    .split("\n")
    .map((line) => withPlace(line, placeOf))
    .join("\n");
  if (message === thrown.message) return thrown;
  const { cause, retryable, position } = thrown;
  return new DroverError(thrown.code, message, { retryable, ...(cause === undefined ? {} : { cause }), ...(position === undefined ? {} : { position }) });
}

function withPlace(line: string, placeOf: PlaceOf): string {
  const [, path, words = ""] = ABOUT_A_SETTING.exec(line) ?? [];
  if (path === undefined) return line;
  const place = placeOf(path, aboutOf(words));
  return place === undefined ? line : `${place}: ${path}: ${words}`;
}
