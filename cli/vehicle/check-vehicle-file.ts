// Tells what is wrong with the files of a vehicle, or what they describe.

import { checkVehicle, confirmationWaitMs, type ModelTarget, type VehicleModel } from "../../actors/vehicle-file/index.ts";
import { readPlainText } from "../../runtime/host/index.ts";
import { formatProblem } from "../../runtime/shape/index.ts";
import { type Call, EXIT, type ExitCode, paint, printJson, printLines } from "../terminal/index.ts";
import { filesFromDisk } from "./files-from-disk.ts";

/** @throws DROVER_FILE_UNREADABLE when `file` itself cannot be opened */
export async function checkVehicleFile(file: string, call: Call): Promise<ExitCode> {
  const checked = checkVehicle({ file, text: readPlainText(file, "the YAML file of a vehicle or a model") }, filesFromDisk());
  const { warnings } = checked;
  const warned = warnings.map((warning) => `${formatProblem(warning)} (warning)`);
  if (checked.kind === "invalid") {
    const { problems } = checked;
    if (call.json) printJson(call.out, { valid: false, file, problems, warnings });
    else printLines(call.out, [...problems.map(formatProblem), ...warned]);
    call.err.write(`${file}: ${String(problems.length)} ${problems.length === 1 ? "problem" : "problems"}\n`);
    return EXIT.invalid;
  }
  if (call.json) printJson(call.out, { valid: true, file, ...summaryOf(checked.model), warnings });
  else printLines(call.out, [...describe(file, checked.model, call), ...(warned.length === 0 ? [] : ["  valid, but with warnings:"]), ...warned.map((line) => `    ${line}`)]);
  return EXIT.ok;
}

function summaryOf(model: VehicleModel) {
  return {
    vehicle: model.vehicle ?? null,
    model: model.model,
    version: model.version,
    hash: model.hash,
    labels: model.labels,
    buses: model.buses.map(({ name, mode, match, dbcFile, database }) => ({ name, mode, match, dbc: dbcFile, messages: database.messages.length })),
    modules: model.modules.map(({ name, type, bus, presence }) => ({ name, type: type ?? null, bus, silentAfterMs: presence.silentAfterMs ?? null })),
    signals: { vehicle: model.signals.filter(({ origin }) => origin === "vehicle").length, module: model.signals.filter(({ origin }) => origin === "module").length },
    conditions: model.conditions.map(({ name }) => name),
    commands: model.commands.map(({ name, guard, whenAway, deadlineMs, ttlMs, targets }) => ({
      name,
      guard: guard ?? null,
      whenAway,
      deadlineMs,
      ttlMs,
      confirmWithinMs: confirmWithinMs(targets),
      targets: targets.length,
    })),
    updates: model.updates.map(({ module, guard }) => ({ module, guard: guard ?? null })),
    watches: model.watches.map(({ signal }) => signal),
    notActedOn: model.notActedOn,
  };
}

/** After the frame, of the slowest; null where no status confirms any. */
function confirmWithinMs(targets: readonly ModelTarget[]): number | null {
  const waits = targets.filter(({ confirm }) => confirm !== undefined).map(({ status }) => confirmationWaitMs(status?.periodMs));
  return waits.length === 0 ? null : Math.max(...waits);
}

function describe(file: string, model: VehicleModel, call: Call): readonly string[] {
  const { good, bold } = paint(call.hasColour);
  const { vehicle, buses, modules, signals, conditions, commands, updates, watches, notActedOn } = summaryOf(model);
  const quoted = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));
  const open = buses.filter(({ mode }) => mode === "normal").map(({ name }) => name);
  return [
    `${good("valid")}  ${bold(vehicle ?? "a model by itself")}, ${model.model}@${String(model.version)} (${file}, hash ${model.hash.slice(0, 12)})`,
    `  buses       ${quoted(buses.map(({ name, mode, messages }) => `${name} (${mode}, ${String(messages)} messages)`))}`,
    `  modules     ${quoted(modules.map(({ name }) => name))}`,
    `  signals     ${String(signals.vehicle)} of the vehicle, ${String(signals.module)} of its modules`,
    `  conditions  ${quoted(conditions)}`,
    `  commands    ${quoted(commands.map(({ name, guard }) => (guard === null ? name : `${name} (if ${guard})`)))}`,
    ...commands.map(
      (each) =>
        `    ${each.name}: its frame on the bus within ${String(each.deadlineMs)} ms${each.confirmWithinMs === null ? "" : `, its confirmation within ${String(each.confirmWithinMs)} ms more`}; vehicle away: ${each.whenAway}`,
    ),
    ...(updates.length === 0 ? [] : [`  updates     ${quoted(updates.map(({ module, guard }) => (guard === null ? module : `${module} (if ${guard})`)))}`]),
    `  watches     ${quoted(watches)}`,
    `  sending     ${open.length === 0 ? "nothing: every bus is listen-only" : `only these commands${updates.length === 0 ? "" : " and updates"}, on ${open.join(", ")}`}`,
    ...(notActedOn.length === 0 ? [] : ["  valid, but not acted on yet:"]),
    ...notActedOn.map(({ path, note }) => `    ${path}: ${note}`),
  ];
}
