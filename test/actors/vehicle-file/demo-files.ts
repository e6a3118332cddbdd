// Where the tests find the demo's files, and the recordings beside the checkout that are not published.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type CheckedVehicle, checkVehicle, resolverOver } from "../../../actors/vehicle-file/index.ts";
import { root } from "../../project/checkout.ts";

const VEHICLES = join(root, "cli/demo/vehicles");
const SHARED = join(root, "../shared/data");
const FOLDERS = [join(root, "cli/demo/data"), join(SHARED, "can/dbc"), join(SHARED, "can/logs"), join(SHARED, "trailcurrent")];

/** Full name of a database or recording, or undefined where neither the demo nor the shared data has it. */
export function dataFile(name: string): string | undefined {
  return FOLDERS.flatMap((folder) => [join(folder, name), join(folder, `${name}.gz`)]).find((file) => existsSync(file));
}

/** For `{ skip }`: why a test cannot run here. Never skips where DROVER_REQUIRE lists `shared`. */
export function withoutData(...names: readonly string[]): string | false {
  const missing = names.filter((name) => dataFile(name) === undefined);
  const isRequired = (process.env["DROVER_REQUIRE"] ?? "").split(",").includes("shared");
  return missing.length === 0 || isRequired ? false : `needs ${missing.join(", ")}`;
}

/** Lines of a recording, packed (as the demo has it) or not, and only its first ones. */
export function recording(name: string, lines?: number): readonly string[] {
  const file = dataFile(name) ?? "";
  const bytes = readFileSync(file);
  return (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("latin1").split("\n", lines);
}

export function vehicleText(name: string): string {
  return readFileSync(join(VEHICLES, name), "utf8");
}

export function checkDemo(name: string): CheckedVehicle {
  const read = (file: string): Uint8Array | undefined => {
    const found = existsSync(file) ? file : dataFile(basename(file));
    return found === undefined ? undefined : readFileSync(found);
  };
  return checkVehicle(
    { file: join(VEHICLES, name), text: vehicleText(name) },
    resolverOver(read, (folder) => readdirSync(folder)),
  );
}
