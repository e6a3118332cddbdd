// Reads a vehicle's file and all that it names from disk; the checking is actors/vehicle-file's.

import { basename, dirname } from "node:path";
import { type CheckedVehicle, checkVehicle, resolverOver, type VehicleModel } from "../actors/vehicle-file/index.ts";
import { DroverError, formatProblem, nearestName } from "../runtime/index.ts";
import { type Log, silentLog } from "../runtime/ports/index.ts";

/** Reading as the checker needs it: `undefined` where there is no such file; it may throw where there is one that cannot be read. */
export interface VehicleFiles {
  read(path: string): Uint8Array | undefined;
  /** Names in a folder, for suggestions. */
  names(folder: string): readonly string[];
}

/** Never throws for what stands in the files. */
export function checkVehicleAt(path: string, files: VehicleFiles): CheckedVehicle {
  let bytes: Uint8Array | undefined;
  let message = "there is no such file";
  try {
    bytes = files.read(path);
  } catch (error) {
    message = `it cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (bytes === undefined) {
    const suggestion = nearestName(basename(path), files.names(dirname(path)));
    const problem = { file: path, line: 1, column: 1, path: "", message, expected: "a vehicle's file", ...(suggestion === undefined ? {} : { suggestion }) };
    return { kind: "invalid", problems: [problem], warnings: [] };
  }
  const resolver = resolverOver(
    (file) => files.read(file),
    (folder) => files.names(folder),
  );
  return checkVehicle({ file: path, text: new TextDecoder().decode(bytes) }, resolver);
}

/** The model of one vehicle; what is doubtful about its files goes to the log. @throws DROVER_CONFIG_INVALID with every problem, a line each, and the place of the first */
export function readVehicle(path: string, files: VehicleFiles, log: Log = silentLog): VehicleModel & { readonly vehicle: string } {
  const checked = checkVehicleAt(path, files);
  if (checked.kind === "invalid") {
    const [first] = checked.problems;
    throw new DroverError(
      "DROVER_CONFIG_INVALID",
      checked.problems.map(formatProblem).join("\n"),
      first === undefined ? {} : { position: { file: first.file, line: first.line, column: first.column } },
    );
  }
  const { model } = checked;
  if (model.vehicle === undefined)
    throw new DroverError(
      "DROVER_CONFIG_INVALID",
      `${path}:1:1: this describes the model "${model.model}", not one vehicle (expected a file with vehicle: tenant/vehicle/id and model: ${model.model}@${String(model.version)})`,
      {
        position: { file: path, line: 1, column: 1 },
      },
    );
  for (const warning of checked.warnings) log.warn({ file: warning.file, line: warning.line, column: warning.column }, formatProblem(warning));
  return { ...model, vehicle: model.vehicle };
}
