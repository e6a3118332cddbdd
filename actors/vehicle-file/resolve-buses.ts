// Buses: each with its database and what is laid over it; and what every later step asks of them: does this message exist, how often does it come?

import { applyOverlay, type CanMessage, type Database, findMessage, findSignal, isFloat, type OverlayEntry } from "../../protocols/can/index.ts";
import { CheckedFile, type ProblemList } from "./checked-file.ts";
import { type FileResolver, nearestFile } from "./file-resolver.ts";
import { type ModelFile, type OverlayFile, overlayFileSchema } from "./file-schemas.ts";
import { ratePerSecond } from "./quantities.ts";
import { nearestName } from "../../runtime/shape/index.ts";
import { canonicalUnit, knownUnits } from "./units.ts";
import type { ModelBus } from "./vehicle-model.ts";

const DEFAULT_MAX_TX_PER_SECOND = 50;
const DEFAULT_PERIOD_ATTRIBUTE = "CycleTime";

/** A bus under check. `model` is undefined where its database is of no use: what refers to it is then not complained about again. */
export interface CheckedBus {
  readonly name: string;
  readonly model: ModelBus | undefined;
  readonly periodAttribute: string;
}

export type CheckedBuses = ReadonlyMap<string, CheckedBus>;

export function resolveBuses(file: CheckedFile, data: Partial<ModelFile>, resolver: FileResolver, problems: ProblemList): CheckedBuses {
  const buses = new Map<string, CheckedBus>();
  for (const name of file.keysAt(["buses"])) {
    const bus = data.buses?.[name];
    const model = bus === undefined ? undefined : resolveBus(file, name, bus, resolver, problems);
    buses.set(name, { name, model, periodAttribute: bus?.period_attribute ?? DEFAULT_PERIOD_ATTRIBUTE });
  }
  if (data.buses !== undefined && buses.size === 0) file.complain(["buses"], { message: "there is no bus", expected: "at least one" });
  return buses;
}

function resolveBus(file: CheckedFile, name: string, bus: ModelFile["buses"][string], resolver: FileResolver, problems: ProblemList): ModelBus | undefined {
  const path = ["buses", name];
  const found = resolver.database(bus.dbc, file.file);
  if (found.kind === "missing") {
    file.complain([...path, "dbc"], {
      message: `there is no file "${bus.dbc}"`,
      expected: "a DBC file beside this one",
      suggestion: nearestFile(bus.dbc, file, resolver),
    });
    return undefined;
  }
  if (found.kind === "unusable") {
    problems.add(found.problem);
    return undefined;
  }
  const overlay = readOverlays(file, path, bus, found.database, resolver, problems);
  const laid = applyOverlay(found.database, overlay);
  // What the overlay's own check lets pass and the room of CAN refuses is still a problem of this file, never a database without its corrections.
  if (laid.kind === "refused")
    for (const problem of laid.problems) file.complain([...path, "overlay"], { message: `${problem.entry.message}.${problem.entry.signal}: ${problem.message}` });
  if (bus.max_tx !== undefined && ratePerSecond(bus.max_tx) === 0)
    file.complain([...path, "max_tx"], { message: "nothing could ever be sent", expected: "more than 0/s, or mode: listen-only" });
  const maxTxPerSecond = bus.max_tx === undefined ? DEFAULT_MAX_TX_PER_SECOND : (ratePerSecond(bus.max_tx) ?? DEFAULT_MAX_TX_PER_SECOND);
  return {
    name,
    dbcFile: found.file,
    database: laid.kind === "laid" ? laid.database : found.database,
    overlay,
    match: bus.match ?? "exact",
    bitratesBps: typeof bus.bitrate === "number" ? [bus.bitrate] : (bus.bitrate ?? []),
    mode: bus.mode ?? "listen-only",
    maxTxPerSecond,
  };
}

function readOverlays(
  file: CheckedFile,
  path: readonly string[],
  bus: ModelFile["buses"][string],
  database: Database,
  resolver: FileResolver,
  problems: ProblemList,
): readonly OverlayEntry[] {
  const entries = new Map<string, OverlayEntry>();
  const names = typeof bus.overlay === "string" ? [bus.overlay] : (bus.overlay ?? []);
  for (const [index, name] of names.entries()) {
    const found = resolver.text(name, file.file);
    if (found === undefined) {
      const at = typeof bus.overlay === "string" ? [...path, "overlay"] : [...path, "overlay", String(index)];
      file.complain(at, { message: `there is no file "${name}"`, expected: "an overlay file beside this one", suggestion: nearestFile(name, file, resolver) });
      continue;
    }
    for (const entry of checkOverlay(new CheckedFile(found.file, found.text, problems), database)) entries.set(`${entry.message}.${entry.signal}`, entry);
  }
  return [...entries.values()];
}

/** The entries of one overlay file that fit the database. */
function checkOverlay(file: CheckedFile, database: Database): readonly OverlayEntry[] {
  const data = file.read(overlayFileSchema) as OverlayFile | undefined;
  const entries: OverlayEntry[] = [];
  for (const [name, entry] of Object.entries(data ?? {})) {
    // Long names of signals may hold dots, names of messages do not.
    const dot = name.indexOf(".");
    const messageName = name.slice(0, dot);
    const signalName = name.slice(dot + 1);
    const message = findMessage(database, messageName);
    const signal = message === undefined ? undefined : findSignal(message, signalName);
    if (message === undefined) {
      file.complain([name], { message: `the database has no message "${messageName}"`, suggestion: file.suggest(messageName, messageNames(database)) }, { key: true });
      continue;
    }
    if (signal === undefined) {
      file.complain([name], { message: `the message ${messageName} has no signal "${signalName}"`, suggestion: file.suggest(signalName, signalNames(message)) }, { key: true });
      continue;
    }
    if (signal.sharesName) {
      file.complain([name], ambiguousSignal(messageName, signalName), { key: true });
      continue;
    }
    if (entry.factor === 0) {
      file.complain([name, "factor"], { message: "a factor of 0 would make every value the same", expected: "another number" });
      continue;
    }
    if (entry.signed !== undefined && isFloat(signal)) {
      file.complain([name, "signed"], { message: `${name} is a floating point number`, expected: "no key signed" });
      continue;
    }
    if (entry.unit !== undefined && canonicalUnit(entry.unit) === undefined) file.complain([name, "unit"], unitComplaint(entry.unit));
    entries.push({
      message: messageName,
      signal: signalName,
      source: entry.source,
      ...(entry.factor === undefined ? {} : { factor: entry.factor }),
      ...(entry.offset === undefined ? {} : { offset: entry.offset }),
      ...(entry.unit === undefined ? {} : { unit: canonicalUnit(entry.unit) ?? entry.unit }),
      ...(entry.signed === undefined ? {} : { signed: entry.signed }),
    });
  }
  return entries;
}

export function unitComplaint(written: string): { readonly message: string; readonly expected: string; readonly suggestion: string | undefined } {
  return { message: `the unit "${written}" is not known`, expected: "a unit such as km/h, V, degC, rpm", suggestion: nearestName(written, knownUnits) };
}

export function ambiguousSignal(message: string, signal: string): { readonly message: string; readonly expected: string } {
  return { message: `the message ${message} has several signals called "${signal}"`, expected: "a signal with a name of its own" };
}

export function neverRead(message: string): { readonly message: string; readonly expected: string } {
  return { message: `no frame is ever read as ${message}: another message of the database has its identifier, or none can carry it`, expected: "the message that counts" };
}

export function* messageNames(database: Database): Iterable<string> {
  for (const message of database.messages) if (message.matchable) yield message.name;
}

export function* signalNames(message: CanMessage): Iterable<string> {
  for (const signal of message.signals) yield signal.name;
}
